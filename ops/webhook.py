"""The webhook endpoint at Stripe: one, ours, in the version and with the events that we read."""

import hmac
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, cast

import stripe

from chalicelib.domain.stripe_event import API_VERSION, SUBSCRIBED

PATH = "/api/payments/webhook"
DEPLOYMENT = "deployment"
"""The metadata key by which an endpoint is known to be of a deployment of this name."""

HOME = "home"
"""The metadata key that tells which of them: `<AWS account>/<region>`."""

SECRET_MARK = "secret_mark"  # noqa: S105 - a name
"""The metadata key that tells its secret from another, without telling it."""

Store = Callable[[str], None]
"""Keeps the endpoint's secret where the API reads it."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint as Stripe tells of it; its secret is told only once, when it is made."""

    id: str
    url: str
    api_version: str | None
    events: frozenset[str]
    enabled: bool
    secret_mark: str | None = None
    home: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do: `replace` one whose version is fixed or whose secret is lost, or `update` it."""

    create: bool
    update: str | None
    remove: tuple[str, ...]
    why: str

    @property
    def nothing(self) -> bool:
        """Whether all is as it should be."""
        return not (self.create or self.update or self.remove)


def find(client: stripe.StripeClient, deployment: str) -> list[Endpoint]:
    """The endpoints of all deployments of this name, the oldest last; `ours` tells them apart."""
    listed = client.v1.webhook_endpoints.list({"limit": 100})
    return [
        Endpoint(
            id=found.id,
            url=found.url,
            api_version=found.api_version,
            events=frozenset(found.enabled_events),
            enabled=found.status == "enabled",
            secret_mark=found.metadata.to_dict().get(SECRET_MARK),
            home=found.metadata.to_dict().get(HOME),
        )
        for found in listed.auto_paging_iter()
        if found.metadata.to_dict().get(DEPLOYMENT) == deployment
    ]


def ours(found: Iterable[Endpoint], url: str | None, home: str) -> list[Endpoint]:
    """Those that this deployment made, or that deliver to its address; the others are not touched.

    Stripe knows no AWS accounts: one Stripe account may have a deployment of this name in each.
    """
    return [e for e in found if e.home == home or (e.home is None and e.url == url)]


def mark_of(secret: str) -> str:
    """Some digits of a hash: the same for the same secret, and no way back to it."""
    return sha256(secret.encode()).hexdigest()[:16]


def note_secret(client: stripe.StripeClient, endpoint_id: str, secret: str) -> None:
    """Write down at the endpoint which secret it signs with, for `ops doctor` to compare."""
    client.v1.webhook_endpoints.update(endpoint_id, {"metadata": {SECRET_MARK: mark_of(secret)}})


def signature(payload: bytes, secret: str, at: int) -> str:
    """The header that Stripe would send with a body at a moment (epoch seconds)."""
    signed = hmac.new(secret.encode(), b"%d." % at + payload, sha256).hexdigest()
    return f"t={at},v1={signed}"


def plan(found: list[Endpoint], url: str, *, secret_known: bool, home: str | None = None) -> Plan:
    """What has to be done with those that are ours; pure."""
    usable = [e for e in found if e.api_version == API_VERSION] if secret_known else []
    if not usable:
        why = "there is none"
        if found:
            why = f"not of version {API_VERSION}" if secret_known else "its secret is not stored"
        return Plan(create=True, update=None, remove=tuple(e.id for e in found), why=why)
    keep = usable[0]
    extra = tuple(e.id for e in found if e is not keep)
    wrong = [
        word
        for word, differs in (
            ("address", keep.url != url),
            ("events", keep.events != SUBSCRIBED),
            ("disabled", not keep.enabled),
            ("home", bool(home) and keep.home != home),
        )
        if differs
    ]
    return Plan(
        create=False,
        update=keep.id if wrong else None,
        remove=extra,
        why=", ".join(wrong) or ("there are several" if extra else "all is well"),
    )


def carry_out(  # noqa: PLR0913 - what is needed of both sides
    todo: Plan,
    client: stripe.StripeClient,
    *,
    url: str,
    deployment: str,
    known: str | None,
    store: Store,
    home: str | None = None,
) -> None:
    """Do it. A new endpoint's secret goes before the old one's until that endpoint is gone.

    An event that arrives between the two calls is signed with a secret that the API has not seen:
    the API looks again in SSM, and Stripe delivers again.
    """
    events = cast("Any", sorted(SUBSCRIBED))  # the SDK lists all there are
    secret, where = known, {HOME: home} if home else {}
    if todo.create:
        made = client.v1.webhook_endpoints.create(
            {
                "url": url,
                "api_version": API_VERSION,
                "enabled_events": events,
                "description": f"{deployment}, by `ops deploy`",
                "metadata": {DEPLOYMENT: deployment} | where,
            }
        )
        if made.secret is None:
            raise RuntimeError("Stripe gave no signing secret for the webhook endpoint")
        secret = made.secret
        note_secret(client, made.id, secret)
        store(f"{secret}, {known}" if known else secret)
    if todo.update:
        client.v1.webhook_endpoints.update(
            todo.update,
            {"url": url, "enabled_events": events, "disabled": False, "metadata": where},
        )
    for endpoint_id in todo.remove:
        client.v1.webhook_endpoints.delete(endpoint_id)
    if todo.create and known and secret:
        store(secret)
