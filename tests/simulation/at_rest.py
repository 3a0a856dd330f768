"""What must hold once everything has come to rest: Stripe, record, cluster, timeline and page."""

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from chalicelib.domain import tenant
from chalicelib.domain.drift import differences
from chalicelib.domain.status import status_of
from tests.simulation import oracle
from tests.simulation.deployment import CATALOGUE, PLAN_OF, TRIALS

World = Any
MANAGED = ("ResourceQuota", "LimitRange", "ServiceAccount", "NetworkPolicy", "Role", "RoleBinding",
           "Deployment", "ConfigMap")  # fmt: skip
THEIRS = frozenset({"default", "kube-root-ca.crt", "own"})
"""What Kubernetes, and the customer, have in a namespace."""


def check(world: World) -> None:
    """Stripe, record, cluster and timeline say the same."""
    world.watch.look()
    if world.broken:
        return
    granted = 0
    for customer in world.customers.values():
        item = world.item(customer.tenant_id)
        if item is None:
            if world.namespace(customer.tenant_id) is not None:
                world.wrong(f"{customer.name} has a namespace and no record")
            continue
        truth = world.watch.truth(customer.tenant_id)
        granted += bool(item.get("free") and item["free"].get("ended_at") is None)
        both = world.watch.deadlines[customer.tenant_id].both
        if len(oracle.alike(truth, item, both, world.scheduler.now)) > 1:
            continue  # an end is at this very second
        _record_is_true(world, customer.name, item, truth)
        _cluster_is_right(world, customer, item, truth)
        _page_is_true(world, customer, item, truth)
        _nobody_is_charged_for_nothing(world, customer, item, truth)
        _paid_once(world, customer)
        _tried_once(world, customer)
        _transitions_are_told(world, customer, item, truth)
    count = world.table.items.get(("FREE", "COUNT"), {}).get("standing", {"N": "0"})
    if int(count["N"]) != granted:
        world.wrong(f"{granted} Free grants stand, and {count['N']} are counted")
    _timeline_is_whole(world)


def _record_is_true(world: World, name: str, item: Mapping[str, Any], truth: oracle.Truth) -> None:
    counts, known = truth.counts, item["billing"].get("subscription")
    seen = known and (known["id"], known["status"], known["ended_at"], known["current_period_end"],
                      known["cancel_at_period_end"])  # fmt: skip
    real = counts and (
        counts.id,
        counts.status,
        counts.ended_at or (known and known["ended_at"]),
        counts.period_end,
        counts.ends,
    )
    if seen != real:
        world.wrong(f"{name}'s record says {seen}, Stripe says {real}")
    billing = item["billing"]
    beside = {s.id for s in truth.subs if s.live and s.ours} - {counts.id if counts else ""}
    if set(billing.get("duplicates", ())) != beside:
        world.wrong(f"{name} has {beside} beside, the record says {billing.get('duplicates')}")
    if bool(billing.get("incomplete")) != any(
        s.ours and s.status == "incomplete" for s in truth.subs
    ):
        world.wrong(f"{name}'s first payment is not under way as the record says")
    if set(item.get("disputes", ())) != truth.disputes:
        world.wrong(f"{name}'s disputes are {sorted(truth.disputes)}, the record differs")
    if bool(billing.get("unread")) != truth.unread:
        world.wrong(f"{name} is charged for what is not ours: {truth.unread}, the record differs")
    _deadlines_are_true(world, name, item, truth)


def _deadlines_are_true(
    world: World, name: str, item: Mapping[str, Any], truth: oracle.Truth
) -> None:
    """The days that the record has are those that we have reckoned ourselves."""
    counts, now = truth.counts, world.scheduler.now
    early, late = world.watch.deadlines[world.customers[name].tenant_id].both
    fails = counts is not None and counts.fails
    stands = (counts is not None and counts.live) or oracle.free_stands(late, now)
    ends = [oracle.ended_at(truth, due) for due in (early, late)]
    due = {
        "free_until": (early.free, late.free),
        "grace_until": (early.grace, late.grace) if fails else (None, None),
        "retention_until": [None if stands or e is None else e + oracle.RETENTION for e in ends],
    }
    if (item.get("free") or {}).get("ended_at"):
        del due["free_until"]  # until when it would have been
    for what, (first, last) in due.items():
        kept = item.get(what)
        if kept is None or first is None or last is None:
            if kept is not None or last is not None:
                world.wrong(f"{name}'s {what} is {kept}, should be {last}")
        elif not first <= kept <= last:
            world.wrong(f"{name}'s {what} is {kept}, should be from {first} to {last}")


