"""The real Stripe test mode, and a real cluster, in place of the stand-ins: only when asked for.

`ARM_STRIPE_TEST_KEY` (and `ARM_STRIPE_WEBHOOK_SECRET`, as `stripe listen` prints it, where events
are to be delivered) and `ARM_TEST_KUBECONFIG`. The names are our own, so that nothing that a person
has set for other programs is ever followed.
"""

import getpass
import os
import platform
import sys
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import stripe
import yaml

from chalicelib.gateways.stripe_errors import key_refused
from sandbox.serving import refuse

KEY, SECRET = "ARM_STRIPE_TEST_KEY", "ARM_STRIPE_WEBHOOK_SECRET"
TIMEOUT_SECONDS = 10


class UnusableError(Exception):
    """What was asked for cannot be used; the message is for the person at the terminal."""


@dataclass(frozen=True, slots=True)
class StripeAccount:
    """A real account in test mode.

    Attributes:
        webhook_secret: empty where nothing delivers to this machine: then what happens is seen by
            looking, which the pages and the audit do.
        base: another Stripe than Stripe's, for tests.
    """

    key: str
    webhook_secret: str = ""
    base: str | None = None

    @property
    def client(self) -> stripe.StripeClient:
        """The SDK at it."""
        return stripe.StripeClient(
            self.key,
            base_addresses={"api": self.base} if self.base else {},
            http_client=stripe.RequestsClient(timeout=TIMEOUT_SECONDS),
        )

    @property
    def stage(self) -> str:
        """A stage of one's own: no real stage's prices are touched, and no colleague's either."""
        mine = f"{getpass.getuser()}@{platform.node()}"
        return f"demo{sha256(mine.encode()).hexdigest()[:8]}"

    def refuse_unreachable(self) -> None:
        """Ask for one product: whether the account is there, and takes the key.

        Raises:
            UnusableError: it does not answer, or refuses.
        """
        try:
            self.client.v1.products.list({"limit": 1})
        except stripe.APIConnectionError as e:
            where = self.base or "https://api.stripe.com"
            raise UnusableError(
                f"{where} cannot be reached from here; without {KEY} the demo needs no network"
            ) from e
        except (stripe.AuthenticationError, stripe.PermissionError) as e:
            raise UnusableError(f"{KEY}: {key_refused(e)}") from e
        except stripe.StripeError as e:
            raise UnusableError(f"Stripe fails: {type(e).__name__}, HTTP {e.http_status}") from e


@dataclass(frozen=True, slots=True)
class RealCluster:
    """A real API server; `ca` is PEM text, None for the system's authorities."""

    server: str
    ca: str | None
    token: str
    kubeconfig: Path
    context: str


def stripe_account(env: Mapping[str, str]) -> StripeAccount | None:
    """The account that was asked for.

    Raises:
        UnusableError: a key that could move real money, or no webhook secret in its place.
    """
    key = env.get(KEY, "").strip()
    if not key:
        return None
    if not key.startswith(("sk_test_", "rk_test_")):
        raise UnusableError(f"{KEY} must be a test key (sk_test_…, rk_test_…)")
    secret = env.get(SECRET, "").strip()
    if secret and not secret.startswith("whsec_"):
        raise UnusableError(f"{SECRET} must be what `stripe listen --print-secret` tells (whsec_…)")
    return StripeAccount(key, secret, env.get("ARM_STRIPE_API_BASE", "").strip() or None)


def asked_for(env: Mapping[str, str]) -> dict[str, str]:
    """What `--stripe` means: the key that other programs know, taken because a person says so.

    Raises:
        UnusableError: there is none.
    """
    key = env.get("STRIPE_SECRET_KEY", "").strip()
    if not key and not env.get(KEY):
        raise UnusableError(
            "--stripe needs a test key: STRIPE_SECRET_KEY=sk_test_… make demo ARGS=--stripe"
        )
    return {KEY: env.get(KEY) or key}


def cluster(env: Mapping[str, str]) -> RealCluster | None:
    """The cluster that was asked for: the current context of that kubeconfig.

    Raises:
        UnusableError: there is no such file, or nothing in it that a worker could use.
    """
    given = env.get("ARM_TEST_KUBECONFIG", "").strip()
    if not given:
        return None
    file = Path(given)
    try:
        config = yaml.safe_load(file.read_text("utf-8"))
        context = _named(config, "contexts", config["current-context"])["context"]
        where = _named(config, "clusters", context["cluster"])["cluster"]
        user = _named(config, "users", context["user"])["user"]
        server = str(where["server"])
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError) as e:
        reason = f"{type(e).__name__}: {e}".splitlines()[0]
        raise UnusableError(f"ARM_TEST_KUBECONFIG={file} cannot be used: {reason}") from e
    token = user.get("token") or _text(file, user.get("tokenFile"))
    if not token:
        raise UnusableError(
            f"ARM_TEST_KUBECONFIG={file}: its user needs a token; make one with "
            "`kubectl create token` for a service account that may manage namespaces"
        )
    return RealCluster(
        server=server,
        ca=_authority(file, where),
        token=token.strip(),
        kubeconfig=file.resolve(),
        context=str(config["current-context"]),
    )


def main() -> None:
    """Say what the tests are about to use, or why nothing can be used; exit code 2 then."""
    try:
        text = _stripe_told() if "stripe" in sys.argv[1:] else _cluster_told()
    except UnusableError as e:
        raise refuse(str(e)) from e
    print(text, flush=True)  # noqa: T201 - for the person at the terminal


def _stripe_told() -> str:
    account = stripe_account(os.environ)
    if account is None:
        raise UnusableError(
            f"Name an account in test mode by its key: {KEY}=sk_test_… make test-stripe"
        )
    account.refuse_unreachable()
    return "About to use Stripe in test mode: products, prices and customers of its own names"


def _cluster_told() -> str:
    if found := cluster(os.environ):
        return f"About to use the context {found.context} of {found.kubeconfig}: {found.server}"
    if assets := os.environ.get("KUBEBUILDER_ASSETS"):
        return f"About to start etcd and kube-apiserver from {assets}"
    raise UnusableError(
        "Name a cluster for tests in ARM_TEST_KUBECONFIG (a kubeconfig whose current context's "
        "user is an administrator with a token), or a folder with etcd and kube-apiserver in "
        "KUBEBUILDER_ASSETS"
    )


def _named(config: Any, kind: str, name: str) -> Any:  # noqa: ANN401 - YAML
    for entry in config[kind]:
        if entry["name"] == name:
            return entry
    raise KeyError(f"no {name} among {kind}")


def _authority(file: Path, where: Mapping[str, Any]) -> str | None:
    if data := where.get("certificate-authority-data"):
        return b64decode(data).decode()
    return _text(file, where.get("certificate-authority"))


def _text(file: Path, name: str | None) -> str | None:
    """What a file holds that a kubeconfig names, from where that stands."""
    if not name:
        return None
    try:
        return (file.parent / name).read_text("utf-8")
    except OSError as e:
        raise UnusableError(f"ARM_TEST_KUBECONFIG={file} names {name}: {e.strerror}") from e


if __name__ == "__main__":
    main()
