"""A whole life of a shop at Stripe, with everything that was asked and answered on the way."""

# ruff: noqa: N803 - boto3's names
import time
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

import stripe
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from chalicelib import wiring
from chalicelib.gateways.dynamodb import DynamoDb
from chalicelib.gateways.queue import SqsQueue
from ops import plans, webhook
from ops.gateways.billing import Billing
from sandbox.stripe.disputes import begin, move
from sandbox.stripe.state import Stripe
from sandbox.stripe.transport import InMemory
from tests.contract.known import SETTINGS
from tests.life.world import DAY, FAILS_LATER, IS_DISPUTED, World
from tests.simulation.dynamodb import MemoryDynamoDb
from tests.simulation.sqs import MemorySqs

SETTLES, BOUNCES, DECLINED = "000123456789", "000222222227", "4000000000000002"
ALWAYS_ASKS = "4000002760003184"
_PACK, _UNPACK = TypeSerializer(), TypeDeserializer()
HOOK = "https://api.example/api/payments/webhook"


@dataclass(frozen=True)
class Call:
    """One call as it went over the wire; `provoked` where its refusal was wanted."""

    method: str
    path: str
    pairs: list
    status: int
    body: dict
    provoked: bool


class Recorded(Stripe):
    """The stand-in, and every call that it gets."""

    def __init__(self, now):
        super().__init__(now)
        self.calls = []
        self.provoked = False

    def call(self, method, path, pairs=(), headers=None):
        """One call, remembered."""
        pairs = list(pairs)
        answer = super().call(method, path, pairs, headers)
        self.calls.append(Call(method, path, pairs, answer.status, answer.body, self.provoked))
        return answer


class Table:
    """boto3's resource of the table, as far as the world asks it, over the one in memory."""

    def __init__(self, items):
        self._items = items

    def get_item(self, *, Key):
        """One item, or none."""
        found = self._items.get_item(Key={k: _PACK.serialize(v) for k, v in Key.items()})
        return {name: _unpacked(item) for name, item in found.items()}

    def query(self, *, ExpressionAttributeValues, **more):
        """A page of the index."""
        values = {k: _PACK.serialize(v) for k, v in ExpressionAttributeValues.items()}
        found = self._items.query(ExpressionAttributeValues=values, **more)
        return {"Items": [_unpacked(item) for item in found["Items"]]}


def _unpacked(item):
    return {name: _UNPACK.deserialize(value) for name, value in item.items()}


class Shop(World):
    """A whole shop without a socket; what it asks of Stripe is written down."""

    def __init__(self, api):
        self.items, self.messages = MemoryDynamoDb(), MemorySqs(time.time)
        self.catalogue = _catalogue()
        super().__init__(api, None, self.catalogue, Recorded)

    def _connected(self):
        return self.messages, Table(self.items)

    def move_in(self, monkeypatch):
        """Be what the app is wired to."""
        monkeypatch.setattr(wiring, "catalogue", lambda: self.catalogue)
        monkeypatch.setattr(wiring, "payments", lambda: self.payments)
        monkeypatch.setattr(wiring, "cluster", self.gateway)
        monkeypatch.setattr(wiring, "clock", lambda: self.now)
        db, queue = DynamoDb(SETTINGS["TABLE_NAME"], self.items), self.messages
        monkeypatch.setattr(wiring, "_db", lambda: db)
        sent = SqsQueue(SETTINGS["QUEUE_NAME"], queue)
        monkeypatch.setattr(wiring, "queue", lambda: sent)


def _catalogue():
    """As it ships, with everything that can be sold: a trial, a year, a code."""
    shipped = wiring.catalogue()
    changes = {"basic": {"yearly_price": 29000}, "pro": {"trial_days": 14}}
    plans = tuple(replace(plan, **changes.get(plan.id, {})) for plan in shipped.plans)
    product = replace(shipped.product, promotion_codes=True)
    policy = replace(shipped.policy, resolve_duplicates=True)
    return replace(shipped, plans=plans, product=product, policy=policy)


def client_of(world):
    """The official SDK at the shop's account."""
    return stripe.StripeClient("sk_test_1", http_client=InMemory(world.stripe))


def live(world):
    """Everything that happens to a shop at Stripe."""
    sell(world)
    for happens in (
        renew, fail_and_recover, change_in_the_portal, pause, try_first, pay_by_bank,
        ask_for_the_money_back, pay_with_a_code, be_sold_to_by_hand, be_asked_by_the_bank,
        take_several_things, keep_a_change_for_later, leave,
    ):  # fmt: skip
        happens(world, world.customer(happens.__name__.replace("_", "-")))
    try_in_test_mode(world)
    be_refused(world)
    read_everything(world)


