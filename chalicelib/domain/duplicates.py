"""Two live subscriptions of one customer: which of them, if any, may be undone by us."""

from collections.abc import Sequence

from chalicelib.domain.catalogue import Policy
from chalicelib.domain.record import Record, Resolution
from chalicelib.domain.subscription import Subscription


def next_resolution(
    record: Record,
    subscriptions: Sequence[Subscription],
    counted: Subscription | None,
    now: int,
    policy: Policy,
) -> Resolution | None:
    """The intent that should stand: one that was recorded and still holds, or a new one.

    One that was recorded holds to its end, through any crash, unless its subscription has become
    the only one that the customer has. A new one needs the setting, and nonces of ours on both:
    what somebody made in Stripe's dashboard is theirs to end.
    """
    live = [s for s in subscriptions if s.is_live and s != counted]
    recorded = record.resolution
    if recorded is not None:
        is_all_there_is = counted and counted.is_live and counted.id == recorded.subscription_id
        return None if is_all_there_is else recorded
    if not policy.resolve_duplicates or counted is None or counted.nonce is None:
        return None
    sold_by_us = [s for s in live if s.nonce is not None]
    if not sold_by_us:
        return None
    newest = max(sold_by_us, key=lambda s: (s.created, s.id))
    return intent_to_undo(newest.id, counted, now)


def intent_to_undo(subscription_id: str, kept: Subscription, now: int) -> Resolution:
    """To cancel this one, and to refund what it charged since the kept one began."""
    return Resolution(
        subscription_id=subscription_id, kept_id=kept.id, since=now, kept_since=kept.created
    )
