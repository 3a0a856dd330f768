"""What customers do, and what is done about them at Stripe. An act that does not fit the moment comes to nothing."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sandbox.stripe import cards, changes, checkout, customers, disputes, money, subscriptions
from sandbox.stripe.errors import Refusal
from tests.simulation import operators, requests
from tests.simulation.deployment import PLAN_OF
from tests.simulation.history import GOOD, Act

World = Any
Customer = Any
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
            if sold != plan:
                world.wrong(f"{who.name} asks for {plan} and is sold {sold}")

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
        changes.switch(world.account.ledger, mine, line, world.account.prices[plan])


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
        disputes.begin(world.account.ledger, charge)


def end_dispute(world: World, who: Customer, verdict: str) -> None:
    """The bank has decided."""
    for each in world.disputes_of(who.tenant_id):
        disputes.move(world.account.ledger, each, verdict)


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
pause_collection = _portal(
    lambda ledger, mine: ledger.change(
        subscriptions.UPDATED, mine, pause_collection={"behavior": "void", "resumes_at": None}
    )
)
resume_collection = _portal(
    lambda ledger, mine: ledger.change(subscriptions.UPDATED, mine, pause_collection=None)
)


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
