"""From an event to a nudge: make it durable, then send the key."""

from typing import TYPE_CHECKING, Literal

from chalicelib.domain import timeline
from chalicelib.domain.errors import CustomerGone

if TYPE_CHECKING:
    from chalicelib.domain.stripe_event import StripeEvent
    from chalicelib.ports import Clock, Nudges, Payments, Queue

Outcome = Literal["ignored", "not ours", "nudged", "duplicate", "unknown", "kept"]


def take_event(  # noqa: PLR0913 - ports are passed in, one by one
    event: "StripeEvent",
    *,
    records: "Nudges",
    queue: "Queue",
    clock: "Clock",
    deployment: str,
    livemode: bool,
) -> Outcome:
    """Store a verified event and ask for a look at its tenant; returning means it is durable.

    A duplicate skips the storing and still sends the key: the first delivery may have died
    between the two.

    Raises:
        Temporary: it is not durable, or its key was not sent; Stripe must deliver it again.
    """
    if not event.concerns_us:
        return "ignored"
    if event.livemode != livemode or event.deployment not in {None, deployment}:
        return "not ours"
    now = int(clock())
    line = timeline.of_event(event)
    if event.hides_its_customer:
        records.keep_event(event.id, line, due_at=now + 60)
        queue.send_event(event.id)
        return "kept"
    tenant_id = event.tenant_id or (event.customer_id and records.tenant_of(event.customer_id))
    if not tenant_id:
        return "unknown"
    nudged = records.nudge(tenant_id, now, line=line, paid_session=event.paid_session)
    if nudged != "unknown":
        queue.send_tenant(tenant_id)
    return nudged


def resolve_event(
    event_id: str, *, records: "Nudges", payments: "Payments", queue: "Queue", clock: "Clock"
) -> Outcome:
    """Find out whom a kept event concerns, note what it means, and nudge that tenant."""
    line = records.kept_event(event_id)
    if line is None:
        return "duplicate"
    try:
        found = payments.dispute_of(event_id)
    except CustomerGone:
        found = None
    tenant_id = found and found.customer_id and records.tenant_of(found.customer_id)
    nudged: Outcome = "unknown"
    if found and tenant_id:
        nudged = records.note_dispute(tenant_id, int(clock()), line, found)
        queue.send_tenant(tenant_id)
    records.drop_event(event_id)
    return nudged