def sell(world):
    """The catalogue is pushed again, at another price; an endpoint is made, mended, replaced."""
    client, catalogue = client_of(world), wiring.catalogue()
    named = replace(catalogue.product, name="ARM Engine 2")
    dearer = tuple(replace(p, price=p.price + 100) if p.id == "pro" else p for p in catalogue.plans)
    plans.push(client, replace(catalogue, product=named, plans=dearer), "dev")
    plans.push(client, catalogue, "dev")
    plans.push(client, catalogue, "staging")
    for known, url in ((None, HOOK), ("whsec_1", HOOK + "/new"), (None, HOOK)):
        found = webhook.find(client, "arm-engine-dev")
        todo = webhook.plan(found, url, secret_known=known is not None)
        webhook.carry_out(
            todo, client, url=url, deployment="arm-engine-dev", known=known, store=len
        )


def renew(world, customer):
    """Bought, paid for another month, looked at by an operator."""
    customer.buy()
    world.advance(32 * DAY)
    billing = Billing("sk_test_1", api_base=None)
    billing._client._requestor._client.close()
    billing._client = world.sdk
    assert billing.customer_of(customer.subscription["id"]) == customer.customer_id
    assert billing.everything(customer.customer_id)["charges"]
    assert billing.active_subscriptions()
    assert billing.event(next(world.ledger.all("event", type="invoice.paid"))["id"])
    customer.checkout("pro")


def fail_and_recover(world, customer):
    """A renewal fails, and a new card pays what is owed; then all tries fail."""
    customer.buy(card=FAILS_LATER)
    world.advance(32 * DAY)
    customer.portal("card", card_number="4242424242424242", exp="12/40", cvc="123")
    assert customer.subscription["status"] == "active"
    customer.portal("card", card_number=FAILS_LATER, exp="12/40", cvc="123")
    world.advance(60 * DAY)
    assert customer.subscription["status"] == "canceled"


def change_in_the_portal(world, customer):
    """Up, down, to be ended, and not to be ended after all; then at a date, and at once."""
    customer.buy()
    customer.portal("switch", plan="pro-month")
    customer.portal("switch", plan="basic-month")
    customer.portal("cancel")
    customer.portal("resume")
    world.sdk.subscriptions.update(
        customer.subscription["id"], {"cancel_at": int(world.now()) + 3 * DAY}
    )
    world.settle()
    world.sdk.subscriptions.update(customer.subscription["id"], {"cancel_at": ""})
    customer.portal("cancel")
    world.advance(32 * DAY)
    assert customer.subscription["status"] == "canceled"


def pause(world, customer):
    """Collection is paused in each way, over a renewal, and goes on; then all of it is."""
    customer.buy()
    for behavior in ("void", "mark_uncollectible", "keep_as_draft"):
        world.sdk.subscriptions.update(
            customer.subscription["id"], {"pause_collection": {"behavior": behavior}}
        )
        world.advance(31 * DAY)
    world.sdk.subscriptions.update(customer.subscription["id"], {"pause_collection": ""})
    world.advance(31 * DAY)
    world.sdk.subscriptions.pause(customer.subscription["id"], {"type": "subscription"})
    world.settle()
    world.sdk.subscriptions.resume(customer.subscription["id"])
    world.settle()


def try_first(world, customer):
    """Trials that end: with a card, without one and paused, and before their time."""
    customer.buy()
    (price,) = world.ledger.all("price", lookup_key="arm-engine-dev-pro-month")
    method = customer.subscription["default_payment_method"]
    world.sdk.subscriptions.cancel(
        customer.subscription["id"],
        {"cancellation_details": {"comment": "Another", "feedback": "unused"}},
    )
    about = {"customer": customer.customer_id, "items": [{"price": price["id"]}]}
    made = world.sdk.subscriptions.create({
        **about, "trial_period_days": 5, "metadata": {"a": "b"}, "description": "A trial",
        "trial_settings": {"end_behavior": {"missing_payment_method": "pause"}},
    })  # fmt: skip
    world.advance(6 * DAY)
    assert customer.subscription["status"] == "paused"
    world.sdk.subscriptions.update(
        made.id, {"default_payment_method": method, "metadata": {"a": ""}, "description": ""}
    )
    world.sdk.subscriptions.resume(made.id)
    world.sdk.subscriptions.update(made.id, {"items": [{"id": made["items"].data[0].id,
                                                        "quantity": 2}]})  # fmt: skip
    world.sdk.subscriptions.cancel(made.id)
    again = world.sdk.subscriptions.create({**about, "trial_period_days": 5})
    world.sdk.subscriptions.update(again.id, {"default_payment_method": method, "trial_end": "now"})
    world.settle()


