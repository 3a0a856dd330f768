"""Stripe's objects, read as the domain has them.

What Stripe says is null, others that speak its protocol leave out: both are None here.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from chalicelib.domain.stripe_event import PAID
from chalicelib.domain.subscription import CheckoutSession, SessionStatus, Subscription

if TYPE_CHECKING:
    import stripe  # it loads a class when it is first named, so none is named at run time


def session_of(session: "stripe.checkout.Session") -> CheckoutSession:
    """A checkout session; its customer is known as deleted only where it was expanded."""
    return CheckoutSession(
        id=session.id,
        status=cast("SessionStatus", session.status),
        url=optional(session, "url"),
        expires_at=session.expires_at,
        paid=session.payment_status in PAID,
        subscription_id=id_of(optional(session, "subscription")),
        customer_gone=optional(optional(session, "customer"), "deleted") is True,
    )


def subscription_of(subscription: "stripe.Subscription") -> Subscription:
    """A subscription, by its first item: what is sold here has one."""
    item = subscription["items"].data[0] if subscription["items"].data else None
    cancel_at = optional(subscription, "cancel_at")
    # Until 2025 the period stood on the subscription itself.
    period_end = optional(item, "current_period_end") or optional(
        subscription, "current_period_end"
    )
    return Subscription(
        id=subscription.id,
        status=subscription.status,
        created=subscription.created,
        product_id=id_of(item.price.product) if item else None,
        nonce=metadata_of(subscription).get("checkout"),
        current_period_end=cancel_at or period_end,
        cancel_at_period_end=bool(optional(subscription, "cancel_at_period_end") or cancel_at),
        collection_paused=optional(subscription, "pause_collection") is not None,
        ended_at=optional(subscription, "ended_at"),
        trialed_at=optional(subscription, "trial_start"),
    )


def optional(holder: object, name: str) -> Any:  # noqa: ANN401 - whatever stands there
    """A field that may be null, or left out; None for both."""
    return getattr(holder, name, None)


def metadata_of(holder: object) -> Mapping[str, str]:
    """The metadata of whatever carries some."""
    metadata = optional(holder, "metadata")
    return metadata.to_dict() if metadata else {}


def id_of(reference: object) -> str | None:
    """The id of something that may stand there whole or as an id."""
    if reference is None or isinstance(reference, str):
        return reference
    return str(getattr(reference, "id", "")) or None
