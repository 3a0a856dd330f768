"""The sweep: whatever has fallen due is looked at, without scanning anything."""

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from chalicelib.domain.backoff import STUCK, pending_after, seconds_before
from chalicelib.domain.timeline import Line

if TYPE_CHECKING:
    from chalicelib.ports import Clock, Due, NewId, Nudges, Queue

AT_MOST = 500
"""Items per sweep; what is left is found by the next one, the longest due first."""

PATIENCE = 20
"""Seconds from the start after which the rest is left to the next sweep: a small function's share
of a CPU, or a table that throttles, makes each item slow, and Stripe has to be asked as well."""


@dataclass(frozen=True, slots=True)
class Failed:
    """One item, and what it failed with."""

    tenant_id: str | None
    event_id: str | None
    error: Exception


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep found: deadlines that passed, and keys that were sent again.

    Attributes:
        stuck: of the latter, how many have been tried for more than about 15 minutes.
        pending_for: seconds that the oldest of the latter has been pending, at the least.
        failed: what could not be nudged or sent; it stays due.
    """

    nudged: int
    sent_again: int
    stuck: int
    pending_for: int
    failed: tuple[Failed, ...] = ()


def sweep(*, records: "Nudges", queue: "Queue", clock: "Clock", new_id: "NewId") -> Swept:
    """Nudge tenants whose deadline passed; send again the keys of work that is still pending.

    What fails is told in the answer, and keeps none of the others from being swept.
    """
    now = int(clock())
    nudged = 0
    sent_again: list[Due] = []
    failed: list[Failed] = []
    for due in islice(records.due(now), AT_MOST):
        try:
            if due.tenant_id and not due.pending:
                line = Line(created=now, id=new_id(), kind="sweep", text="a deadline has come")
                _nudge(due.tenant_id, now, line, records, queue)
                nudged += 1
            else:
                _send_again(due, now, records, queue)
                sent_again.append(due)
        except Exception as e:  # noqa: BLE001 - whatever it is, it is this item's; it is raised later
            failed.append(Failed(due.tenant_id, due.event_id, e))
        if clock() - now > PATIENCE:
            break  # the rest stays due, and the next sweep begins with it
    return Swept(
        nudged=nudged,
        sent_again=len(sent_again),
        stuck=sum(due.attempts >= STUCK for due in sent_again),
        pending_for=max((pending_after(due.attempts) for due in sent_again), default=0),
        failed=tuple(failed),
    )


def _nudge(tenant_id: str, now: int, line: Line, records: "Nudges", queue: "Queue") -> None:
    records.nudge(tenant_id, now, line=line)
    queue.send_tenant(tenant_id)


def _send_again(due: "Due", now: int, records: "Nudges", queue: "Queue") -> None:
    if due.event_id:
        queue.send_event(due.event_id)
    elif due.tenant_id:
        queue.send_tenant(due.tenant_id)
    records.put_off(due, retry_at=now + seconds_before(due.attempts + 1))