def pay_by_bank(world, customer):
    """A debit that comes, days later, and one that does not."""
    customer.buy(card=BOUNCES)
    world.advance(5 * DAY)
    customer.buy(card=SETTLES)
    world.advance(5 * DAY)
    assert customer.subscription["status"] == "active"


def ask_for_the_money_back(world, customer):
    """Refunds in part and whole; disputes won, lost, and given in to."""
    customer.buy(card=IS_DISPUTED)
    (made,) = world.sdk.disputes.list().data
    charge = next(c for c in world.ledger.all("charge") if c["id"] == made.charge)
    world.sdk.disputes.update(made.id, {"submit": True})
    world.sdk.disputes.update(made.id, {"evidence": {"uncategorized_text": "winning_evidence"}})
    world.settle()
    lost = begin(world.ledger, charge)
    world.sdk.disputes.close(lost["id"])
    for status in ("appeal_needs_response", "appeal_under_review", "lost"):
        move(world.ledger, lost, status)
        world.sdk.disputes.retrieve(lost["id"])
    world.settle()
    world.sdk.refunds.create({"charge": charge["id"], "amount": 100, "metadata": {"a": "b"}})
    world.sdk.refunds.create(
        {"payment_intent": charge["payment_intent"], "reason": "requested_by_customer"}
    )
    world.settle()
    # And a second subscription, which is canceled and refunded by ourselves.
    world.offset += 60
    other = world.customer("twice")
    other.buy()
    (price,) = world.ledger.all("price", lookup_key="arm-engine-dev-pro-month")
    world.offset += 60
    world.sdk.subscriptions.create({
        "customer": other.customer_id, "items": [{"price": price["id"]}],
        "metadata": {"checkout": "nonce-2"},
        "default_payment_method": other.subscription["default_payment_method"],
    })  # fmt: skip
    world.settle()


def pay_with_a_code(world, customer):
    """Something off, and all of it off."""
    for name, off in (("HALF", {"percent_off": 50}), ("LESS", {"amount_off": 100,
                                                               "currency": "usd"})):  # fmt: skip
        coupon = world.sdk.coupons.create({**off, "duration": "once", "name": name})
        world.sdk.promotion_codes.create(
            {"promotion": {"type": "coupon", "coupon": coupon.id}, "code": name}
        )
    customer.buy(promotion_code="HALF")
    world.customer("less").buy(promotion_code="LESS")
    gift = world.sdk.coupons.create({"percent_off": 100, "duration": "forever"})
    world.sdk.promotion_codes.create(
        {"promotion": {"type": "coupon", "coupon": gift.id}, "code": "GIFT"}
    )
    world.customer("gifted").buy(promotion_code="GIFT")


def be_sold_to_by_hand(world, customer):
    """A customer of the dashboard's, whose first payment is owed, paid, void, or never comes."""
    customer.buy()
    method = customer.subscription["default_payment_method"]
    made = world.sdk.customers.create(
        {"email": "hand@example.com", "name": "Hand", "phone": "1", "metadata": {"a": "b"}}
    )
    world.sdk.customers.update(made.id, {"description": "By hand", "name": ""})
    (price,) = world.ledger.all("price", lookup_key="arm-engine-dev-pro-month")
    about = {"customer": made.id, "items": [{"price": price["id"], "quantity": 2}]}
    first = world.sdk.subscriptions.create(about)
    second = world.sdk.subscriptions.create(about)
    world.sdk.customers.update(made.id, {"invoice_settings": {"default_payment_method": method}})
    world.sdk.invoices.pay(first.latest_invoice)
    world.sdk.invoices.void_invoice(second.latest_invoice)
    world.advance(2 * DAY)


def be_asked_by_the_bank(world, customer):
    """3-D Secure at checkout, and again when nobody is there; what is owed is given up at last."""
    url = customer.open()
    client = world.hosted.test_client()
    card = {"card_number": ALWAYS_ASKS, "exp": "12/40", "cvc": "123"}
    assert client.post(urlsplit(url).path, data=card).status_code == 200
    confirmed = client.post(urlsplit(url).path, data={"authentication": "complete"})
    assert confirmed.status_code == 303
    world.advance(32 * DAY)
    owed = customer.subscription["latest_invoice"]
    assert world.sdk.invoices.retrieve(owed).status == "open"
    world.sdk.invoices.mark_uncollectible(owed)
    world.settle()


