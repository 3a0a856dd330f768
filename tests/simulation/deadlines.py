"""How long: what only time ends, reckoned from when the world saw it begin; not from the record.

What begins while a process is at it began between that process's start and its write. So each end is
a window, as wide as a process takes and two clocks differ: before it nothing may have happened yet,
and soon after it everything must have.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tests.simulation import oracle
from tests.simulation.deployment import PLAN_OF
from tests.simulation.oracle import Due

World = Any
Raw = Mapping[str, Any] | None
"""A record as the table has it, in DynamoDB's typed values."""

FREE_LASTS = 30 * oracle.DAY
CHECKOUT_LASTS = oracle.DAY
"""Seconds; as plans.toml and docs/lifecycle.md say."""

SOON = 120.0
"""Seconds after an end in which the sweep's minute and the work itself have passed."""

LAST_TRIES = 24
FAILING = frozenset({"past_due", "unpaid"})


class Deadlines:
    """Of one tenant: the earliest and the latest that each can be."""

    def __init__(self, world: World, tenant_id: str) -> None:
        self._world = world
        self._tenant_id = tenant_id
        self.early = self.late = Due()

    @property
    def both(self) -> tuple[Due, Due]:
        """The earliest and the latest."""
        return self.early, self.late

    def written(self, before: Raw, after: Raw) -> None:
        """See in a write of the record that something has begun, or was stopped by somebody."""
        began, now = self.under_way()
        if _inner(after, "free") and not _inner(before, "free"):
            self._set("free", began + FREE_LASTS, now + FREE_LASTS)
        elif _inner(after, "free", "ended_at") and not _inner(before, "free", "ended_at"):
            self._stopped(began, now)
        if _fails(after) != _fails(before):
            if _fails(after):
                self._set("grace", began + oracle.GRACE, now + oracle.GRACE)
            else:
                self.early = replace(self.early, grace=None)
                self.late = replace(self.late, grace=None)
        self._seen(after, began, now)
        nonce = _inner(after, "checkout", "nonce")
        if nonce and nonce != _inner(before, "checkout", "nonce"):
            self._set("checkout", began + CHECKOUT_LASTS, now + CHECKOUT_LASTS)

    def _seen(self, after: Raw, began: float, now: float) -> None:
        """What a look has found: that a plan is paid for, or an end without a time."""
        known = _inner(after, "billing", "subscription", "id")
        status = _inner(after, "billing", "subscription", "status")
        if known and status in {"active", "trialing"}:
            product = _inner(after, "billing", "subscription", "product_id")
            self._both(paid={known: PLAN_OF.get(product or "")})
        elif known not in self.late.paid:
            self._both(paid={})  # of the one that counts only: it is what the record can tell
        if known and status == "canceled" and known not in self.late.seen_ended:
            sub = self._world.account.ledger.tables["subscription"].get(known)
            if sub is None or sub["ended_at"] is None:
                self.early = replace(self.early, seen_ended={**self.early.seen_ended, known: began})
                self.late = replace(self.late, seen_ended={**self.late.seen_ended, known: now})
                self.look_soon_after(now + oracle.RETENTION)

    def lifted(self, lost: frozenset[str]) -> None:
        """An operator has lifted a hold, and knew of these disputes."""
        self._both(lifted=self.late.lifted | lost)

    def _both(self, **known: Any) -> None:
        self.early, self.late = replace(self.early, **known), replace(self.late, **known)

    def changed(self, truth: oracle.Truth) -> None:
        """What is true at Stripe now has to be seen soon, and an end that it names leads on."""
        self.look_soon_after(self._world.scheduler.now)
        if truth.counts and truth.counts.ended_at:
            self.look_soon_after(truth.counts.ended_at + oracle.RETENTION)

    def under_way(self) -> tuple[float, float]:
        """When what is being done has begun, at the earliest, and ends, at the latest."""
        strand, now = self._world.scheduler.current, self._world.scheduler.now
        skew = self._world.history.weather.skew
        since = strand.activity.since if strand else now
        return since - skew - 1, now + skew

    def _stopped(self, began: float, now: float) -> None:
        """By its owner's click; the worker only writes down that it has run out."""
        strand = self._world.scheduler.current
        if strand and strand.activity.kind == "api":
            self._set("free", began, now)

    def _set(self, name: str, early: float, late: float) -> None:
        self.early = replace(self.early, **{name: early})
        self.late = replace(self.late, **{name: late})
        self.look_soon_after(late)

    def look_soon_after(self, end: float, tries: int = 0) -> None:
        """See to it that what an end leads to has happened soon after it."""
        if tries < LAST_TRIES:
            again = lambda: self._look(end, tries)  # noqa: E731 - a moment's action
            self._world.scheduler.at(max(end, self._world.scheduler.now) + SOON, again)

    def _look(self, end: float, tries: int) -> None:
        world, tenant_id = self._world, self._tenant_id
        world.watch.look()
        if self._is_in_the_way():
            wait = SOON * min(2**tries, 15)
            self.look_soon_after(world.scheduler.now + wait, tries + 1)
            return
        item = world.item(tenant_id)
        truth, now = world.watch.truth(tenant_id), world.scheduler.now
        wanted = {s.tenant for s in oracle.alike(truth, item, self.both, now)}
        stands = self._tenant()
        if stands == "absent" and "suspended" in wanted and item.get("ready_since") is None:
            return  # nothing is made to be suspended
        if stands not in wanted and "as it was" not in wanted:
            name, when = world.name_of(tenant_id), round(now - end)
            world.wrong(f"{name} is {stands} {when} s after it should be {' or '.join(wanted)}")
        if truth.counts and truth.counts.status in FAILING and self.early.grace is None:
            world.wrong(f"{world.name_of(tenant_id)}'s failed payment has not been seen")
        self._checkout_is_forgotten(item, now)

    def _checkout_is_forgotten(self, item: Mapping[str, Any], now: float) -> None:
        known = item.get("checkout")
        if known is None or self.late.checkout is None:
            return
        sessions = self._world.account.ledger.tables["checkout.session"]
        session = sessions.get(known.get("session_id"))
        end = session["expires_at"] if session else self.late.checkout
        if now < end + SOON:
            self.look_soon_after(end)
        else:
            name = self._world.name_of(self._tenant_id)
            self._world.wrong(f"{name}'s checkout ended {round(now - end)} s ago, and is kept")

    def _is_in_the_way(self) -> bool:
        """Whether something keeps the product from having done what is due, as the world knows."""
        world, tenant_id = self._world, self._tenant_id
        if world.live or world.queue.messages or tenant_id in world.foreign:
            return True
        item = world.item(tenant_id)
        if item is None or item.get("failure") or item["nudged"] > item.get("reconciled", 0):
            return True
        if item.get("due_at", world.scheduler.now + 1) <= world.scheduler.now:
            return True
        return any(d.tenant_id == tenant_id for d in world.account.unseen())

    def _tenant(self) -> str:
        found = self._world.namespace(self._tenant_id)
        if found is None:
            return "absent"
        stopped = found["metadata"].get("annotations", {}).get("arm-engine.io/suspended") == "true"
        return "suspended" if stopped else "running"

    def too_soon_to_forget(self, before: Raw, after: Raw) -> bool:
        """Whether the worker forgets a checkout that somebody can still pay, or could be given."""
        nonce = _inner(before, "checkout", "nonce")
        strand = self._world.scheduler.current
        if nonce is None or nonce == _inner(after, "checkout", "nonce"):
            return False
        if strand is None or strand.activity.kind != "worker":
            return False
        tables = self._world.account.ledger.tables
        _, now = self.under_way()
        session = tables["checkout.session"].get(_inner(before, "checkout", "session_id"))
        ends = session["expires_at"] if session else self.early.checkout
        return not (
            now + 1 >= (ends or 0)
            or _inner(after, "phase") == "deleting"
            or _inner(before, "customer_id") not in tables["customer"]
            or (session and session["status"] != "open")
            or (session is None and bool(_inner(before, "hold") or _inner(before, "disputes")))
            or any(s["metadata"].get("checkout") == nonce for s in tables["subscription"].values())
        )


def _fails(item: Raw) -> bool:
    return _inner(item, "billing", "subscription", "status") in FAILING


def _inner(item: Raw, *names: str) -> str | None:
    """What stands at a place of a record; None if nothing does."""
    found: Any = {"M": item or {}}
    for name in names:
        found = found.get("M", {}).get(name)
        if found is None or "NULL" in found:
            return None
    ((kind, value),) = found.items()
    return kind if kind == "M" else str(value)
