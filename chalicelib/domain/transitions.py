"""Why a tenant stands differently than it did: the cause that goes with each transition."""

from typing import Literal

from chalicelib.domain.record import Record
from chalicelib.domain.standing import Standing

Cause = Literal[
    "hold",
    "hold_lifted",
    "dispute_opened",
    "dispute_settled",
    "dispute_lost",
    "deletion",
    "retention_over",
    "trial_ended",
    "grace_over",
    "payment_failed",
    "payment_recovered",
    "payment_received",
    "paused",
    "resumed",
    "purchase",
    "plan_changed",
    "not_in_catalogue",
    "subscription_ended",
    "customer_deleted",
    "free_started",
    "free_ended",
    "ready",
    "removed",
    "checkout_closed",
    "looked_again",
]

WORDS: dict[Cause, str] = {
    "hold": "it is held",
    "hold_lifted": "the hold was lifted",
    "dispute_opened": "a payment is disputed",
    "dispute_settled": "the dispute is settled",
    "dispute_lost": "a dispute was lost",
    "deletion": "its deletion has begun",
    "retention_over": "the time for which data are kept is over",
    "trial_ended": "the trial has ended",
    "grace_over": "the grace for a failed payment is over",
    "payment_failed": "a payment has failed",
    "payment_recovered": "the failed payment has arrived",
    "payment_received": "a checkout was paid",
    "paused": "the subscription is paused",
    "resumed": "the subscription goes on",
    "purchase": "a plan was bought",
    "plan_changed": "the plan was changed",
    "not_in_catalogue": "the subscription cannot be read as a plan",
    "subscription_ended": "the subscription has ended",
    "customer_deleted": "the customer was deleted at Stripe",
    "free_started": "the Free plan has begun",
    "free_ended": "the Free plan has ended",
    "ready": "the workspace is ready",
    "removed": "the workspace is gone",
    "checkout_closed": "the checkout came to nothing",
    "looked_again": "a look has found it so",
}
"""Each cause as the timeline tells it."""


def cause_of(stood: Standing, stands: Standing, before: Record, after: Record) -> Cause:
    """Why `stands` follows `stood`.

    Args:
        stood: what the last reconcile that came to its end found.
        stands: what this one finds.
        before: the record as it was read.
        after: the record with Stripe's word in it.
    """
    return (
        _by_us(stood, stands, after)
        or _by_the_end(stood, stands, before, after)
        or _by_payment(stood, stands, before, after)
        or "looked_again"
    )


def _by_us(stood: Standing, stands: Standing, after: Record) -> Cause | None:
    if stood.stopped_by != stands.stopped_by:
        if stands.stopped_by == "hold":
            return "dispute_lost" if after.hold and after.hold.dispute_id else "hold"
        if stands.stopped_by == "dispute":
            return "dispute_opened"
        if stood.stopped_by == "hold":
            return "hold_lifted"
        if stands.status != "canceled" and not after.disputes:
            return "dispute_settled"
    return None


def _by_the_end(  # noqa: PLR0911 - a table, a line each
    stood: Standing, stands: Standing, before: Record, after: Record
) -> Cause | None:
    if stands.wanted == "absent":
        if after.phase == "deleting":
            return "deletion"
        if stands.status == "canceled":
            return "retention_over"
        return "checkout_closed" if stood.status == "provisioning" else "removed"
    if stands.status == "canceled" and stood.status != "canceled":
        if after.customer_generation != before.customer_generation:
            return "customer_deleted"
        if stands.plan_id == "free" or stood.plan_id == "free":
            return "free_ended"
        return "subscription_ended"
    return None


def _by_payment(  # noqa: PLR0911 - a table, a line each
    stood: Standing, stands: Standing, before: Record, after: Record
) -> Cause | None:
    subscription, was = after.subscription, before.subscription
    if stands.status == "past_due":
        if subscription and subscription.is_paused:
            return "paused"
        over = stood.status == "past_due" and stood.wanted != "suspended"
        over = over and stands.wanted == "suspended"
        if over and subscription and subscription.status == "past_due":
            return "grace_over"
        return "payment_failed"
    if stood.status == "past_due" and stands.active:
        return "resumed" if was and was.is_paused else "payment_recovered"
    if stands.wanted == "as it was":
        return "payment_received" if stands.status == "provisioning" else "not_in_catalogue"
    if stood.status == "provisioning" and stands.status == "active":
        return "ready"
    if stands.active and stood.status in {"none", "canceled", "provisioning"}:
        return "free_started" if stands.plan_id == "free" else "purchase"
    return "plan_changed" if stands.plan_id != stood.plan_id else None
