"""What customers do, and what is done about them at Stripe. An act that does not fit the moment comes to nothing."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sandbox.stripe import (
    cards,
    changes,
    checkout,
    customers,
    disputes,
    dunning,
    money,
    sales,
    subscriptions,
)
from sandbox.stripe.errors import Refusal
from tests.simulation import operators, oracle, requests
from tests.simulation.account import ADD_ON, LEFT
from tests.simulation.deployment import PLAN_OF
from tests.simulation.history import GOOD, Act

World = Any
Customer = Any
PORTAL = {
    "proration_behavior": "always_invoice",
    "schedule_at_period_end": None,
    "trial_update_behavior": "continue_trial",
}
"""`features.subscription_update` of our portal's configuration."""

_CARD = cards.Card(GOOD, "visa", "4242", 12, 2099)


def subscribe(world: World, who: Customer, plan: str) -> None:
    """Press the button."""

    def then(status: int | None, body: Any) -> None:
        if status == 200:
            who.tabs.append(body["sessionId"])
            ((price, _),) = world.account.ledger.orders[body["sessionId"]]["lines"]
            sold = PLAN_OF[price["product"]]
            session = world.account.ledger.tables["checkout.session"][body["sessionId"]]
            if world.owner_of(session) != who.tenant_id:
                world.wrong(f"{who.name} is given somebody else's {session['id']}")
            if not price["active"] and price["id"] not in began:
                world.wrong(f"{who.name} is given {session['id']}, whose price was archived before")
            if sold != plan:
                world.wrong(f"{who.name} asks for {plan} and is sold {sold}")

    began = {p["id"] for p in world.account.ledger.all("price", active=True)}
    path = "/api/subscriptions/create-checkout-session"
    requests.ask(world, who, "POST", path, {"planId": plan}, then)


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
    requests.read_status(world, who)


def watch(world: World, who: Customer) -> None:
    """Look at the dashboard, again and again."""
    for n in range(4):
        world.scheduler.at(world.scheduler.now + 3 * n, lambda: requests.read_status(world, who))


def start_free(world: World, who: Customer) -> None:
    """Start the Free plan."""
    requests.ask(world, who, "POST", "/api/subscriptions/start-free")


def stop_free(world: World, who: Customer) -> None:
    """Stop the Free plan."""
    requests.ask(world, who, "POST", "/api/subscriptions/stop-free")


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
    requests.ask(world, who, "POST", "/api/subscriptions/create-portal-session")


def _mine(world: World, who: Customer, *, live: bool = True) -> Any:
    """The newest subscription of a customer."""
    for each in world.account.ledger.all("subscription"):
        is_meant = not live or each["status"] in subscriptions.LIVE
        if is_meant and world.owner_of(each) == who.tenant_id and not _is_foreign(each):
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
    """Another plan, in the portal: it changes no subscription of several items."""
    mine = _mine(world, who)
    if mine is not None and len(mine["items"]["data"]) == 1:
        (line,) = mine["items"]["data"]
        price = world.account.prices[plan]
        if line["price"]["id"] != price["id"]:
            changes.switch_in_portal(world.account.ledger, mine, line, price, PORTAL)


def edit_items(world: World, who: Customer, how: str) -> None:
    """Somebody changes what a subscription is made of, in Stripe's dashboard."""
    mine, prices = _mine(world, who), world.account.prices
    if mine is None or not mine["metadata"].get("checkout"):
        return  # what was made by hand there is put right there
    lines = mine["items"]["data"]
    first = next((x for x in lines if PLAN_OF.get(x["price"]["product"])), lines[0])
    plan = PLAN_OF.get(first["price"]["product"])
    gone = [{"id": x["id"], "deleted": True} for x in lines if x is not first]
    other = prices["pro" if plan == "basic" else "basic"]
    wanted = {
        "an add-on, first": [{"price": prices[ADD_ON]["id"]}],
        "a second plan": [{"price": other["id"]}],
        "five of it": [{"id": first["id"], "quantity": 5}],
        "a plan that left": [{"id": first["id"], "price": prices[LEFT]["id"]}, *gone],
        "only the add-on": [{"id": first["id"], "price": prices[ADD_ON]["id"]}, *gone],
        "put right": [
            {"id": first["id"], "price": prices[plan or "basic"]["id"], "quantity": 1},
            *gone,
        ],
    }[how]
    try:
        sales.update(world.account.ledger, {"items": wanted}, mine["id"])
    except Refusal as e:
        world.tell(f"Stripe refuses: {e}")
    mine["items"]["data"].sort(key=lambda x: x["price"]["product"] != "consulting")


def new_card(world: World, who: Customer, card: str) -> None:
    """Another card, tried at once on what is owed."""
    mine, ledger = _mine(world, who), world.account.ledger
    if mine is None or card == "declined" or mine["customer"] not in ledger.tables["customer"]:
        return
    made = cards.payment_method(ledger, replace(_CARD, behaviour=card), mine["customer"])
    ledger.change(subscriptions.UPDATED, mine, default_payment_method=made["id"])
    dunning.pay_open(ledger, mine)


