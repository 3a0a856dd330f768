"""From an event to a nudge: make it durable, then send the key."""

from contextlib import suppress
from typing import TYPE_CHECKING, Literal

from chalicelib.domain import timeline
from chalicelib.domain.errors import Permanent, Temporary

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chalicelib.domain.stripe_event import StripeEvent
    from chalicelib.ports import Clock, Nudged, Nudges, Payments, Queue

EVENTS_LAST = 30 * 24 * 3600
"""Seconds for which Stripe can be asked for an event."""

Outcome = Literal["ignored", "not ours", "nudged", "duplicate", "unknown", "kept"]


def take_event(  # noqa: PLR0913 - ports are passed in, one by one
    event: "StripeEvent",
    *,
    records: "Nudges",
    queue: "Queue",
    clock: "Clock",
    deployment: str,
    livemode: bool,
    delivered: bool = True,
) -> Outcome:
    """Store a verified event and ask for a look at its tenant; returning means it is durable.

    A duplicate skips the storing and still sends the key: the first delivery may have died
    between the two. Not so for an event that was not `delivered` but asked for: if it is known,
    the sweep sees to its tenant anyhow.

    Raises:
        Temporary: it is not durable, or its key was not sent; Stripe must deliver it again.
    """
    if not event.concerns_us:
        return "ignored"
    if event.livemode != livemode:
        return "not ours"
    if event.hides_its_customer and event.account:
        return "not ours"  # our key cannot ask what a connected account's dispute is about
    now = int(clock())
    line = timeline.of_event(event)
    if event.hides_its_customer:
        records.keep_event(event.id, line, due_at=now + 60)
        queue.send_event(event.id)
        return "kept"
    is_ours = event.deployment in {None, deployment}
    nudged: Nudged | Literal["not ours"] = "unknown" if is_ours else "not ours"
    for tenant_id in _whose(event, records, is_ours=is_ours):
        nudged = records.nudge(tenant_id, now, line=line, paid_session=event.paid_session)
        if nudged == "nudged" or (nudged == "duplicate" and delivered):
            queue.send_tenant(tenant_id)
        if nudged != "unknown":
            break
    return nudged


def _whose(event: "StripeEvent", records: "Nudges", *, is_ours: bool) -> "Iterator[str]":
    """By our metadata; failing that (they can be edited) by the customer that we made."""
    if event.tenant_id and is_ours:
        yield event.tenant_id
    if event.customer_id and (tenant_id := records.tenant_of(event.customer_id)):
        yield tenant_id


def hint(queue: "Queue", tenant_id: str) -> None:
    """Send the key of a nudge that is written: all that is lost without it is time."""
    with suppress(Temporary):
        queue.send_tenant(tenant_id)


def resolve_event(
    event_id: str, *, records: "Nudges", payments: "Payments", queue: "Queue", clock: "Clock"
) -> Outcome:
    """Find out whom a kept event concerns, note what it means, and nudge that tenant.

    Raises:
        Temporary: Stripe does not answer.
        Permanent: Stripe does not know the event. It stays kept.
    """
    line = records.kept_event(event_id)
    if line is None:
        return "duplicate"
    found = payments.dispute_of(event_id)
    if found is None and clock() - line.created < EVENTS_LAST:
        raise Permanent(
            f"Stripe does not know {event_id}, which it has signed: does the key belong to "
            "another account, or to another mode?"
        )
    tenant_id = found and found.customer_id and records.tenant_of(found.customer_id)
    nudged: Outcome = "unknown"
    if found and tenant_id:
        nudged = records.note_dispute(tenant_id, int(clock()), line, found)
        queue.send_tenant(tenant_id)
    records.drop_event(event_id)
    return nudged
