"""The sweep: whatever has fallen due is looked at, without scanning anything."""

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from chalicelib.domain.backoff import STUCK, pending_after, seconds_before
from chalicelib.domain.timeline import Line

if TYPE_CHECKING:
    from chalicelib.ports import Clock, NewId, Nudges, Queue

AT_MOST = 500
"""Items per sweep; what is left is found by the next one, the longest due first."""


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep found: deadlines that passed, and keys that were sent again.

    Attributes:
        stuck: of the latter, how many have been tried for more than about 15 minutes.
        pending_for: seconds that the oldest of the latter has been pending, at the least.
    """

    nudged: int
    sent_again: int
    stuck: int
    pending_for: int


def sweep(*, records: "Nudges", queue: "Queue", clock: "Clock", new_id: "NewId") -> Swept:
    """Nudge tenants whose deadline passed; send again the keys of work that is still pending."""
    now = int(clock())
    nudged = sent_again = stuck = pending_for = 0
    for due in islice(records.due(now), AT_MOST):
        if due.event_id:
            queue.send_event(due.event_id)
        elif due.tenant_id and not due.pending:
            line = Line(created=now, id=new_id(), kind="sweep", text="a deadline has come")
            records.nudge(due.tenant_id, now, line=line)
            queue.send_tenant(due.tenant_id)
            nudged += 1
            continue
        elif due.tenant_id:
            queue.send_tenant(due.tenant_id)
        records.put_off(due, retry_at=now + seconds_before(due.attempts + 1))
        sent_again += 1
        stuck += due.attempts >= STUCK
        pending_for = max(pending_for, pending_after(due.attempts))
    return Swept(nudged=nudged, sent_again=sent_again, stuck=stuck, pending_for=pending_for)
