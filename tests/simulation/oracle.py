"""What should be, worked out from Stripe's own objects and the lifecycle table; not by our code."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from math import inf
from typing import Any

HEALTH = ("active", "trialing", "past_due", "paused", "unpaid")
SETTLED = frozenset({"won", "warning_closed", "prevented"})
"""Of disputes: what is over without a loss. A word that nobody knows is no such word."""

DAY = 86_400
RETENTION = 30 * DAY
GRACE = 7 * DAY
OURS = "arm-engine-dev-"
"""How our products' ids begin, also of plans that have left the shop."""

DEARER = ("free", "basic", "team", "pro")
"""The plans, the cheapest first."""

Item = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Sub:
    """A subscription as Stripe has it.

    Attributes:
        plan: what it is for; None where that cannot be told.
        odd: whether it is not what we sell: another quantity than one, several plans, or none.
        ours: whether it came from a checkout of ours, or is for a product of ours, sold or not.
    """

    id: str
    status: str
    plan: str | None
    odd: bool
    created: int
    ended_at: int | None
    ends: bool
    period_end: int
    ours: bool = True

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
        """Whether it is paid for. Whoever is charged nothing for a while keeps what they have."""
        return self.status in {"active", "trialing"}

    @property
    def fails(self) -> bool:
        """Whether money did not come."""
        return self.status in {"past_due", "unpaid"}


@dataclass(frozen=True, slots=True)
class Truth:
    """Everything of one tenant at Stripe at one moment.

    Attributes:
        disputes: those for which money was taken, and which are not decided.
        lost: those that a bank has decided against us.
        appealed: those of the first that were lost before.
    """

    subs: tuple[Sub, ...] = ()
    disputes: frozenset[str] = frozenset()
    lost: frozenset[str] = frozenset()
    appealed: frozenset[str] = frozenset()

    @property
    def counts(self) -> Sub | None:
        """The healthiest that lives, the oldest of them; else the last that ended."""
        ours = [s for s in self.subs if s.ours]
        live = [s for s in ours if s.live]
        if live:
            return min(live, key=_health)
        ended = [s for s in ours if s.status == "canceled"]
        return max(ended, key=lambda s: (s.ended_at or s.created, s.id), default=None)

    @property
    def unread(self) -> bool:
        """Whether something is charged that is not what we sell."""
        return any(s.live and s.odd for s in self.subs)


def _health(sub: Sub) -> tuple[Any, ...]:
    return sub.status == "paused", HEALTH.index(sub.status), sub.odd, sub.created, sub.id


def sub(found: Any, plan_of: Mapping[str, str]) -> Sub:
    """One of the ledger's."""
    lines = found["items"]["data"]
    ours = [line for line in lines if plan_of.get(line["price"]["product"]) and line["quantity"]]
    plans = {plan_of[line["price"]["product"]] for line in ours}
    plan = next(iter(plans)) if len(plans) == 1 else None
    left = [
        line
        for line in lines
        if line["price"]["product"].startswith(OURS)
        and line["quantity"]
        and not plan_of.get(line["price"]["product"])
    ]
    counts = ours[0] if plan else lines[0]
    return Sub(
        id=found["id"],
        status=found["status"],
        plan=plan,
        odd=plan is None or [line["quantity"] for line in ours] != [1] or bool(left),
        created=found["created"],
        ended_at=found["ended_at"],
        ends=bool(found["cancel_at_period_end"] or found["cancel_at"]),
        period_end=found["cancel_at"] or counts["current_period_end"],
        ours="checkout" in found["metadata"]
        or any(line["price"]["product"].startswith(OURS) for line in lines),
    )


def verdict(status: str) -> str:
    """What a dispute's status means: open, inquiry, lost or over."""
    if status == "lost" or status in SETTLED:
        return "lost" if status == "lost" else "over"
    return "inquiry" if status.startswith("warning_") else "open"


