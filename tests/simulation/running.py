"""One history from its first act to the last look."""

from typing import Any

from chalicelib import wiring
from tests.simulation import acts, at_rest, operators, requests
from tests.simulation.history import START
from tests.simulation.in_place import in_place

World = Any
PROBED, AUDITED = 3, 4
"""Every so manyth history ends with a purchase by everybody, or with our own audit."""

PATIENCE = 4 * 3600
"""Seconds in which everything must come to rest once nothing disturbs it."""


def live_through(world: World) -> None:
    """Live through the history, let the dust settle, and look."""
    with in_place(world):
        try:
            for act in world.history.acts:
                world.scheduler.run(START + act.at)
                if world.broken:
                    return
                world.who = act.who
                world.tell(str(act))
                acts.carry_out(world, act)
                world.watch.look()
                world.account.wake()
            world.scheduler.run(world.scheduler.now + 30)
            _calm_down(world)
            _look(world)
            if world.history.later and not world.broken:
                world.scheduler.run(world.scheduler.now + world.history.later)
                _look(world)
            if world.history.seed % PROBED == 1 and not world.broken:
                _probe(world)
        finally:
            _end(world)


def _calm_down(world: World) -> None:
    world.tell("from now on nothing goes wrong")
    world.outside.heal()
    for act in world.put_right:
        act()
    world.queue.redrive()
    owed = [d for d in world.account.deliveries.values() if not d.delivered]
    if world.history.seed % 3 == 0:
        # Stripe has given up on what it could not deliver: the sweep has to ask for it.
        world.tell(f"Stripe delivers nothing any more; {len(world.account.give_up())} are owed")
        world.schedule.wake(world.scheduler.now)
    for delivery in owed if not world.account.silent else ():
        requests.deliver(world, delivery)
    world.watch.look()
    world.account.wake()
    _come_to_rest(world)
    for customer in world.customers.values():
        failure = (world.item(customer.tenant_id) or {}).get("failure")
        if failure and failure["permanent"]:
            operators.asks_for_a_look(world, customer)


def _look(world: World) -> None:
    _come_to_rest(world)
    at_rest.check(world)
    if world.history.seed % AUDITED == 1 and not world.broken:
        audit = world.start("audit", None, "at rest", lambda: wiring.audit().run())
        _come_to_rest(world)
        at_rest.audited(world, audit.result)


def _come_to_rest(world: World) -> None:
    until = world.scheduler.now + PATIENCE
    while not world.broken and (disturbed := _disturbed(world)):
        moment = world.scheduler.next_moment()
        if moment is None or moment > until:
            world.wrong(f"it never comes to rest: {disturbed}")
            return
        world.scheduler.run(moment, ahead=until)


def _disturbed(world: World) -> str | None:  # noqa: PLR0911 - a reason each
    if world.live:
        return "something is still running"
    if world.queue.messages:
        return f"{len(world.queue.messages)} messages in the queue"
    late = [d.type for d in world.account.unseen()]
    if late:
        return f"events that were never delivered: {', '.join(late)}"
    for (pk, sk), item in world.table.items.items():
        if sk == "PENDING":
            return f"{pk} is still kept"
        if sk == "RECORD":
            nudged, reconciled = (
                int(item.get(n, {"N": "0"})["N"]) for n in ("nudged", "reconciled")
            )
            if nudged > reconciled:
                name = world.names[pk.removeprefix("TENANT#")]
                return f"{name} is pending: nudged {nudged}, reconciled {reconciled}"
            due = int(item.get("due_at", {"N": "9" * 12})["N"])
            if due <= world.scheduler.now:
                return f"{pk} is due since {world.scheduler.now - due:.0f} s"
    return None


def _probe(world: World) -> None:
    """In the end everybody can buy who has nothing, whatever happened before."""
    for customer in world.customers.values():
        answers: list[Any] = []
        for _ in range(3):
            if answers and answers[-1] == 200:
                break
            path = "/api/subscriptions/create-checkout-session"
            requests.ask(
                    world,
                customer, "POST", path, {"planId": "basic"},
                lambda status, body, a=answers: a.append(
                    status if status != 409 else body["error"]["code"]
                ),
            )  # fmt: skip
            world.scheduler.run(world.scheduler.now + 30)
            _come_to_rest(world)
        at_rest.could_buy(world, customer, answers)
    for customer in world.customers.values():
        for verb in ("start-free", "stop-free"):
            _ask_of_free(world, customer, verb)
    if not world.broken:
        at_rest.check(world)


def _ask_of_free(world: World, customer: Any, verb: str) -> None:
    wanted, answers = at_rest.free_answer(world, customer, verb), list[Any]()
    requests.ask(
        world, customer, "POST", f"/api/subscriptions/{verb}", None,
        lambda status, body: answers.append(
            status if status == 202 else (body or {}).get("error", {}).get("code")
        ),
    )  # fmt: skip
    world.scheduler.run(world.scheduler.now + 30)
    _come_to_rest(world)
    if answers != [wanted]:
        world.wrong(f"{customer.name} asks to {verb} and is answered {answers}, not {wanted}")


def _end(world: World) -> None:
    for activity in list(world.live):
        activity.killed = True
        activity.ended = True
        for strand in activity._strands:
            strand.kill()