def delete_customer(world: World, who: Customer) -> None:
    """Somebody deletes the customer in Stripe's dashboard."""
    ledger = world.account.ledger
    for each in list(ledger.all("customer")):
        if each["metadata"].get("tenant_id") == who.tenant_id:
            customers.delete(ledger, {}, each["id"])


def second_subscription(world: World, who: Customer, plan: str) -> None:
    """Somebody makes a subscription in Stripe's dashboard."""
    _begin_by_hand(world, who, plan)


def _begin_by_hand(world: World, who: Customer, plan: str) -> None:
    ledger = world.account.ledger
    customer_id = (world.item(who.tenant_id) or {}).get("customer_id")
    if customer_id in ledger.tables["customer"]:
        method = cards.payment_method(ledger, _CARD, customer_id)
        line = [(world.account.prices[plan], 1)]
        made = subscriptions.begin(ledger, customer_id, line, method["id"], {})
        world.by_hand.add(made["id"])


def sell_something_else(world: World, who: Customer) -> None:
    """Somebody sells the same customer what is no plan of ours, in Stripe's dashboard."""
    counts = world.watch.truth(who.tenant_id).counts
    if counts is not None:  # where nothing of ours ever stood it would count
        _begin_by_hand(world, who, ADD_ON)


def end_something_else(world: World, who: Customer) -> None:
    """And that is over."""
    ledger = world.account.ledger
    for each in list(ledger.all("subscription")):
        of = world.owner_of(each)
        if of == who.tenant_id and each["status"] in subscriptions.LIVE and _is_foreign(each):
            subscriptions.cancel(ledger, each)


def _is_foreign(found: Any) -> bool:
    return not oracle.sub(found, PLAN_OF).ours


def _charge(world: World, who: Customer) -> Any:
    for each in world.account.ledger.all("charge", paid=True):
        if world.owner_of(each) == who.tenant_id:
            return each
    return None


def dispute(world: World, who: Customer, status: str = "needs_response") -> None:
    """The cardholder wants the money back, or asks what it was for."""
    charge = _charge(world, who)
    if charge is not None and not charge["disputed"]:
        disputes.begin(world.account.ledger, charge, status)


def end_dispute(world: World, who: Customer, status: str) -> None:
    """What the bank, or the merchant, does next; and what was lost may be appealed."""
    for each in world.disputes_of(who.tenant_id):
        appeals = status.startswith("appeal")
        if (each["status"] == "lost") == appeals and each["status"] not in oracle.SETTLED:
            disputes.move(world.account.ledger, each, status)


def refund(world: World, who: Customer) -> None:
    """Money back, in Stripe's dashboard."""
    charge = _charge(world, who)
    if charge is not None and not charge["refunded"]:
        money.create_refund(world.account.ledger, {"charge": charge["id"]})


cancel_at_period_end = _portal(
    lambda ledger, mine: subscriptions.set_cancellation(ledger, mine, at_period_end=True)
)
keep_after_all = _portal(
    lambda ledger, mine: subscriptions.set_cancellation(ledger, mine, at_period_end=False)
)
cancel_now = _portal(lambda ledger, mine: subscriptions.cancel(ledger, mine) and None)


def pause_collection(world: World, who: Customer, behavior: str) -> None:
    """The merchant lets somebody off for a while: that is theirs to end."""
    mine = _mine(world, who)
    if mine is not None and mine["pause_collection"] is None:
        paused = {"behavior": behavior, "resumes_at": None}
        world.account.ledger.change(subscriptions.UPDATED, mine, pause_collection=paused)
        world.paused_by_hand.add(mine["id"])


def resume_collection(world: World, who: Customer) -> None:
    """The merchant has it charged again."""
    mine = _mine(world, who)
    if mine is not None:
        world.account.ledger.change(subscriptions.UPDATED, mine, pause_collection=None)
        world.paused_by_hand.discard(mine["id"])


def end_without_a_date(world: World, who: Customer) -> None:
    """It ends, and Stripe names no time: `ended_at` may be null."""
    mine = _mine(world, who)
    if mine is not None:
        ledger = world.account.ledger
        mine |= {"status": "canceled", "ended_at": None, "canceled_at": ledger.now()}
        ledger.emit("customer.subscription.deleted", mine)


def _pause_or_resume(ledger: Any, mine: Any) -> None:
    if mine["status"] == "paused":
        subscriptions.resume(ledger, mine)
    elif mine["status"] in {"active", "trialing"}:
        mine["status"] = "paused"
        ledger.emit("customer.subscription.paused", mine)


pause_subscription = _portal(_pause_or_resume)


def carry_out(world: World, act: Act) -> None:
    """Do it."""
    what = globals().get(act.what) or getattr(operators, act.what)
    what(world, world.customers[act.who], *act.how)
