"""An operator's act: a line in the timeline and a nudge, in one transaction; then the key."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from chalicelib import wiring
from chalicelib.domain.errors import Conflict, DomainError, Temporary
from chalicelib.domain.record import Hold, Record
from chalicelib.domain.timeline import Line
from chalicelib.services.nudging import Outcome, take_event
from ops.desk import Desk

TRIES = 12
Change = Callable[[Record], Record]


class NothingToDo(DomainError):
    """It is as was asked already; the message says how it stands."""


def line(desk: Desk, text: str) -> Line:
    """What the timeline tells of an operator."""
    return Line(
        created=desk.now, id=wiring.new_id(), kind="operator", text=f"{text} (by {desk.operator})"
    )


def nudge(desk: Desk, tenant_id: str, text: str) -> None:
    """Ask for a look, and say who asked and why."""
    desk.records.nudge(tenant_id, desk.now, line=line(desk, text))
    desk.queue.send_tenant(tenant_id)


def change(desk: Desk, record: Record, how: Change, text: str) -> Record:
    """Change a fact that is an operator's to change, under the version condition.

    Raises:
        Temporary: others write this record all the time.
    """
    for _ in range(TRIES):
        try:
            saved = desk.records.save(
                record, how(record), nudge_at=desk.now, lines=[line(desk, text)]
            )
        except Conflict:
            record = desk.records.read(record.tenant_id) or record
            continue
        desk.queue.send_tenant(saved.tenant_id)
        return saved
    raise Temporary(f"tenant {record.tenant_id}: its record is written too often; try again")


def suspend(desk: Desk, record: Record, reason: str, *, pause_billing: bool = False) -> Record:
    """Hold a tenant: its workloads stop and its data stay, whatever it pays, until it is lifted.

    Args:
        desk: whose.
        record: of the tenant.
        reason: stands in the timeline.
        pause_billing: also have nothing charged while it lasts; one that is held already can be
            held so from now on.

    Raises:
        NothingToDo: it is held already.
    """
    held = record.hold
    if held and (held.pause_billing or not pause_billing):
        raise NothingToDo(f"it is held already, for: {held.reason}")
    if held:
        paused = replace(held, pause_billing=True)
        return change(desk, record, lambda r: replace(r, hold=paused), f"billing paused: {reason}")
    hold = Hold(reason=reason, since=desk.now, pause_billing=pause_billing)
    did = "suspended, and billing paused" if pause_billing else "suspended"
    return change(desk, record, lambda r: replace(r, hold=hold), f"{did}: {reason}")


def resume(desk: Desk, record: Record, reason: str) -> Record:
    """Lift a hold; what the tenant should be is up to what it pays again.

    Raises:
        NothingToDo: it is not held.
    """
    if not record.hold:
        raise NothingToDo("it is not held")
    return change(desk, record, lambda r: replace(r, hold=None), f"resumed: {reason}")


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of an event; `tenant_id` when it is known whose it is."""

    event_id: str
    type: str
    outcome: Outcome | Literal["nudged again"]
    tenant_id: str | None


def replay(desk: Desk, event_id: str) -> Replayed:
    """Take an event as if Stripe had just delivered it; one that was taken before nudges again.

    Raises:
        NothingToDo: Stripe does not know it (it keeps events for 30 days).
    """
    event = desk.billing.event(event_id)
    if event is None:
        raise NothingToDo(f"Stripe knows no event {event_id}: it keeps them for 30 days")
    outcome: Outcome = take_event(
        event,
        records=desk.records,
        queue=desk.queue,
        clock=desk.clock,
        deployment=wiring.deployment(),
        livemode=wiring.livemode(),
    )
    tenant_id = event.tenant_id
    if tenant_id is None and event.customer_id:
        tenant_id = desk.records.tenant_of(event.customer_id)
    if outcome in {"nudged", "duplicate"} and tenant_id:
        nudge(desk, tenant_id, f"replayed {event.type} {event.id}")
    again = outcome == "duplicate"
    return Replayed(event.id, event.type, "nudged again" if again else outcome, tenant_id)


@dataclass(frozen=True, slots=True)
class Redriven:
    """One dead letter and what was done with it."""

    message_id: str
    what: Literal["sent again", "dropped: no such tenant", "dropped: not a key"]
    tenant_id: str | None
    event_id: str | None


def redrive(desk: Desk) -> Iterator[Redriven]:
    """Give everything that was given up another try: a fresh key for each, then it is removed."""
    for letter in desk.dead_letters.all():
        what: Literal["sent again", "dropped: no such tenant", "dropped: not a key"] = "sent again"
        if letter.tenant_id:
            text = f"redrove a dead letter of {letter.receives - 1} tries"
            nudged = desk.records.nudge(letter.tenant_id, desk.now, line=line(desk, text))
            if nudged == "unknown":
                what = "dropped: no such tenant"
            else:
                desk.queue.send_tenant(letter.tenant_id)
        elif letter.event_id:
            desk.queue.send_event(letter.event_id)
        else:
            what = "dropped: not a key"
        desk.dead_letters.remove(letter)
        yield Redriven(letter.message_id, what, letter.tenant_id, letter.event_id)
