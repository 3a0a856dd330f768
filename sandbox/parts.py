"""The sandbox's processes: what each is started with."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from sandbox.addresses import NAMES, Addresses
from sandbox.seed import Resources
from sandbox.serving import HOST, SUPERVISED

STAGE = "dev"
REGION = "us-east-1"
STRIPE_KEY = "sk_test_sandbox"
KUBE_ADMIN_TOKEN = "sandbox-admin"  # noqa: S105 - made up, for loopback only
KUBE_TOKEN = "sandbox-worker"  # noqa: S105 - made up, for loopback only
_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT", "VIRTUAL_ENV")
"""All of the user's environment that a part sees: no AWS_*, no KUBECONFIG, no proxy, no keys."""

_NOBODYS_AWS = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}


def environment() -> dict[str, str]:
    """What every part gets."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return kept | {"PYTHONUNBUFFERED": "1", SUPERVISED: "1"}


def keep_to_this_machine() -> None:
    """Forget the user's own AWS account in this process, and go past a proxy to loopback."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ |= _NOBODYS_AWS
    for name in ("no_proxy", "NO_PROXY"):
        os.environ[name] = ",".join(filter(None, [os.environ.get(name), HOST, "localhost"]))


def aws_environment(addresses: Addresses) -> dict[str, str]:
    """What keeps the SDK on this machine, whatever the user has configured."""
    return {
        "AWS_ACCESS_KEY_ID": "sandbox",
        "AWS_SECRET_ACCESS_KEY": "sandbox",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": addresses["aws"],
        **_NOBODYS_AWS,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """How the api and the worker reach the outside; `stripe` is None for Stripe's own address."""

    stripe: str | None
    stripe_key: str
    webhook_secret: str
    kube_server: str
    kube_ca: Path | None
    kube_token: str
    test_mode: bool = False


def settings(  # noqa: PLR0913, PLR0917 - what the supervisor has put together
    addresses: Addresses,
    outside: Outside,
    made: Resources,
    deployment: str,
    queue: str,
    stage: str = STAGE,
) -> dict[str, str]:
    """The settings that `.chalice/config.json` and SSM hold on AWS."""
    site = addresses["site"]
    return {
        "STAGE": stage,
        "TABLE_NAME": deployment,
        "QUEUE_NAME": queue,
        "SITE_URL": site,
        "CHECKOUT_SUCCESS_URL": f"{site}/checkout/success?session_id={{CHECKOUT_SESSION_ID}}",
        "CHECKOUT_CANCEL_URL": f"{site}/checkout/cancel",
        "STRIPE_SECRET_KEY": outside.stripe_key,
        "STRIPE_WEBHOOK_SECRET": outside.webhook_secret,
        "STRIPE_API_BASE": outside.stripe or "",
        "SANDBOX_TEST_CLOCKS": "1" if outside.test_mode else "",
        "JWT_ISSUER": f"https://cognito-idp.{REGION}.amazonaws.com/{made.pool_id}",
        "JWT_AUDIENCE": made.client_id,
        "JWT_JWKS_URL": f"{addresses['aws']}/{made.pool_id}/.well-known/jwks.json",
        "USER_POOL_CLIENT_ID": made.client_id,
        "USER_POOL_CLIENT_SECRET": made.client_secret,
        "KUBE_SERVER": outside.kube_server,
        "KUBE_CA": str(outside.kube_ca or ""),
        "KUBE_TOKEN": outside.kube_token,
    }


def commands(
    addresses: Addresses, clock: Path, certificate: Path, key: Path
) -> dict[str, list[str]]:
    """How each part is started."""
    more = {
        "site": ["--api", addresses["api"], "--aws", addresses["aws"]],
        "stripe": [
            *("--key", STRIPE_KEY, "--clock-file", str(clock)),
            *("--settle-url", f"{addresses['worker']}/settle", "--public-url", addresses["stripe"]),
        ],
        "kubernetes": [
            *("--token", KUBE_ADMIN_TOKEN, "--worker-token", KUBE_TOKEN),
            *("--certificate", str(certificate), "--key", str(key)),
        ],
    }
    return {
        name: [
            *(sys.executable, "-m", f"sandbox.{name}", "--port", str(addresses.ports[name])),
            *more.get(name, ()),
        ]
        for name in NAMES
    }
