"""What customers, operators and fate do. An act that does not fit the moment comes to nothing."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from chalicelib.domain.errors import Conflict
from chalicelib.domain.record import Hold
from chalicelib.domain.timeline import Line
from sandbox.stripe import cards, checkout, customers, invoices, money, subscriptions
from sandbox.stripe.errors import Refusal
from tests.simulation.history import GOOD, SYSTEMS, Act

World = Any
Customer = Any
_CARD = cards.Card(GOOD, "visa", "4242", 12, 2099)


def subscribe(world: World, who: Customer, plan: str) -> None:
    """Press the button."""

    def then(status: int | None, body: Any) -> None:
        if status == 200:
            who.tabs.append(body["sessionId"])

    path = "/api/subscriptions/create-checkout-session"
    world.ask(who, "POST", path, {"planId": plan}, then)


def subscribe_twice(world: World, who: Customer, plan: str) -> None:
    """A double click, or two devices."""
    subscribe(world, who, plan)
    subscribe(world, who, plan)


def pay(world: World, who: Customer, card: str) -> None:
    """Pay in the newest tab."""
    _pay(world, who, who.tabs[-1:], card)


def pay_in_an_old_tab(world: World, who: Customer, card: str) -> None:
    """Pay in every tab that is open anywhere, the oldest first."""
    _pay(world, who, list(who.tabs), card)


def _pay(world: World, who: Customer, tabs: list[str], card: str) -> None:
    if world.outside.is_away("stripe") or card == "declined":
        return
    for session_id in tabs:
        try:
            session = checkout.complete(
                world.account.ledger, session_id, replace(_CARD, behaviour=card)
            )
        except Refusal as e:
            world.tell(f"the page refuses {who.name}: {e}")
        else:
            world.tell(f"{who.name} has paid {session_id}: {session['subscription']}")


def poll(world: World, who: Customer) -> None:
    """Look at the dashboard."""
    world.read_status(who)


def watch(world: World, who: Customer) -> None:
    """Look at the dashboard, again and again."""
    for n in range(4):
        world.scheduler.at(world.scheduler.now + 3 * n, lambda: world.read_status(who))


def start_free(world: World, who: Customer) -> None:
    """Start the Free plan."""
    world.ask(who, "POST", "/api/subscriptions/start-free")


def stop_free(world: World, who: Customer) -> None:
    """Stop the Free plan."""
    world.ask(who, "POST", "/api/subscriptions/stop-free")


def deploy(world: World, who: Customer, size: int) -> None:
    """Run something of one's own, if one may at the moment."""
    namespace = world.namespace(who.tenant_id) or {"metadata": {}}
    annotations = namespace["metadata"].get("annotations", {})
    if annotations.get("arm-engine.io/suspended") != "false" or who.tenant_id in world.foreign:
        return
    labels = {"app": "own"}
    container = {"name": "own", "image": "registry.test/own"}
    body = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "own"},
        "spec": {
            "replicas": size,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }
    path = f"/apis/apps/v1/namespaces/{who.namespace}/deployments/own"
    world.cluster_call(
        "PATCH",
        f"{path}?fieldManager=customer&force=true",
        json.dumps(body).encode(),
        "application/apply-patch+yaml",
    )
    who.runs = size


def open_portal(world: World, who: Customer) -> None:
    """Go to the billing portal."""
    world.ask(who, "POST", "/api/subscriptions/create-portal-session")


def _mine(world: World, who: Customer, *, live: bool = True) -> Any:
    """The newest subscription of a customer."""
    for each in world.account.ledger.all("subscription"):
        if world.owner_of(each) == who.tenant_id and (
            not live or each["status"] in subscriptions.LIVE
        ):
            return each
    return None


def _portal(act: Callable[[Any, Any], None]) -> Callable[..., None]:
    """An act on the newest live subscription, at Stripe."""

    def run(world: World, who: Customer, *_: Any) -> None:
        mine = _mine(world, who)
        if mine is not None and not world.outside.is_away("stripe"):
            act(world.account.ledger, mine)

    return run


def switch_plan(world: World, who: Customer, plan: str) -> None:
    """Another plan, in the portal."""
    mine = _mine(world, who)
    if mine is not None:
        line = mine["items"]["data"][0]
        subscriptions.switch(
            world.account.ledger, mine, line, world.account.prices[plan], line["quantity"]
        )


def new_card(world: World, who: Customer, card: str) -> None:
    """Another card, tried at once on what is owed."""
    mine, ledger = _mine(world, who), world.account.ledger
    if mine is None or card == "declined" or mine["customer"] not in ledger.tables["customer"]:
        return
    made = cards.payment_method(ledger, replace(_CARD, behaviour=card), mine["customer"])
    ledger.change(subscriptions.UPDATED, mine, default_payment_method=made["id"])
    subscriptions.pay_open(ledger, mine)