def _cluster_is_right(
    world: World, customer: Any, item: Mapping[str, Any], truth: oracle.Truth
) -> None:
    due = world.watch.deadlines[customer.tenant_id].late
    stands = oracle.stands(truth, item, due, world.scheduler.now)
    found = world.namespace(customer.tenant_id)
    name = customer.name
    if item.get("failure") and not _cannot_be_served(stands, item):
        world.wrong(f"{name}'s record still tells of a failure: {item['failure']['reason']}")
    if stands.tenant == "absent":
        if found is not None:
            world.wrong(f"{name}'s tenant should be gone ({stands.status}), and stands")
        return
    if stands.tenant == "as it was":
        return
    if found is None:
        never = stands.tenant == "suspended" and item.get("ready_since") is None
        if not never:
            world.wrong(f"{name} should have a tenant that is {stands.tenant}, and has none")
        return
    _objects_are_right(world, customer, item, stands)


def _objects_are_right(
    world: World, customer: Any, item: Mapping[str, Any], stands: oracle.Stands
) -> None:
    name = customer.name
    plan = CATALOGUE.plan(stands.plan or "")
    if plan is None:
        _workload_is_right(world, customer, stands.tenant)  # it is stopped as it stands
        return
    wanted = tenant.objects(
        CATALOGUE, customer.tenant_id, plan, suspended=stands.tenant == "suspended"
    )
    for manifest in wanted:
        if wrong := differences(manifest, _real(world, manifest)):
            world.wrong(f"{name} on {stands.plan} ({stands.tenant}): {wrong[0]}")
            return
    _nothing_else(world, customer, wanted)
    _workload_is_right(world, customer, stands.tenant)
    if item.get("phase") != stands.tenant or item.get("applied") != tenant.revision(wanted):
        world.wrong(f"{name}'s tenant is {stands.tenant}, the record says {item.get('phase')}")


def _real(world: World, manifest: Mapping[str, Any]) -> Any:
    metadata = manifest["metadata"]
    return world.stored(manifest["kind"], metadata["name"], metadata.get("namespace", ""))


def _nothing_else(world: World, customer: Any, wanted: Sequence[Mapping[str, Any]]) -> None:
    names = {(m["kind"], m["metadata"]["name"]) for m in wanted}
    for kind in MANAGED:
        for each in world.all_stored(kind, customer.namespace):
            name = each["metadata"]["name"]
            if name not in THEIRS and (kind, name) not in names:
                world.wrong(f"{customer.name} has a {kind} {name} too many")


def _workload_is_right(world: World, customer: Any, stands: str) -> None:
    """What the customer runs is stopped with the tenant, and comes back in its size."""
    if stands == "suspended" and (pods := world.all_stored("Pod", customer.namespace)):
        world.wrong(f"{customer.name} is suspended, and {len(pods)} pods run")
    own = world.stored("Deployment", "own", customer.namespace)
    if own is None:
        return
    size = own["spec"]["replicas"]
    if size != (customer.runs if stands == "running" else 0):
        world.wrong(f"{customer.name} runs {size} pods, of {customer.runs}: {stands}")


def _page_is_true(
    world: World, customer: Any, item: Mapping[str, Any], truth: oracle.Truth
) -> None:
    """Every word that the dashboard gets."""
    now = int(world.scheduler.now)
    said = status_of(world.records.read(customer.tenant_id), now, CATALOGUE, "dev")
    told = {name: value for name, value in said.items() if name not in {"tenant", "over"}}
    told["state"] = said["tenant"]["state"]
    told["paymentProblem"] = said["paymentProblem"] and said["paymentProblem"]["actBy"]
    both = world.watch.deadlines[customer.tenant_id].both
    there = world.namespace(customer.tenant_id) is not None
    true = oracle.page(truth, item, both, world.scheduler.now, there=there)
    wrong = {name: (told[name], true[name]) for name in true if not _agree(told[name], true[name])}
    if wrong or told.keys() != true.keys():
        world.wrong(f"{customer.name}'s page is not true (said, should be): {wrong}")


