"""A Stripe event: is it Stripe's, and whom does it concern? Nothing else in it is believed."""

import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, TypeGuard

from chalicelib.domain.errors import InvalidRequest, InvalidSignature, WebhookDisabled
from chalicelib.domain.texts import is_storable, is_tenant_id

API_VERSION: Final = "2026-10-28.endive"
"""The version that the SDK is pinned to; the webhook endpoint is created with the same one."""

TOLERANCE = 300
"""Seconds a signature may be old, or ahead of our clock."""

LONGEST_TEXT = 255
"""Characters; ids of Stripe's and of ours are far below it, and a key of the table has an end."""

LAST_SECOND = 9_999_999_999
"""The last `created` that the timeline's keys hold, in ten digits (the year 2286)."""

COMPLETED = "checkout.session.completed"
PAID = frozenset({"paid", "no_payment_required"})
DISPUTES = frozenset({"charge.dispute.created", "charge.dispute.updated", "charge.dispute.closed"})
"""`updated` tells that an inquiry has become a dispute, or that a lost one was appealed."""
SUBSCRIBED = DISPUTES | frozenset(
    {
        COMPLETED,
        "checkout.session.async_payment_succeeded",
        "checkout.session.async_payment_failed",
        "checkout.session.expired",
        "customer.subscription.created",
        "customer.subscription.updated",
        "customer.subscription.deleted",
        "customer.subscription.paused",
        "customer.subscription.resumed",
        "customer.subscription.trial_will_end",
        "invoice.paid",
        "invoice.payment_failed",
        "invoice.payment_action_required",
        "payment_intent.succeeded",
        "charge.refunded",
        "customer.deleted",
    }
)
"""The event types that the webhook endpoint asks for; any other is acknowledged and ignored."""


@dataclass(frozen=True, slots=True)
class StripeEvent:
    """What is taken from an event: who it is about, and the one fact that the page shows early.

    Attributes:
        created: epoch seconds, by Stripe's clock; orders the timeline, decides nothing.
        tenant_id: from our own metadata, when the object carries it; anything else that stands
            there is somebody's text, and is neither believed nor logged.
        deployment: `<app>-<stage>` from our metadata, to tell a neighbour's events from ours.
        customer_id: `cus_…`, when the object names one.
        account: `acct_…`, for an event of an account that is connected to this one.
        paid_session: the checkout session that was paid for, for a completed checkout.
    """

    id: str
    type: str
    created: int
    livemode: bool
    api_version: str | None
    tenant_id: str | None
    deployment: str | None
    customer_id: str | None
    paid_session: str | None
    account: str | None = None

    @property
    def concerns_us(self) -> bool:
        """Whether it is of a type that we subscribe to."""
        return self.type in SUBSCRIBED

    @property
    def hides_its_customer(self) -> bool:
        """Whether Stripe must be asked whose it is (a dispute names only its charge)."""
        return self.type in DISPUTES and not self.customer_id


def verify(payload: bytes, header: str | None, secrets: Iterable[str], now: float) -> None:
    """Check Stripe's signature over the raw bytes, exactly as the SDK does and stricter in time.

    Several secrets may be valid at once, so that one can be rotated. A timestamp in the future is
    refused like an old one; the SDK would take it.

    Raises:
        WebhookDisabled: no secret is configured.
        InvalidSignature: missing, malformed, wrong, too old or from the future.
    """
    keys = [secret for secret in secrets if secret.strip()]
    if not keys:
        raise WebhookDisabled
    if not header:
        raise InvalidSignature("The Stripe-Signature header is missing.")
    timestamp, signatures = _parse(header)
    if abs(now - timestamp) > TOLERANCE:
        raise InvalidSignature("The signature's timestamp is too far from now.")
    signed = b"%d." % timestamp + payload
    offered = [given.encode(errors="replace") for given in signatures]  # it may be no UTF-8
    for key in keys:
        expected = hmac.new(key.encode(), signed, sha256).hexdigest().encode()
        if any(hmac.compare_digest(expected, given) for given in offered):
            return
    raise InvalidSignature


def _parse(header: str) -> tuple[int, list[str]]:
    try:
        items = [item.split("=", 2) for item in header.split(",")]
        timestamp = int([item[1] for item in items if item[0] == "t"][0])  # noqa: RUF015 - a second, malformed t must fail here, as it does in the SDK
        float(timestamp)  # hundreds of digits are a number, but no moment that now compares with
        signatures = [item[1] for item in items if item[0] == "v1"]
    except (IndexError, OverflowError, ValueError) as e:
        raise InvalidSignature("The Stripe-Signature header is malformed.") from e
    if not signatures:
        raise InvalidSignature("The Stripe-Signature header has no v1 signature.")
    return timestamp, signatures


def parse(payload: bytes) -> StripeEvent:
    """Read what is needed of a verified event.

    Raises:
        InvalidRequest: not UTF-8, not JSON, or not the shape of an event.
    """
    try:
        body = json.loads(payload.decode())
    except (ValueError, RecursionError) as e:  # UnicodeDecodeError is a ValueError
        raise InvalidRequest("The body is not JSON in UTF-8.") from e
    return event_of(body)


def event_of(body: object) -> StripeEvent:
    """Read what is needed of an event that was verified, or asked of Stripe itself.

    One of a type that we did not ask for may have another shape (thin events have): it is ignored.

    Raises:
        InvalidRequest: not the shape of an event.
    """
    event = _mapping(body)
    obj = _mapping(_mapping(event.get("data")).get("object"))
    event_id, kind, created = _text(event.get("id")), _text(event.get("type")), event.get("created")
    is_whole = event_id and _is_moment(created) and _text(obj.get("object"))
    if not kind or (kind in SUBSCRIBED and not is_whole):
        raise InvalidRequest("The body is not a Stripe event.")
    metadata = _metadata(obj)
    return StripeEvent(
        id=event_id or "",
        type=kind,
        created=created if _is_moment(created) else 0,
        livemode=event.get("livemode") is True,
        api_version=_text(event.get("api_version")),
        tenant_id=_tenant(metadata.get("tenant_id")),
        deployment=_text(metadata.get("deployment")),
        customer_id=_customer(obj),
        paid_session=_text(obj.get("id"))
        if kind == COMPLETED and obj.get("payment_status") in PAID
        else None,
        account=_text(event.get("account")),
    )


def _metadata(obj: Mapping[str, Any]) -> Mapping[str, Any]:
    """Our metadata: on the object itself, or, for an invoice, on the subscription behind it."""
    own = _mapping(obj.get("metadata"))
    if own.get("tenant_id"):
        return own
    parent = _mapping(obj.get("parent"))
    return _mapping(_mapping(parent.get("subscription_details")).get("metadata")) or own


def _tenant(value: object) -> str | None:
    return value if isinstance(value, str) and is_tenant_id(value) else None


def _customer(obj: Mapping[str, Any]) -> str | None:
    if obj.get("object") == "customer":
        return _text(obj.get("id"))
    customer = obj.get("customer")
    return _text(customer) or _text(_mapping(customer).get("id"))


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _is_moment(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LAST_SECOND


def _text(value: object) -> str | None:
    """A text that can stand in a key: not empty, not endless, no half of a surrogate pair."""
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_TEXT:
        return None
    return value if is_storable(value) else None