def delete_customer(world: World, who: Customer) -> None:
    """Somebody deletes the customer in Stripe's dashboard."""
    ledger = world.account.ledger
    for each in list(ledger.all("customer")):
        if each["metadata"].get("tenant_id") == who.tenant_id:
            customers.delete(ledger, {}, each["id"])


def second_subscription(world: World, who: Customer, plan: str) -> None:
    """Somebody makes a subscription in Stripe's dashboard."""
    ledger = world.account.ledger
    customer_id = (world.item(who.tenant_id) or {}).get("customer_id")
    if customer_id in ledger.tables["customer"]:
        method = cards.payment_method(ledger, _CARD, customer_id)
        line = [(world.account.prices[plan], 1)]
        made = subscriptions.begin(ledger, customer_id, line, method["id"], {})
        world.by_hand.add(made["id"])


def _charge(world: World, who: Customer) -> Any:
    for each in world.account.ledger.all("charge", paid=True):
        if world.owner_of(each) == who.tenant_id:
            return each
    return None


def dispute(world: World, who: Customer) -> None:
    """The cardholder wants the money back."""
    charge = _charge(world, who)
    if charge is not None and not charge["disputed"]:
        invoices.dispute(world.account.ledger, charge)


def end_dispute(world: World, who: Customer, verdict: str) -> None:
    """The bank has decided."""
    for each in world.disputes_of(who.tenant_id):
        invoices.end_dispute(world.account.ledger, each, verdict)


def refund(world: World, who: Customer) -> None:
    """Money back, in Stripe's dashboard."""
    charge = _charge(world, who)
    if charge is not None and not charge["refunded"]:
        money.create_refund(world.account.ledger, {"charge": charge["id"]})


def outage(world: World, _: Customer, system: str, lasts: float) -> None:
    """A system, or all of them, do not answer."""
    for each in SYSTEMS if system == "everything" else (system,):
        world.outside.take_away(each, world.scheduler.now + lasts)


def deliveries_are_lost(world: World, _: Customer, lasts: float) -> None:
    """Nothing that Stripe sends arrives."""
    world.account.lost_until = world.scheduler.now + lasts


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
            operator_asks_for_a_look(world, who)

    world.put_right.append(put_right)
    world.scheduler.at(world.scheduler.now + lasts, put_right)


def operator_asks_for_a_look(world: World, who: Customer) -> None:
    """A nudge by a person."""

    def work() -> None:
        line = Line(
            created=int(world.scheduler.now), id=world.new_id(), kind="operator", text="a look"
        )
        if world.nudges.nudge(who.tenant_id, int(world.scheduler.now), line=line) != "unknown":
            world.sqs.send_tenant(who.tenant_id)

    world.insist("operator", who, work)


def operator_holds(world: World, who: Customer, lasts: float) -> None:
    """Suspend by hand, and lift it later."""
    _hold(world, who, held=True)
    lift = lambda: _hold(world, who, held=False)  # noqa: E731 - a moment's action
    world.put_right.append(lift)
    world.scheduler.at(world.scheduler.now + lasts, lift)


def _hold(world: World, who: Customer, *, held: bool) -> None:
    def work() -> None:
        now = int(world.scheduler.now)
        record = world.records.read(who.tenant_id)
        if record is None or bool(record.hold) == held:
            return
        hold = Hold(reason="by hand", since=now) if held else None
        try:
            world.records.save(record, replace(record, hold=hold), nudge_at=now)
        except Conflict:
            world.insist("operator", who, work)
            return
        world.sqs.send_tenant(who.tenant_id)

    world.insist("operator", who, work)


def the_record_is_an_old_one(world: World, who: Customer) -> None:
    """As an older version of the code has left it: what it did not know is not there."""
    world.make_old(who.tenant_id)


cancel_at_period_end = _portal(
    lambda ledger, mine: subscriptions.set_cancellation(ledger, mine, at_period_end=True)
)
keep_after_all = _portal(
    lambda ledger, mine: subscriptions.set_cancellation(ledger, mine, at_period_end=False)
)
cancel_now = _portal(lambda ledger, mine: subscriptions.cancel(ledger, mine) and None)
pause_collection = _portal(
    lambda ledger, mine: ledger.change(
        subscriptions.UPDATED, mine, pause_collection={"behavior": "void", "resumes_at": None}
    )
)
resume_collection = _portal(
    lambda ledger, mine: ledger.change(subscriptions.UPDATED, mine, pause_collection=None)
)
pause_subscription = _portal(
    lambda ledger, mine: ledger.change(
        subscriptions.UPDATED, mine, status="active" if mine["status"] == "paused" else "paused"
    )
)


def carry_out(world: World, act: Act) -> None:
    """Do it."""
    globals()[act.what](world, world.customers[act.who], *act.how)
