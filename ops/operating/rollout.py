"""A changed catalogue, brought to every tenant at a bounded rate.

Nothing is remembered between runs: a tenant that has what the catalogue says now needs nothing, so
a rollout that was stopped goes on where it was when it is run again.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from chalicelib.domain import tenant
from chalicelib.domain.catalogue import Catalogue
from chalicelib.domain.decision import standing_of
from chalicelib.domain.record import Record
from ops.desk import Desk
from ops.operating.acting import nudge

AT_ONCE = 20
"""Tenants under way at most, whatever the rate: a worker that is slow is not buried."""

GLANCE = 0.2
"""Seconds between two looks at the tenants that are under way."""


@dataclass(slots=True)
class Progress:
    """How far it is; told after each step."""

    to_do: int
    nudged: int = 0
    done: int = 0
    failed: list[str] = field(default_factory=list)
    under_way: list[str] = field(default_factory=list)


def outdated(record: Record, now: int, catalogue: Catalogue, stage: str) -> bool:
    """Whether what stands in the cluster is not what the catalogue says now.

    A tenant that is pending anyway, absent, or being deleted has no need of a nudge.
    """
    standing = standing_of(record, now, catalogue, stage)
    if standing.wanted not in {"running", "suspended"} or record.phase in {None, "deleting"}:
        return False
    plan = catalogue.plan(standing.plan_id or "")
    if plan is None or record.pending:
        return False
    suspended = standing.wanted == "suspended"
    wanted = tenant.objects(catalogue, record.tenant_id, plan, suspended=suspended)
    return record.applied != tenant.revision(wanted)


def tenants(desk: Desk) -> list[Record]:
    """Whom a rollout is about."""
    now, catalogue, stage = desk.now, desk.catalogue, desk.stage
    return [r for r in desk.records.all() if outdated(r, now, catalogue, stage)]


def roll_out(  # noqa: PLR0913 - the bounds that an operator sets
    desk: Desk,
    todo: list[Record],
    *,
    per_second: float,
    most_failures: int,
    patience: float,
    tell: Callable[[Progress], None],
) -> Progress:
    """Nudge one after the other, and see each through.

    Args:
        desk: where.
        todo: `tenants`, or some of them.
        per_second: how many are nudged in a second at most.
        most_failures: with one more, nobody else is nudged; what is under way is seen through.
        patience: seconds to wait, after the last nudge, for what is under way.
        tell: called after each step.
    """
    progress = Progress(to_do=len(todo))
    for record in todo:
        if len(progress.failed) > most_failures:
            break
        while len(progress.under_way) >= AT_ONCE:
            time.sleep(GLANCE)  # records can only be read again
            _look(desk, progress)
            tell(progress)
        begun = time.monotonic()
        nudge(desk, record.tenant_id, "rollout of the catalogue")
        progress.nudged += 1
        progress.under_way.append(record.tenant_id)
        _look(desk, progress)
        tell(progress)
        # The rate that the operator has set, whatever the nudge itself took.
        time.sleep(max(0, 1 / per_second - (time.monotonic() - begun)))
    end = time.monotonic() + patience
    while progress.under_way and time.monotonic() < end:
        _look(desk, progress)
        tell(progress)
        time.sleep(GLANCE if progress.under_way else 0)  # as above
    return progress


def _look(desk: Desk, progress: Progress) -> None:
    for tenant_id, record in list(_settled(desk, progress.under_way)):
        progress.under_way.remove(tenant_id)
        if record and record.failure and record.failure.permanent:
            progress.failed.append(tenant_id)
        else:
            progress.done += 1


def _settled(desk: Desk, under_way: list[str]) -> Iterator[tuple[str, Record | None]]:
    for tenant_id in under_way:
        record = desk.records.read(tenant_id)
        if record is None or not record.pending:
            yield tenant_id, record