@dataclass(frozen=True, slots=True)
class Due:
    """When what only time ends is over (epoch seconds); None where nothing of the kind has begun.

    Attributes:
        grace: of the payment that failed.
        free: of the Free grant, whether it ran out or was stopped.
        checkout: of the open checkout.
        seen_ended: by subscription, when an end was seen that Stripe names no time for.
        paid: by subscription, the plan that it was for when it was last seen paid for.
        lifted: the lost disputes for which an operator has lifted a hold.
    """

    grace: float | None = None
    free: float | None = None
    checkout: float | None = None
    seen_ended: Mapping[str, float] = field(default_factory=dict)
    paid: Mapping[str, str | None] = field(default_factory=dict)
    lifted: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Stands:
    """What holds for a tenant: its page's status and plan, and what its namespace is.

    Attributes:
        stopped_by: what suspends it although it is paid for: `hold` or `dispute`.
    """

    status: str
    plan: str | None
    tenant: str
    active: bool = False
    stopped_by: str | None = None


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
    if is_held(truth, item, due):
        gone = "absent" if item.get("phase") == "deleting" else "suspended"
        return replace(billed, tenant=gone, active=False, stopped_by="hold")
    if item.get("phase") == "deleting":
        return Stands("canceled", billed.plan, "absent")
    if truth.disputes and billed.tenant == "running":
        return replace(billed, tenant="suspended", active=False, stopped_by="dispute")
    if billed.tenant == "running" and billed.plan is None:
        return replace(billed, tenant="as it was")
    return billed


def is_held(truth: Truth, item: Item, due: Due) -> bool:
    """Whether an operator holds it, or a dispute was lost and no operator has looked at it since."""
    by_hand = bool(item.get("hold")) and item["hold"].get("dispute_id") is None
    return by_hand or was_lost(truth, item, due)


def was_lost(truth: Truth, item: Item, due: Due) -> bool:
    """Whether a verdict holds it: an appeal lifts nothing before it is won."""
    held_for = (item.get("hold") or {}).get("dispute_id")
    return bool(truth.lost - due.lifted) or held_for in truth.appealed


def _billed(truth: Truth, item: Item, due: Due, now: float) -> Stands:
    counts, ready = truth.counts, item.get("ready_since") is not None
    up = "active" if ready else "provisioning"
    if counts and counts.live:
        plan = _given(counts, due)
        if counts.entitled:
            return Stands(up, plan, "running", active=True)
        in_grace = due.grace is None or now < due.grace
        runs = counts.status == "past_due" and in_grace
        return Stands("past_due", plan, "running" if runs else "suspended", active=runs)
    if due.free is not None and now < due.free:
        return Stands(up, "free", "running", active=True)
    bought = item.get("checkout")
    if bought and bought.get("session_id") and bought["session_id"] == item.get("paid_session"):
        return Stands("provisioning", bought["plan_id"], "as it was")
    ended = ended_at(truth, due)
    if ended is not None:
        plan = "free" if counts is None or due.free == ended else counts.plan
        pays = any(s.ours and s.status == "incomplete" for s in truth.subs)
        kept = now < ended + RETENTION or pays
        return Stands("canceled", plan, "suspended" if kept or truth.unread else "absent")
    return Stands("none", None, "absent")


def _given(counts: Sub, due: Due) -> str | None:
    """What stands is what is paid for: a dearer plan waits for its money."""
    paid = due.paid.get(counts.id)
    if counts.fails and paid and counts.plan and DEARER.index(paid) < DEARER.index(counts.plan):
        return paid
    return counts.plan


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
    fails = live is not None and live.fails
    state = {"running": "ready", "suspended": "suspended" if there else "none", "absent": "none"}
    period = live and live.period_end
    return {
        "active": row.active,
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
    ended = None
    if counts and not counts.live:
        # One that ends at no named time ends when that is seen: until then, not yet.
        ended = counts.ended_at or due.seen_ended.get(counts.id, inf)
    ends: Iterable[float | None] = (ended, due.free)
    return max((e for e in ends if e is not None), default=None)
