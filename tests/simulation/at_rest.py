"""What must hold once everything has come to rest: Stripe, record, cluster, timeline and page."""

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
FREE_LASTS = 30 * oracle.DAY
"""Seconds; as plans.toml says."""

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
        _record_is_true(world, customer.name, item, truth)
        _cluster_is_right(world, customer, item, truth)
        _page_is_true(world, customer, item, truth)
        _paid_once(world, customer)
        _tried_once(world, customer)
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
        counts.ended_at,
        counts.period_end,
        counts.ends,
    )
    if seen != real:
        world.wrong(f"{name}'s record says {seen}, Stripe says {real}")
    billing = item["billing"]
    beside = {s.id for s in truth.subs if s.live} - {counts.id if counts else ""}
    if set(billing.get("duplicates", ())) != beside:
        world.wrong(f"{name} has {beside} beside, the record says {billing.get('duplicates')}")
    if bool(billing.get("incomplete")) != any(s.status == "incomplete" for s in truth.subs):
        world.wrong(f"{name}'s first payment is not under way as the record says")
    free = item.get("free")
    if free and item["free_until"] - free["started_at"] != FREE_LASTS:
        world.wrong(f"{name}'s Free lasts {item['free_until'] - free['started_at']} s")
    if set(item.get("disputes", ())) != truth.disputes:
        world.wrong(f"{name}'s disputes are {sorted(truth.disputes)}, the record differs")
    ended = oracle.ended_at(truth, item)
    stands = (counts and counts.live) or oracle.free_stands(item, world.scheduler.now)
    due = None if stands or ended is None else ended + oracle.RETENTION
    if item.get("retention_until") != due:
        world.wrong(f"{name}'s data are kept until {item.get('retention_until')}, not {due}")
    if bool(item.get("grace_until")) != bool(counts and counts.status in {"past_due", "unpaid"}):
        world.wrong(f"{name}'s grace is {item.get('grace_until')}")
    elif item.get("grace_until"):
        since = item["grace_until"] - oracle.GRACE
        failing = [
            a <= since + 5 and since - 5 <= b
            for (a, t), (b, _) in zip(
                world.watch.truths[world.customers[name].tenant_id],
                [
                    *world.watch.truths[world.customers[name].tenant_id][1:],
                    (world.scheduler.now + 1e6, None),
                ],
                strict=True,
            )
            if any(s.status in {"past_due", "unpaid"} for s in t.subs)
        ]
        if not any(failing):
            world.wrong(f"{name}'s grace does not begin with a payment that failed")


def _cluster_is_right(
    world: World, customer: Any, item: Mapping[str, Any], truth: oracle.Truth
) -> None:
    stands = oracle.stands(truth, item, world.scheduler.now)
    found = world.namespace(customer.tenant_id)
    name = customer.name
    if item.get("failure"):
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
    told = {name: value for name, value in said.items() if name != "tenant"}
    told["state"] = said["tenant"]["state"]
    true = oracle.page(truth, item, now, there=world.namespace(customer.tenant_id) is not None)
    if true["state"] == "any":
        true["state"] = told["state"]
    if told != true:
        wrong = {name: (told[name], true[name]) for name in true if told[name] != true[name]}
        world.wrong(f"{customer.name}'s page is not true (said, should be): {wrong}")


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


def _paid_once(world: World, customer: Any) -> None:
    """No two of a customer's checkouts charged for the same time."""
    spans = []
    for each in world.account.ledger.all("invoice", status="paid"):
        of = each["parent"]["subscription_details"]["subscription"]
        if world.owner_of(each) == customer.tenant_id and of not in world.by_hand:
            line = each["lines"]["data"][0]["period"]
            sub = world.account.ledger.tables["subscription"][of]
            end = min(line["end"], sub["ended_at"] or line["end"])
            spans.append((line["start"], end, of))
    spans.sort()
    for (_, end, a), (start, _, b) in pairwise(spans):
        if start < end and a != b:
            world.wrong(f"{customer.name} paid {a} and {b} for the same time")


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
        if finding.kind != "two subscriptions":
            world.wrong(f"the audit finds: {finding.kind}: {finding.text}")


def free_answer(world: World, customer: Any, verb: str) -> int | str:
    """What whoever starts or stops Free at rest has to be answered."""
    item, truth = world.item(customer.tenant_id) or {}, world.watch.truth(customer.tenant_id)
    if verb == "stop-free":
        return 202 if oracle.free_stands(item, world.scheduler.now) else "nothing_to_stop"
    if any(s.may_be_paid for s in truth.subs):
        return "already_subscribed"
    return "free_used" if item.get("free") else 202


def could_buy(world: World, customer: Any, answers: Sequence[Any]) -> None:
    """Whoever has nothing can buy, whoever has something cannot buy again."""
    counts = world.watch.truth(customer.tenant_id).counts
    under_way = any(s.status == "incomplete" for s in world.watch.truth(customer.tenant_id).subs)
    wanted: int | str = "payment_processing" if under_way else 200
    if counts and counts.live:
        wanted = "already_subscribed"
    if wanted not in answers:
        world.wrong(f"{customer.name} wants to buy and is answered {answers}")
    if wanted != 200 and 200 in answers:
        world.wrong(f"{customer.name} has a subscription and is sold another")
