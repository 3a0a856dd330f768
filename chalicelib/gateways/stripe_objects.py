"""Stripe's objects, read as the domain has them.

What Stripe says is null, others that speak its protocol leave out: both are None here.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from chalicelib.domain.stripe_event import PAID
from chalicelib.domain.subscription import CheckoutSession, Item, SessionStatus, Subscription

if TYPE_CHECKING:
    import stripe  # it loads a class when it is first named, so none is named at run time

PAUSED_BY_US = "collection_paused_by"
"""The metadata that a pause of ours is marked with, in the call that makes it."""


def session_of(session: "stripe.checkout.Session") -> CheckoutSession:
    """A checkout session; its customer's and its price's ends are known only where expanded."""
    return CheckoutSession(
        id=session.id,
        status=cast("SessionStatus", session.status),
        url=optional(session, "url"),
        expires_at=session.expires_at,
        paid=session.payment_status in PAID,
        subscription_id=id_of(optional(session, "subscription")),
        customer_gone=optional(optional(session, "customer"), "deleted") is True,
        price_archived=any(
            optional(optional(line, "price"), "active") is False
            for line in optional(optional(session, "line_items"), "data") or ()
        ),
    )


def subscription_of(subscription: "stripe.Subscription") -> Subscription:
    """A subscription with all its items; which of them counts is for the domain to say."""
    cancel_at = optional(subscription, "cancel_at")
    metadata = metadata_of(subscription)
    pause = optional(subscription, "pause_collection")
    collection_paused = pause is not None
    items = tuple(_item_of(item) for item in subscription["items"].data)
    only = items[0] if len(items) == 1 else None
    return Subscription(
        id=subscription.id,
        status=subscription.status,
        created=subscription.created,
        product_id=only.product_id if only else None,
        items=items,
        nonce=metadata.get("checkout"),
        # Until 2025 the period stood on the subscription itself.
        current_period_end=cancel_at
        or (only and only.current_period_end)
        or optional(subscription, "current_period_end"),
        cancel_at_period_end=bool(optional(subscription, "cancel_at_period_end") or cancel_at),
        collection_paused=collection_paused,
        paused_by_us=optional(pause, "behavior") == "void" and PAUSED_BY_US in metadata,
        ended_at=optional(subscription, "ended_at"),
        trialed_at=optional(subscription, "trial_start"),
    )


def _item_of(item: "stripe.SubscriptionItem") -> Item:
    return Item(
        product_id=id_of(item.price.product),
        quantity=optional(item, "quantity"),
        current_period_end=optional(item, "current_period_end"),
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