def _agree(told: Any, true: Any) -> bool:
    if true == "any" or not isinstance(true, tuple):
        return bool(true in {"any", told})
    return told is not None and true[0] <= told <= true[1]


def _tried_once(world: World, customer: Any) -> None:
    """A trial is had once, by the first purchase that has one."""
    ledger = world.account.ledger
    sold = [
        (ledger.tables["subscription"][session["subscription"]], order["lines"][0][0]["product"])
        for session_id, order in ledger.orders.items()
        if (session := ledger.tables["checkout.session"][session_id])["subscription"]
        and world.owner_of(session) == customer.tenant_id
    ]
    sold.sort(key=lambda pair: pair[0]["created"])
    tried = [sub["id"] for sub, _ in sold if sub["trial_start"]]
    first = next((sub for sub, product in sold if TRIALS.get(PLAN_OF[product])), None)
    if len(tried) > 1:
        world.wrong(f"{customer.name} has tried twice: {', '.join(tried)}")
    if first is not None and not tried:
        world.wrong(f"{customer.name} was charged at once for {first['id']}, and never had a trial")


def _cannot_be_served(stands: oracle.Stands, item: Mapping[str, Any]) -> bool:
    """It is paid for, nothing runs, and nobody can tell what to give: an operator is told."""
    return stands.active and stands.plan is None and item.get("phase") != "running"


def _nobody_is_charged_for_nothing(
    world: World, customer: Any, item: Mapping[str, Any], truth: oracle.Truth
) -> None:
    """Whom we stop is charged nothing that can be paused, and is sold nothing; what ended is over.

    What somebody else has paused is nobody's to lift but theirs.
    """
    ledger, name = world.account.ledger, customer.name
    due = world.watch.deadlines[customer.tenant_id].late
    stands = oracle.stands(truth, item, due, world.scheduler.now)
    by_us = bool(truth.disputes) or oracle.was_lost(truth, item, due)
    by_us = by_us or bool((item.get("hold") or {}).get("pause_billing"))
    if _cannot_be_served(stands, item):
        return
    for each in truth.subs:
        found = ledger.tables["subscription"][each.id]
        paused = found["pause_collection"] is not None
        by_hand = each.id in world.paused_by_hand
        if each.live and paused != ((by_us and each.ours) or by_hand):
            how = "is not charged" if paused else "is charged"
            world.wrong(f"{name} {how} for {each.id}: {stands.tenant}, by {stands.stopped_by}")
    if stands.stopped_by and (payable := world.watch.payable(customer.tenant_id)):
        world.wrong(f"{name} is stopped by a {stands.stopped_by}, and could pay {payable[0]}")
    for invoice in ledger.all("invoice", status="open"):
        of = invoice["parent"]["subscription_details"]["subscription"]
        has_ended = truth.counts and truth.counts.id == of and truth.counts.status == "canceled"
        if has_ended and invoice["amount_due"] and world.owner_of(invoice) == customer.tenant_id:
            world.wrong(f"{name} can still pay {invoice['id']} of {of}, which has ended")


def _paid_once(world: World, customer: Any) -> None:
    """No two of a customer's checkouts charged for the same time."""
    spans = []
    for each in world.account.ledger.all("invoice", status="paid"):
        of = each["parent"]["subscription_details"]["subscription"]
        if world.owner_of(each) == customer.tenant_id and of not in world.by_hand:
            line = each["lines"]["data"][0]["period"]
            sub = world.account.ledger.tables["subscription"][of]
            ended = sub["ended_at"] or (sub["canceled_at"] if sub["status"] == "canceled" else None)
            end = min(line["end"], ended or line["end"])
            spans.append((line["start"], end, of))
    spans.sort()
    for (_, end, a), (start, _, b) in pairwise(spans):
        if start < end and a != b:
            world.wrong(f"{customer.name} paid {a} and {b} for the same time")