def take_several_things(world, customer):
    """Another item comes, is counted, prorated, and goes."""
    customer.buy()
    sdk, made = world.sdk, customer.subscription["id"]
    addon = sdk.prices.create({
        "product_data": {"name": "Backups"}, "currency": "usd", "unit_amount": 500,
        "recurring": {"interval": "month"},
    })  # fmt: skip
    world.advance(10 * DAY)
    sdk.subscriptions.update(made, {"items": [{"price": addon.id, "quantity": 3}]})
    sdk.invoice_items.list({"customer": customer.customer_id})
    (basic, backups) = sdk.subscription_items.list({"subscription": made}).data
    more = {"items": [{"id": backups.id, "quantity": 5}], "proration_behavior": "always_invoice"}
    sdk.subscriptions.update(made, more)
    sdk.subscriptions.update(made, {"items": [{"id": backups.id, "deleted": True}]})
    sdk.subscriptions.update(made, {"pause_collection": {"behavior": "keep_as_draft"}})
    world.advance(25 * DAY)
    (draft,) = sdk.invoices.list({"subscription": made, "status": "draft"}).data
    sdk.subscriptions.update(made, {"pause_collection": ""})
    sdk.invoices.finalize_invoice(draft.id)
    world.settle()
    assert basic.id == customer.subscription["items"]["data"][0]["id"]


def keep_a_change_for_later(world, customer):
    """The portal may keep a smaller plan for the end of the period; it is called off, or comes."""
    customer.buy("pro")
    world.advance(20 * DAY)  # the trial is over
    sdk, prices = world.sdk, {p["lookup_key"]: p["id"] for p in world.ledger.all("price")}
    basic, pro = (prices[f"arm-engine-dev-{plan}-month"] for plan in ("basic", "pro"))
    update = {
        "enabled": True, "default_allowed_updates": ["price"],
        "proration_behavior": "always_invoice", "trial_update_behavior": "continue_trial",
        "schedule_at_period_end": {"conditions": [{"type": "decreasing_item_amount"}]},
        "products": [{"product": "arm-engine-dev-basic", "prices": [basic]},
                     {"product": "arm-engine-dev-pro", "prices": [pro]}],
    }  # fmt: skip
    configuration = sdk.billing_portal.configurations.create(
        {"features": {"subscription_update": update}}
    )
    session = sdk.billing_portal.sessions.create(
        {"customer": customer.customer_id, "configuration": configuration.id}
    )
    form = {"subscription": customer.subscription["id"], "action": "switch", "price": basic}
    for _ in range(2):
        answer = world.hosted.test_client().post(urlsplit(session.url).path, data=form)
        assert answer.status_code == 303
        schedule = sdk.subscriptions.retrieve(customer.subscription["id"]).schedule
        sdk.subscription_schedules.retrieve(schedule)
        if len(sdk.subscription_schedules.list({"customer": customer.customer_id}).data) == 1:
            sdk.subscription_schedules.release(schedule)
    world.advance(31 * DAY)
    (item,) = customer.subscription["items"]["data"]
    assert item["price"]["id"] == basic


def try_in_test_mode(world):
    """A clock with a customer of its own, payment methods by name, payments without an invoice."""
    sdk, start = world.sdk, int(world.now())
    clock = sdk.test_helpers.test_clocks.create({"frozen_time": start, "name": "renewals"})
    theirs = sdk.customers.create({"test_clock": clock.id, "name": "Clocked"})
    method = sdk.payment_methods.create({"type": "card", "card": {"token": "tok_visa"}})
    sdk.payment_methods.attach(method.id, {"customer": theirs.id})
    (price,) = world.ledger.all("price", lookup_key="arm-engine-dev-basic-month")
    sdk.subscriptions.create({
        "customer": theirs.id, "items": [{"price": price["id"]}],
        "default_payment_method": method.id,
    })  # fmt: skip
    sdk.test_helpers.test_clocks.advance(clock.id, {"frozen_time": start + 32 * DAY})
    assert sdk.test_helpers.test_clocks.retrieve(clock.id).status == "ready"
    sdk.payment_methods.detach(method.id)
    sdk.test_helpers.test_clocks.list()
    sdk.test_helpers.test_clocks.delete(clock.id)
    about = {"amount": 100, "currency": "usd"}
    for named in ("pm_card_visa", "pm_card_createDisputeInquiry", "pm_card_authenticationRequired"):
        sdk.payment_intents.create({**about, "payment_method": named, "confirm": True})
    made = sdk.payment_intents.create(about)
    sdk.payment_intents.confirm(made.id, {"payment_method": "pm_card_mastercard"})
    made = sdk.payment_intents.create({**about, "description": "Not to be paid"})
    sdk.payment_intents.cancel(made.id, {"cancellation_reason": "abandoned"})


