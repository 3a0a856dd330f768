"""What should be, worked out from Stripe's own objects and the lifecycle table; not by our code."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

HEALTH = ("active", "trialing", "past_due", "paused", "unpaid")
OPEN = frozenset({"needs_response", "under_review"})
DAY = 86_400
RETENTION = 30 * DAY
GRACE = 7 * DAY

Item = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Sub:
    """A subscription as Stripe has it."""

    id: str
    status: str
    paused: bool
    plan: str
    created: int
    ended_at: int | None
    ends: bool
    period_end: int

    @property
    def live(self) -> bool:
        """Whether it has begun and not ended."""
        return self.status in HEALTH

    @property
    def may_be_paid(self) -> bool:
        """Whether it lives, or a bank is still at its first payment."""
        return self.live or self.status == "incomplete"

    @property
    def entitled(self) -> bool:
        """Whether it is paid for."""
        return self.status in {"active", "trialing"} and not self.paused


@dataclass(frozen=True, slots=True)
class Truth:
    """Everything of one tenant at Stripe at one moment."""

    subs: tuple[Sub, ...] = ()
    disputes: frozenset[str] = frozenset()

    @property
    def counts(self) -> Sub | None:
        """The healthiest that lives, the oldest of them; else the last that ended."""
        live = [s for s in self.subs if s.live]
        if live:
            return min(live, key=lambda s: (s.paused, HEALTH.index(s.status), s.created, s.id))
        ended = [s for s in self.subs if s.status == "canceled"]
        return max(ended, key=lambda s: (s.ended_at or 0, s.id), default=None)


def sub(found: Any, plan_of: Mapping[str, str]) -> Sub:
    """One of the ledger's."""
    line = found["items"]["data"][0]
    return Sub(
        id=found["id"],
        status=found["status"],
        paused=found["status"] == "paused" or bool(found["pause_collection"]),
        plan=plan_of[line["price"]["product"]],
        created=found["created"],
        ended_at=found["ended_at"],
        ends=bool(found["cancel_at_period_end"] or found["cancel_at"]),
        period_end=line["current_period_end"],
    )


@dataclass(frozen=True, slots=True)
class Due:
    """When what only time ends is over (epoch seconds); None where nothing of the kind has begun.

    Attributes:
        grace: of the payment that failed.
        free: of the Free grant, whether it ran out or was stopped.
        checkout: of the open checkout.
    """

    grace: float | None = None
    free: float | None = None
    checkout: float | None = None


@dataclass(frozen=True, slots=True)
class Stands:
    """What holds for a tenant: its page's status and plan, and what its namespace is."""

    status: str
    plan: str | None
    tenant: str


def alike(truth: Truth, item: Item, both: tuple[Due, Due], now: float) -> tuple[Stands, ...]:
    """What can be true: which of the two it is where an end is just now, nobody can say."""
    early = stands(truth, item, both[0], now)
    late = early if both[0] == both[1] else stands(truth, item, both[1], now)
    return (early,) if early == late else (early, late)


def stands(truth: Truth, item: Item, due: Due, now: float) -> Stands:
    """The table of the lifecycle, its first line that fits.

    Args:
        truth: Stripe's own.
        item: the record: what only we know (holds, a paid checkout, when it was first ready).
        due: when the grace and the Free grant are over.
        now: epoch seconds.
    """
    billed = _billed(truth, item, due, now)
    if item.get("hold"):
        return Stands(billed.status, billed.plan, "suspended")
    if item.get("phase") == "deleting":
        return Stands("canceled", billed.plan, "absent")
    if truth.disputes and billed.tenant == "running":
        return Stands(billed.status, billed.plan, "suspended")
    return billed


def _billed(truth: Truth, item: Item, due: Due, now: float) -> Stands:
    counts, ready = truth.counts, item.get("ready_since") is not None
    up = "active" if ready else "provisioning"
    if counts and counts.live:
        if counts.entitled:
            return Stands(up, counts.plan, "running")
        in_grace = due.grace is None or now < due.grace
        runs = counts.status == "past_due" and not counts.paused and in_grace
        return Stands("past_due", counts.plan, "running" if runs else "suspended")
    if due.free is not None and now < due.free:
        return Stands(up, "free", "running")
    bought = item.get("checkout")
    if bought and bought.get("session_id") and bought["session_id"] == item.get("paid_session"):
        return Stands("provisioning", bought["plan_id"], "as it was")
    ended = ended_at(truth, due)
    if ended is not None:
        plan = "free" if counts is None or due.free == ended else counts.plan
        kept = now < ended + RETENTION or any(s.status == "incomplete" for s in truth.subs)
        return Stands("canceled", plan, "suspended" if kept else "absent")
    return Stands("none", None, "absent")


Span = tuple[str, str] | None
"""The earliest and the latest that a date may be, as the page writes it."""


def page(
    truth: Truth, item: Item, both: tuple[Due, Due], now: float, *, there: bool
) -> dict[str, Any]:
    """What a customer reads once nothing is under way; `there` is whether the namespace is."""
    row, counts = stands(truth, item, both[1], now), truth.counts
    live = counts if counts and counts.live else None
    free = live is None and free_stands(both[1], now)
    ends = [ended_at(truth, due) for due in both]
    until = [None if end is None else end + RETENTION for end in ends]
    kept = row.status == "canceled" and until[1] is not None and now < until[1]
    fails = live is not None and live.status in {"past_due", "unpaid"}
    state = {"running": "ready", "suspended": "suspended" if there else "none", "absent": "none"}
    period = live and live.period_end
    return {
        "active": row.tenant == "running",
        "planId": row.plan,
        "status": row.status,
        "currentPeriodEnd": _span(*(due.free for due in both)) if free else _span(period, period),
        "cancelAtPeriodEnd": free or bool(live and live.ends),
        "paymentProblem": _span(*(due.grace for due in both)) if fails else None,
        "dataKeptUntil": _span(*until) if kept else None,
        "state": state.get(row.tenant, "any"),
    }


def _span(early: float | None, late: float | None) -> Span:
    if early is None or late is None:
        return None
    first, last = (
        datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") for at in (early, late)
    )
    return first, last


def free_stands(due: Due, now: float) -> bool:
    """Whether the Free grant holds."""
    return due.free is not None and now < due.free


def ended_at(truth: Truth, due: Due) -> float | None:
    """When the last thing that gave a tenant ended; only asked where none stands."""
    counts = truth.counts
    ends: Iterable[float | None] = (counts.ended_at if counts else None, due.free)
    return max((e for e in ends if e is not None), default=None)
