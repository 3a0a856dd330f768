"""What operators and fate do, to one customer or to everybody."""

from dataclasses import replace
from typing import Any

from chalicelib.domain.errors import Conflict
from chalicelib.domain.record import Hold
from chalicelib.domain.timeline import Line
from chalicelib.entrypoints import worker
from sandbox.worker import events
from tests.simulation.deployment import CATALOGUE
from tests.simulation.history import SYSTEMS
from tests.simulation.worker import CONTEXT, TIMEOUT

World = Any
Customer = Any


def a_second_endpoint_is_dead(world: World, _: Customer, lasts: float) -> None:
    """Somebody has left one behind: Stripe lists every event as not delivered to *an* endpoint."""
    world.account.dead_until = max(world.account.dead_until, world.scheduler.now + lasts)


def prices_are_pushed(world: World, _: Customer, plan: str) -> None:
    """`plans push` with a new price: the old one is archived."""
    world.account.push(CATALOGUE.plan(plan))


def outage(world: World, _: Customer, system: str, lasts: float) -> None:
    """A system, or all of them, do not answer."""
    for each in SYSTEMS if system == "everything" else (system,):
        world.outside.take_away(each, world.scheduler.now + lasts)


def deliveries_are_lost(world: World, _: Customer, lasts: float) -> None:
    """Nothing that Stripe sends arrives."""
    world.account.lost_until = world.scheduler.now + lasts


def stripe_delivers_nothing_any_more(world: World, _: Customer) -> None:
    """The endpoint was failing for too long: what is owed can only be asked for."""
    world.account.give_up()


def dead_letters_are_sent_again(world: World, _: Customer) -> None:
    """An operator redrives them."""
    world.queue.redrive()


def stripe_ends_dunning_with(world: World, _: Customer, end: str) -> None:
    """What Stripe is set to do with a subscription that is never paid."""
    world.account.ledger.dunning_end = end


def somebody_takes_the_namespace(world: World, who: Customer, lasts: float) -> None:
    """A namespace of that name, made by somebody else; an operator puts it right in the end."""
    if world.namespace(who.tenant_id) is not None:
        return
    body = b'{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"%s"}}' % (
        who.namespace.encode()
    )
    world.cluster_call("POST", "/api/v1/namespaces", body)
    world.foreign.add(who.tenant_id)

    def put_right() -> None:
        if who.tenant_id in world.foreign:
            world.foreign.discard(who.tenant_id)
            world.cluster_call("DELETE", f"/api/v1/namespaces/{who.namespace}")
            world.cluster.finish_deletions()
            asks_for_a_look(world, who)

    world.put_right.append(put_right)
    world.scheduler.at(world.scheduler.now + lasts, put_right)


def asks_for_a_look(world: World, who: Customer) -> None:
    """A nudge by a person."""

    def work() -> None:
        line = Line(
            created=int(world.scheduler.now), id=world.new_id(), kind="operator", text="a look"
        )
        if world.nudges.nudge(who.tenant_id, int(world.scheduler.now), line=line) != "unknown":
            world.sqs.send_tenant(who.tenant_id)

    world.insist("operator", who, work)


def audit(world: World, _: Customer) -> None:
    """The daily audit, in the middle of everything."""
    event = events.of_schedule("audit", "eu-central-1")
    world.audits += 1
    world.start(
        "audit",
        None,
        f"audit {world.audits}",
        lambda: worker.on_audit(event, CONTEXT),
        limit=TIMEOUT,
    )


PATIENCE = 20
"""Seconds for which an operator tries to hold somebody."""


def holds(world: World, who: Customer, lasts: float, pausing: str) -> None:
    """Suspend by hand, and lift it later."""
    _hold(world, who, held=True, pausing=pausing == "unbilled")
    lift = lambda: _hold(world, who, held=False)  # noqa: E731 - a moment's action
    world.put_right.append(lift)
    world.scheduler.at(world.scheduler.now + lasts, lift)


def lifts(world: World, who: Customer) -> None:
    """Lift whatever holds it: somebody has looked at the dispute that was lost."""
    _hold(world, who, held=False)


def _hold(world: World, who: Customer, *, held: bool, pausing: bool = False) -> None:
    asked = world.scheduler.now

    def work() -> None:
        now = int(world.scheduler.now)
        if held and now - asked > PATIENCE:
            return  # the table was away: whoever wanted it has gone on to something else
        record = world.records.read(who.tenant_id)
        if record is None or bool(record.hold) == held:
            return
        hold = Hold(reason="by hand", since=now, pause_billing=pausing) if held else None
        if not held:
            lost = {*record.disputes, *record.lost_disputes}
            world.watch.deadlines[who.tenant_id].lifted(lost)
        try:
            world.records.save(record, replace(record, hold=hold), nudge_at=now)
        except Conflict:
            world.insist("operator", who, work)
            return
        world.sqs.send_tenant(who.tenant_id)

    world.insist("operator", who, work)


def the_record_is_an_old_one(world: World, who: Customer) -> None:
    """As an older version of the code has left it: what it did not know is not there."""
    key = (f"TENANT#{who.tenant_id}", "RECORD")
    found = world.table.items.get(key)
    if found is not None:
        new = {"attempts", "customer_generation"}
        world.table.items[key] = {
            name: value
            for name, value in found.items()
            if not (name in new and value == {"N": "0"})
        }