def leave(world, customer):
    """A session is left to expire, one is expired; the customer is deleted, and is read again."""
    customer.open()
    world.advance(2 * DAY)
    customer.open()
    customer.open("pro")
    customer.buy()
    session = next(world.ledger.all("checkout.session", customer=customer.customer_id))
    deleted = customer.customer_id
    world.sdk.customers.delete(deleted)
    world.settle()
    world.sdk.customers.retrieve(deleted)
    world.sdk.checkout.sessions.retrieve(session["id"], {"expand": ["customer"]})
    world.payments.subscriptions(deleted)


def be_refused(world):
    """What Stripe refuses, in its own words; and a card that is declined."""
    sdk, ledger = world.sdk, world.ledger
    paid = next(ledger.all("invoice", status="paid"))["id"]
    gone = next(ledger.all("subscription", status="canceled"))["id"]
    someone = ledger_id(world, "customer")
    key = {"idempotency_key": "k-1"}
    made = sdk.customers.create({}, key)
    assert sdk.customers.create({}, key).id == made.id
    world.stripe.provoked = True
    for ask in (
        lambda: sdk.customers.retrieve("cus_nothing"),
        lambda: sdk.customers.create({"email": "nobody"}),
        lambda: sdk.customers.create({"colour": "red"}),
        lambda: sdk.customers.create({"name": "Another"}, key),
        lambda: sdk.customers.list({"limit": 101}),
        lambda: sdk.customers.retrieve(someone, {"expand": ["colour"]}),
        lambda: sdk.checkout.sessions.create({"mode": "payment"}),
        lambda: sdk.subscriptions.cancel(gone),
        lambda: sdk.invoices.pay(paid),
        lambda: sdk.refunds.create({}),
        lambda: sdk.payment_intents.create(
            {
                "amount": 1,
                "currency": "usd",
                "payment_method": "pm_card_chargeDeclined",
                "confirm": True,
            }
        ),
    ):
        try:
            ask()
        except stripe.StripeError as e:
            assert e.http_status in {400, 402, 404}, e  # noqa: PT017 - all are refusals
        else:
            raise AssertionError("that was not refused")
    world.stripe.provoked = False
    customer = world.customer("declined")
    assert customer.pay(customer.open(), card=DECLINED) == 402


def ledger_id(world, kind):
    """The newest of a kind."""
    return next(world.ledger.all(kind))["id"]


def read_everything(world):
    """Each kind as a list and alone, whole where it can be."""
    sdk = world.sdk
    for kind, holder, expand in (
        ("product", sdk.products, ["default_price"]),
        ("price", sdk.prices, ["product"]),
        ("customer", sdk.customers, ["invoice_settings.default_payment_method"]),
        ("checkout.session", sdk.checkout.sessions, ["subscription", "line_items", "invoice"]),
        ("subscription", sdk.subscriptions,
         ["customer", "latest_invoice.payments", "items.data.price.product"]),
        ("invoice", sdk.invoices, ["customer", "payments"]),
        ("invoice_payment", sdk.invoice_payments, ["payment.payment_intent"]),
        ("charge", sdk.charges, ["payment_intent", "customer"]),
        ("payment_method", sdk.payment_methods, ["customer"]),
        ("payment_intent", sdk.payment_intents, ["latest_charge", "payment_method"]),
        ("dispute", sdk.disputes, ["charge"]),
        ("refund", sdk.refunds, ["charge.payment_intent"]),
        ("event", sdk.events, []),
        ("coupon", sdk.coupons, []),
        ("promotion_code", sdk.promotion_codes, ["promotion.coupon"]),
        ("webhook_endpoint", sdk.webhook_endpoints, []),
        ("billing_portal.configuration", sdk.billing_portal.configurations, []),
    ):  # fmt: skip
        sdk_list(holder, kind, expand)
        if hasattr(holder, "retrieve"):
            holder.retrieve(ledger_id(world, kind), {"expand": expand})
    sdk.checkout.sessions.line_items.list(ledger_id(world, "checkout.session"))
    sdk.events.list({"delivery_success": False, "types": ["invoice.paid", "charge.refunded"]})


def sdk_list(holder, kind, expand):
    """Two pages, from the middle on and back."""
    inner = [f"data.{path}" for path in expand if path.count(".") < 3]
    more = {"status": "all"} if kind == "subscription" else {}
    first = holder.list({"limit": 3, "expand": inner, **more})
    if first.has_more:
        holder.list({"limit": 2, "starting_after": first.data[-1].id, **more})
        holder.list({"ending_before": first.data[-1].id, **more})