SAID = re.compile(r"(.+): (\w+); the tenant should be ([a-z ]+), since (.+)")


def _transitions_are_told(
    world: World, customer: Any, item: Mapping[str, Any], truth: oracle.Truth
) -> None:
    """The timeline's last word on how it stands is how it stands."""
    due = world.watch.deadlines[customer.tenant_id].late
    stands = oracle.stands(truth, item, due, world.scheduler.now)
    said = ("no plan", "none", "absent")
    lines = [
        (sk, line["text"]["S"])
        for (pk, sk), line in world.table.items.items()
        if pk == f"TENANT#{customer.tenant_id}" and sk.startswith("LINE#")
    ]
    told = [found for _, text in sorted(lines) if (found := SAID.fullmatch(text))]
    if told:
        said = told[-1].groups()[:3]
    if _cannot_be_served(stands, item):
        return
    if said != (stands.plan or "no plan", stands.status, stands.tenant):
        world.wrong(f"{customer.name}'s timeline last says {said}, and it is {stands}")


def _timeline_is_whole(world: World) -> None:
    lines: dict[str, int] = {}
    for pk, sk in world.table.items:
        if sk.startswith("LINE#"):
            event = sk.rsplit("#", 1)[1]
            lines[f"{pk} {event}"] = lines.get(f"{pk} {event}", 0) + 1
    for delivery in world.account.deliveries.values():
        tenant_id = delivery.tenant_id
        if tenant_id and lines.get(f"TENANT#{tenant_id} {delivery.event}") != 1:
            world.wrong(
                f"{delivery.type} {delivery.event} is not in {world.name_of(tenant_id)}'s timeline"
            )


def audited(world: World, report: Any) -> None:
    """Our own audit finds nothing; a second subscription made by hand is told, and stays."""
    if report is None:
        world.wrong("the audit does not come to its end")
        return
    for finding in report.findings:
        of = world.watch.truth(finding.tenant_id) if finding.tenant_id else oracle.Truth()
        told = {"two subscriptions", "unread subscription"} if of.unread else {"two subscriptions"}
        if finding.kind not in told:
            world.wrong(f"the audit finds: {finding.kind}: {finding.text}")


def free_answer(world: World, customer: Any, verb: str) -> int | str:
    """What whoever starts or stops Free at rest has to be answered."""
    item, truth = world.item(customer.tenant_id) or {}, world.watch.truth(customer.tenant_id)
    if verb == "stop-free":
        due = world.watch.deadlines[customer.tenant_id].late
        return 202 if oracle.free_stands(due, world.scheduler.now) else "nothing_to_stop"
    if truth.counts and truth.counts.live:
        return "already_subscribed"
    if any(s.may_be_paid and s.ours for s in truth.subs):
        return "payment_processing"
    if why := _stopped(world, customer):
        return why
    return "free_used" if item.get("free") else 202


def _stopped(world: World, customer: Any) -> str | None:
    """Why somebody is not sold to who could not be served."""
    item, truth = world.item(customer.tenant_id) or {}, world.watch.truth(customer.tenant_id)
    if oracle.is_held(truth, item, world.watch.deadlines[customer.tenant_id].late):
        return "workspace_held"
    return "payment_disputed" if truth.disputes else None


def could_buy(world: World, customer: Any, answers: Sequence[Any]) -> None:
    """Whoever has nothing can buy, whoever has something cannot buy again."""
    counts = world.watch.truth(customer.tenant_id).counts
    subs = world.watch.truth(customer.tenant_id).subs
    under_way = any(s.ours and s.status == "incomplete" for s in subs)
    wanted: int | str = "payment_processing" if under_way else _stopped(world, customer) or 200
    if counts and counts.live:
        wanted = "already_subscribed"
    if wanted not in answers:
        world.wrong(f"{customer.name} wants to buy and is answered {answers}")
    if wanted != 200 and 200 in answers:
        world.wrong(f"{customer.name} has a subscription and is sold another")
