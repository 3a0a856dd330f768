"""The real Stripe test mode, and a real cluster, in place of the stand-ins: only when asked for.

`ARM_STRIPE_TEST_KEY` (with `ARM_STRIPE_WEBHOOK_SECRET`, as `stripe listen` prints it) and
`ARM_TEST_KUBECONFIG`. The names are our own, so that nothing that a person has set for other
programs is ever followed.
"""

import os
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sandbox.serving import refuse


class UnusableError(Exception):
    """What was asked for cannot be used; the message is for the person at the terminal."""


@dataclass(frozen=True, slots=True)
class StripeAccount:
    """A real account in test mode."""

    key: str
    webhook_secret: str


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
        UnusableError: a key that could move real money, or half of what is needed.
    """
    key = env.get("ARM_STRIPE_TEST_KEY", "").strip()
    if not key:
        return None
    if not key.startswith(("sk_test_", "rk_test_")):
        raise UnusableError("ARM_STRIPE_TEST_KEY must be a test key (sk_test_…, rk_test_…)")
    secret = env.get("ARM_STRIPE_WEBHOOK_SECRET", "").strip()
    if not secret:
        raise UnusableError(
            "ARM_STRIPE_WEBHOOK_SECRET is missing: `stripe listen --print-secret` tells it, and "
            "`stripe listen --forward-to 127.0.0.1:<api's port>/api/payments/webhook` delivers"
        )
    return StripeAccount(key, secret)


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
    """Say which API server the tests are about to use, or why none can be; exit code 2 then."""
    try:
        found = cluster(os.environ)
    except UnusableError as e:
        raise refuse(str(e)) from e
    if found:
        text = f"About to use the context {found.context} of {found.kubeconfig}: {found.server}"
    elif assets := os.environ.get("KUBEBUILDER_ASSETS"):
        text = f"About to start etcd and kube-apiserver from {assets}"
    else:
        raise refuse(
            "Name a cluster for tests in ARM_TEST_KUBECONFIG (a kubeconfig whose current context's "
            "user is an administrator with a token), or a folder with etcd and kube-apiserver in "
            "KUBEBUILDER_ASSETS"
        )
    print(text, flush=True)  # noqa: T201 - for the person at the terminal


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
