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
class Stands:
    """What holds for a tenant: its page's status and plan, and what its namespace is."""

    status: str
    plan: str | None
    tenant: str


def stands(truth: Truth, item: Item, now: float) -> Stands:
    """The table of the lifecycle, its first line that fits.

    Args:
        truth: Stripe's own.
        item: the record: what only we know (Free, holds, the checkout, deadlines that began when
            something was first seen).
        now: epoch seconds.
    """
    billed = _billed(truth, item, now)
    if item.get("hold"):
        return Stands(billed.status, billed.plan, "suspended")
    if item.get("phase") == "deleting":
        return Stands("canceled", billed.plan, "absent")
    if truth.disputes and billed.tenant == "running":
        return Stands(billed.status, billed.plan, "suspended")
    return billed


def _billed(truth: Truth, item: Item, now: float) -> Stands:  # noqa: PLR0911 - a row each
    counts, ready = truth.counts, item.get("ready_since") is not None
    up = "active" if ready else "provisioning"
    if counts and counts.live:
        if counts.entitled:
            return Stands(up, counts.plan, "running")
        grace = item.get("grace_until")
        if counts.status == "past_due" and not counts.paused and (grace is None or now < grace):
            return Stands("past_due", counts.plan, "running")
        return Stands("past_due", counts.plan, "suspended")
    if free_stands(item, now):
        return Stands(up, "free", "running")
    bought = item.get("checkout")
    if bought and bought.get("session_id") and bought["session_id"] == item.get("paid_session"):
        return Stands("provisioning", bought["plan_id"], "as it was")
    ended = ended_at(truth, item)
    if ended is not None:
        free_last = _free_end(item) is not None and _free_end(item) == ended
        plan = "free" if free_last or counts is None else counts.plan
        kept = now < ended + RETENTION or any(s.status == "incomplete" for s in truth.subs)
        return Stands("canceled", plan, "suspended" if kept else "absent")
    return Stands("none", None, "absent")


def page(truth: Truth, item: Item, now: float, *, there: bool) -> dict[str, Any]:
    """What a customer reads once nothing is under way; `there` is whether the namespace is."""
    row, counts, ended = stands(truth, item, now), truth.counts, ended_at(truth, item)
    live = counts if counts and counts.live else None
    free = live is None and free_stands(item, now)
    until = None if ended is None else ended + RETENTION
    kept = row.status == "canceled" and until is not None and now < until
    fails = live is not None and live.status in {"past_due", "unpaid"}
    state = {"running": "ready", "suspended": "suspended" if there else "none", "absent": "none"}
    return {
        "active": row.tenant == "running",
        "planId": row.plan,
        "status": row.status,
        "currentPeriodEnd": _iso(item["free_until"] if free else live and live.period_end),
        "cancelAtPeriodEnd": free or bool(live and live.ends),
        "paymentProblem": {"actBy": _iso(item.get("grace_until"))} if fails else None,
        "dataKeptUntil": _iso(until) if kept else None,
        "state": state.get(row.tenant, "any"),
    }


def _iso(at: int | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def free_stands(item: Item, now: float) -> bool:
    """Whether the Free grant holds."""
    free = item.get("free")
    return bool(free and free.get("ended_at") is None and now < item["free_until"])


def _free_end(item: Item) -> int | None:
    free = item.get("free")
    return (free.get("ended_at") or item["free_until"]) if free else None


def ended_at(truth: Truth, item: Item) -> int | None:
    """When the last thing that gave a tenant ended; only asked where none stands."""
    counts = truth.counts
    ends: Iterable[int | None] = (counts.ended_at if counts else None, _free_end(item))
    return max((e for e in ends if e is not None), default=None)
