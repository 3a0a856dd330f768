"""What must hold at every moment; seen as it happens."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from chalicelib.gateways.wire import loaded
from sandbox.kubernetes.requests import Request
from tests.simulation import oracle
from tests.simulation.account import Delivery
from tests.simulation.deadlines import Deadlines
from tests.simulation.deployment import PLAN_OF

STANDING = ("hold", "phase", "ready_since", "checkout", "paid_session")
"""What of a record says how a tenant stands, besides what Stripe says."""


Written = tuple[float, Any, tuple[oracle.Due, oracle.Due]]
"""When a record was written, as what, and what its deadlines were then."""

SUSPENDED = re.compile(rb'arm-engine\.io/suspended"\s*:\s*"(true|false)"')


class Watch:
    """Sees everything that happens; tells the world what is wrong."""

    def __init__(self, world: Any) -> None:
        self._world = world
        self.dirty = False
        self.truths: dict[str, list[tuple[float, oracle.Truth]]] = {
            c.tenant_id: [(0.0, oracle.Truth())] for c in world.customers.values()
        }
        self.records: dict[str, list[Written]] = {
            c.tenant_id: [(0.0, None, (oracle.Due(), oracle.Due()))]
            for c in world.customers.values()
        }
        self.deadlines = {
            c.tenant_id: Deadlines(world, c.tenant_id) for c in world.customers.values()
        }
        self.transitions: Counter[str] = Counter()
        self.statuses: Counter[str] = Counter()
        self._stood: dict[str, str] = {}
        self._told: set[str] = set()
        self._matched: dict[str, list[tuple[float, int]]] = {}
        self._owners: dict[str, str] = {}

    # Stripe.

    def owner_of_customer(self, customer_id: str | None) -> str | None:
        """Whose customer this is, or was."""
        if customer_id is None:
            return None
        if customer_id not in self._owners:
            found = self._world.account.ledger.tables["customer"].get(customer_id)
            if found is None:
                return None
            self._owners[customer_id] = found["metadata"].get("tenant_id", "")
        return self._owners[customer_id] or None

    def truth(self, tenant_id: str) -> oracle.Truth:
        """Everything at Stripe that is this tenant's, as it is now."""
        subs = [
            oracle.sub(s, PLAN_OF)
            for s in self._world.account.ledger.tables["subscription"].values()
            if self._world.owner_of(s) == tenant_id
        ]
        said: dict[str, set[str]] = {"open": set(), "lost": set()}
        appealed: set[str] = set()
        for each in self._world.disputes_of(tenant_id):
            said.setdefault(oracle.verdict(each["status"]), set()).add(each["id"])
            if each["status"].startswith("appeal_"):
                appealed.add(each["id"])
        return oracle.Truth(
            *(tuple(subs), frozenset(said["open"]), frozenset(said["lost"]), frozenset(appealed))
        )

    def look(self) -> None:
        """Take down what is true now, if anything happened at Stripe."""
        if not self.dirty:
            return
        self.dirty = False
        for customer_id in self._world.account.ledger.tables["customer"]:
            self.owner_of_customer(customer_id)
        for tenant_id, known in self.truths.items():
            now = self.truth(tenant_id)
            if now != known[-1][1]:
                known.append((self._world.scheduler.now, now))
                self._never_twice(tenant_id, now)
                self.deadlines[tenant_id].changed(now)

    def _never_twice(self, tenant_id: str, truth: oracle.Truth) -> None:
        live = [
            s.id for s in truth.subs if s.may_be_paid and s.ours and s.id not in self._world.by_hand
        ]
        if len(live) > 1:
            self._world.wrong(f"{self._name(tenant_id)} pays twice: {', '.join(live)}")

    def asked_stripe(self, method: str, path: str) -> None:
        """After a call that changes something."""
        self.look()
        if method == "POST" and path == "/v1/customers":
            for tenant_id in self.truths:
                if len(found := self._customers(tenant_id)) > 1:
                    self._world.wrong(f"{self._name(tenant_id)} is two customers: {found}")
        if method == "POST" and path.startswith("/v1/subscriptions/"):
            self._paused_for_a_reason(path.rsplit("/", 1)[1])
        if method == "POST" and path == "/v1/checkout/sessions":
            self._not_sold_to_whom_we_stop()
            self._not_beside_what_is_made_by_hand()
            for tenant_id in self.truths:
                payable = self.payable(tenant_id)
                if len(payable) > 1:
                    self._world.wrong(
                        f"{self._name(tenant_id)} could pay twice: {', '.join(payable)} are open"
                    )

    def _not_sold_to_whom_we_stop(self) -> None:
        """Nobody is sold what they would not be given: who was stopped before they clicked."""
        strand = self._world.scheduler.current
        who = strand and self._world.customers.get(strand.activity.tenant)
        if not strand or who is None:
            return
        records = _since(self.records[who.tenant_id], strand.activity.since)
        if all(item and ("hold" in item or "disputes" in item) for _, item, _ in records):
            self._world.wrong(f"{who.name} is sold something while they are stopped")

    def _paused_for_a_reason(self, subscription_id: str) -> None:
        """Only whom we stop is charged nothing; an operator's hold says whether it does that."""
        sub = self._world.account.ledger.tables["subscription"].get(subscription_id)
        tenant_id = sub and self._world.owner_of(sub)
        if (
            not tenant_id
            or sub["pause_collection"] is None
            or sub["id"] in self._world.paused_by_hand
        ):
            return
        began, _ = self.deadlines[tenant_id].under_way()
        truths, records = self.truths[tenant_id], _since(self.records[tenant_id], began)
        disputed = any(t.disputes or t.lost for _, t in _since(truths, began))
        held = any(item and _unbilled(item) for _, item, _ in records)
        if not disputed and not held:
            self._world.wrong(f"{self._name(tenant_id)} is not charged any more, for no reason")

    def _not_beside_what_is_made_by_hand(self) -> None:
        """Stripe is asked before each sale, so what was there before the click is known."""
        strand = self._world.scheduler.current
        who = strand and self._world.customers.get(strand.activity.tenant)
        if who is None:
            return
        known = self.truths[who.tenant_id]
        before = [truth for at, truth in known if at < strand.activity.since]
        then, now = before[-1:], known[-1][1]
        there = {s.id for truth in then for s in truth.subs if s.may_be_paid and s.ours}
        both = there & {s.id for s in now.subs if s.may_be_paid} & self._world.by_hand
        if both:
            self._world.wrong(f"{who.name} has {min(both)}, made by hand, and is sold another")

    def _customers(self, tenant_id: str) -> list[str]:
        """Whom a second customer could be confused with.

        One that was never written down, since we died at that moment, is made again a day later,
        when Stripe has forgotten the key: nothing hangs on the first.
        """
        long_ago = self._world.scheduler.now - 23 * 3600
        return [
            c["id"]
            for c in self._world.account.ledger.tables["customer"].values()
            if c["metadata"].get("tenant_id") == tenant_id
            and c["id"] not in self._world.ghosts
            and (c["created"] > long_ago or self._is_written_down(c["id"]))
        ]

    def _is_written_down(self, customer_id: str) -> bool:
        return (f"CUSTOMER#{customer_id}", "TENANT") in self._world.table.items

    def payable(self, tenant_id: str) -> list[str]:
        """The sessions that somebody could pay now."""
        now = self._world.scheduler.now
        return [
            s["id"]
            for s in self._world.account.ledger.all("checkout.session", status="open")
            if self._world.owner_of(s) == tenant_id
            and s["id"] not in self._world.ghosts  # whose address nobody was told
            and s["expires_at"] > now
            and s["customer"] in self._world.account.ledger.tables["customer"]
        ]

    # The record.

    def written(self, tenant_id: str, before: Any, after: Any) -> None:
        """Every write of a record."""
        deadlines = self.deadlines[tenant_id]
        if deadlines.too_soon_to_forget(before, after):
            self._world.wrong(f"{self._name(tenant_id)}'s checkout is forgotten, and not over")
        deadlines.written(before, after)
        self.records[tenant_id].append((self._world.scheduler.now, after, deadlines.both))
        was, now = _phase(before), _phase(after)
        if before and "grace_until" in before and "grace_until" in after:
            moved = before["grace_until"] != after["grace_until"]
            if moved:
                self._world.wrong(f"{self._name(tenant_id)}'s grace has moved while it runs")
        if before is None or before["version"] != after["version"]:
            self._note_status(tenant_id, after)
        if now != was:
            self._world.tell(f"    {self._name(tenant_id)}'s tenant is {now}")
            self.transitions[f"{was} -> {now}"] += 1
            if now == "deleting":
                self._claimed(tenant_id, loaded(before))

    def _note_status(self, tenant_id: str, item: Any) -> None:
        """For the coverage: what the page would say after each decision that changes it."""
        known = loaded({name: item[name] for name in STANDING if name in item})
        truth, due = self.truths[tenant_id][-1][1], self.deadlines[tenant_id].late
        stands = oracle.stands(truth, known, due, self._world.scheduler.now)
        now, was = f"{stands.status}/{stands.tenant}", self._stood.get(tenant_id, "none/absent")
        if now != was:
            self._stood[tenant_id] = now
            self.statuses[f"{was} -> {now}"] += 1

    def _claimed(self, tenant_id: str, item: Mapping[str, Any]) -> None:
        self.look()
        name, now = self._name(tenant_id), self._world.scheduler.now
        paid = self._bought(tenant_id)
        if paid:
            self._world.wrong(f"{name}'s deletion is claimed, and {paid} is paid for")
        if self.truth(tenant_id).unread and any(s in self._told for s in self._unread(tenant_id)):
            self._world.wrong(f"{name}'s deletion is claimed, and something unread is charged")
        due = self.deadlines[tenant_id].early
        moment = now + 1 + self._world.history.weather.skew
        stands = oracle.stands(self.truth(tenant_id), item, due, moment)
        if stands.tenant not in {"absent", "as it was"}:
            self._world.wrong(f"{name}'s deletion is claimed, and it should be {stands.tenant}")
        told = {(item.get("checkout") or {}).get("session_id"), *self._world.tabs(tenant_id)}
        # One that is being made at this moment is shown to nobody: it meets the claim.
        if payable := told.intersection(self.payable(tenant_id)):
            self._world.wrong(f"{name}'s deletion is claimed, and {min(payable)} can still be paid")

    def _bought(self, tenant_id: str) -> str | None:
        """A live subscription of which we know, or could: one made by hand is known by its event."""
        for each in self.truth(tenant_id).subs:
            if (
                each.live
                and each.ours
                and (each.id not in self._world.by_hand or each.id in self._told)
            ):
                return each.id
        return None

    def _unread(self, tenant_id: str) -> list[str]:
        return [s.id for s in self.truth(tenant_id).subs if s.live and s.odd]

    def swept(self, before: Any, after: Any) -> None:
        """Every write of how far undelivered events have been looked at."""
        was, now = (int(item["swept_until"]["N"]) if item else 0 for item in (before, after))
        if now + 2 * self._world.history.weather.skew < was:
            self._world.wrong(f"the sweep's cursor goes {was - now} s back")

    def charged(self, invoice: Any) -> None:
        """Somebody has paid for a new period: whom we have stopped is not asked to."""
        tenant_id = self._world.owner_of(invoice)
        if tenant_id is None or not invoice["amount_due"]:
            return
        item = self._world.item(tenant_id) or {}
        stopped = (item.get("stood") or {}).get("stopped_by")
        seen = item.get("nudged") == item.get("reconciled")
        unbilled = stopped == "dispute" or (item.get("hold") or {}).get("pause_billing")
        renews = invoice["billing_reason"] == "subscription_cycle"
        if stopped and unbilled and renews and seen and not self._delayed(tenant_id):
            self._world.wrong(f"{self._name(tenant_id)} is charged, and stopped by a {stopped}")

    def _delayed(self, tenant_id: str) -> bool:
        return any(d.tenant_id == tenant_id for d in self._world.account.unseen())

    # The cluster.

    def asked_the_cluster(self, request: Request) -> None:
        """Every request to it, as it arrives."""
        self._bounds_come_first(request)
        self._neither_too_soon_nor_too_late(request)
        if request.method != "DELETE" or not request.path.startswith("/api/v1/namespaces/arm-"):
            return
        tenant_id = request.path.rsplit("-", 1)[1]
        name = self._name(tenant_id)
        if request.path.count("/") == 4 and _phase(self.records[tenant_id][-1][1]) != "deleting":
            self._world.wrong(f"{name}'s namespace is deleted without a claim")
        paid = self._bought(tenant_id)
        if paid:
            self._world.wrong(f"{name}'s namespace is deleted, and {paid} is paid for")

    def _neither_too_soon_nor_too_late(self, request: Request) -> None:
        """A tenant is stopped, or runs again, for a reason that held since somebody looked."""
        told = SUSPENDED.search(request.body) if request.method == "PATCH" else None
        if told is None or not request.path.startswith("/api/v1/namespaces/arm-"):
            return
        tenant_id = request.path.rsplit("-", 1)[1]
        wanted = "suspended" if told[1] == b"true" else "running"
        found = self._world.namespace(tenant_id) or {"metadata": {}}
        known = found["metadata"].get("annotations", {}).get("arm-engine.io/suspended", "true")
        if known == told[1].decode():
            return
        self.look()
        began, now = self.deadlines[tenant_id].under_way()
        truths = _since(self.truths[tenant_id], began)
        records = _since(self.records[tenant_id], began)
        could = {
            row.tenant
            for _, truth in truths
            for _, item, both in records
            if item
            for seen in _seen(truth, loaded(item))
            for moment in (began, now + 1)
            for row in oracle.alike(*seen, both, moment)
        }
        if wanted not in could:
            name = self._name(tenant_id)
            self._world.wrong(f"{name}'s tenant is made {wanted}, should be {' or '.join(could)}")

    def _bounds_come_first(self, request: Request) -> None:
        parts = request.path.split("/")
        if request.method != "PATCH" or "deployments" not in parts or "namespaces" not in parts:
            return
        namespace = parts[parts.index("namespaces") + 1]
        bounds = {"ResourceQuota": "plan", "NetworkPolicy": "deny-all"}
        for kind, name in bounds.items():
            if self._world.stored(kind, name, namespace) is None:
                self._world.wrong(f"{namespace} gets a Deployment before its {kind}")

    # Answers.

    def answered(self, path: str, status: int, answer: Any) -> None:
        """Every answer of the API to a customer."""
        if status == 500:
            self._world.wrong(f"{path} answers 500: {answer}")

    def acknowledged(self, delivery: Delivery, sent: set[str]) -> None:
        """Stripe was told that an event is taken care of."""
        if delivery.type == "customer.subscription.created":
            self._told.add(delivery.about)
        if delivery.tenant_id and not sent & {delivery.tenant_id, delivery.event}:
            self._world.wrong(f"{delivery.event} was acknowledged, and its key was not sent")

    def has_read(self, who: Any, began: float, answer: Mapping[str, Any]) -> None:
        """A status that a customer read was true of some moment, and not before an earlier one."""
        self.look()
        truths, records = self.truths[who.tenant_id], self.records[who.tenant_id]
        matched = self._matched.setdefault(who.tenant_id, [])
        first = max((i for end, i in matched if end <= began), default=0)
        now = self._world.scheduler.now
        stood = [(item and loaded(item), both) for _, item, both in _since(records, began)]
        skew = self._world.history.weather.skew + 1
        for i in range(first, len(truths)):
            for item, both in stood:
                for moment in {began - skew, began, now, now + skew}:
                    if self._true(answer, truths[i][1], item, both, moment):
                        matched.append((now, i))
                        return
        told = f"{answer['status']} ({answer['planId']})"
        self._world.wrong(f"{who.name} reads {told}, which was never true")

    def _true(
        self,
        answer: Mapping[str, Any],
        truth: oracle.Truth,
        item: Any,
        both: tuple[oracle.Due, oracle.Due],
        moment: float,
    ) -> bool:
        if item is None:
            return bool(answer["status"] == "none")
        return any(
            answer["status"] == stands.status
            and (stands.status in {"canceled", "none"} or answer["planId"] == stands.plan)
            for stands in oracle.alike(truth, item, both, moment)
        )

    def _name(self, tenant_id: str) -> str:
        return str(self._world.name_of(tenant_id))


def _unbilled(item: Any) -> bool:
    return bool(
        (loaded({"hold": item["hold"]})["hold"] if "hold" in item else {}).get("pause_billing")
    )


def _phase(item: Any) -> str:
    return str(item["phase"]["S"]) if item and "phase" in item else "absent"


def _since(moments: list[Any], began: float) -> list[Any]:
    """What held at `began`, and all that came after it."""
    return [
        each
        for i, each in enumerate(moments)
        if not (i + 1 < len(moments) and moments[i + 1][0] < began)
    ]


def _seen(truth: oracle.Truth, item: dict[str, Any]) -> list[tuple[oracle.Truth, dict[str, Any]]]:
    """What somebody who looks can know: disputes are known by their events only.

    A checkout that was paid is taken off by the look that finds what came of it.
    """
    told = {*item.get("disputes", ()), *item.get("lost_disputes", ())}
    known = replace(truth, disputes=truth.disputes & told, lost=truth.lost & told)
    without = {name: value for name, value in item.items() if name != "checkout"}
    return [(known, item), (known, without)]
