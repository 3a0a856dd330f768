"""The sandbox's processes: what each is started with."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sandbox.serving import HOST, SUPERVISED

STAGE = "dev"
REGION = "us-east-1"
STRIPE_KEY = "sk_test_sandbox"
KUBE_TOKEN = "sandbox-provisioner"  # noqa: S105 - made up, for loopback only
NAMES = ("site", "api", "stripe", "aws", "kubernetes", "worker")
"""In the order of their ports."""

_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT", "VIRTUAL_ENV")
"""All of the user's environment that a part sees: no AWS_*, no KUBECONFIG, no proxy, no keys."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where everything is, once the ports are known."""

    ports: Mapping[str, int]

    def __getitem__(self, part: str) -> str:
        """The base URL of a part."""
        scheme = "https" if part == "kubernetes" else "http"
        return f"{scheme}://{HOST}:{self.ports[part]}"


def environment() -> dict[str, str]:
    """What every part gets."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return kept | {"PYTHONUNBUFFERED": "1", SUPERVISED: "1"}


def aws_environment(addresses: Addresses) -> dict[str, str]:
    """What keeps the SDK on this machine, whatever the user has configured."""
    return {
        "AWS_ACCESS_KEY_ID": "sandbox",
        "AWS_SECRET_ACCESS_KEY": "sandbox",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": addresses["aws"],
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def settings(  # noqa: PLR0913 - each is known only once something else stands
    addresses: Addresses,
    *,
    table: str,
    queue: str,
    pool_id: str,
    client_id: str,
    webhook_secret: str,
    ca: Path,
) -> dict[str, str]:
    """The settings that `.chalice/config.json` and SSM hold on AWS."""
    site = addresses["site"]
    return {
        "STAGE": STAGE,
        "TABLE_NAME": table,
        "QUEUE_NAME": queue,
        "SITE_URL": site,
        "CHECKOUT_SUCCESS_URL": f"{site}/checkout/success?session_id={{CHECKOUT_SESSION_ID}}",
        "CHECKOUT_CANCEL_URL": f"{site}/checkout/cancel",
        "STRIPE_SECRET_KEY": STRIPE_KEY,
        "STRIPE_WEBHOOK_SECRET": webhook_secret,
        "STRIPE_API_BASE": addresses["stripe"],
        "JWT_ISSUER": f"https://cognito-idp.{REGION}.amazonaws.com/{pool_id}",
        "JWT_AUDIENCE": client_id,
        "JWT_JWKS_URL": f"{addresses['aws']}/{pool_id}/.well-known/jwks.json",
        "USER_POOL_CLIENT_ID": client_id,
        "KUBE_SERVER": addresses["kubernetes"],
        "KUBE_CA": str(ca),
        "KUBE_TOKEN": KUBE_TOKEN,
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
            *("--token", KUBE_TOKEN, "--certificate", str(certificate), "--key", str(key)),
        ],
    }
    return {
        name: [
            *(sys.executable, "-m", f"sandbox.{name}", "--port", str(addresses.ports[name])),
            *more.get(name, ()),
        ]
        for name in NAMES
    }
