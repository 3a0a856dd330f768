"""The checkout guard under concurrency: a thousand interleavings of everything that may meet."""

from functools import partial
from random import Random

import pytest

from chalicelib import wiring
from chalicelib.domain.checkout import Shop
from chalicelib.domain.errors import AlreadySubscribed, DomainError, PaymentProcessing
from chalicelib.domain.record import User
from chalicelib.gateways.dynamodb import DynamoDb
from chalicelib.gateways.stripe_api import StripeApi
from chalicelib.gateways.table import Table
from chalicelib.services.checkout import Checkouts
from chalicelib.services.reconciling import Reconciler
from sandbox.stripe import cards, checkout
from sandbox.stripe.errors import Refusal
from tests.contract.known import SETTINGS
from tests.life.racing import Activity, Race, RacingStripe, RacingTable

ROUNDS, AT_ONCE = 1000, 50
CARD = ("4242424242424242", "12/40", "123")
OFFERS = ("basic", "pro")


class Nothing:
    """A queue whose messages go nowhere: the rounds look at a tenant when they please."""

    def send_tenant(self, tenant_id):
        """Nobody reads it."""


class Rounds:
    """Round after round, each with a customer of its own."""

    def __init__(self, world):
        self.world, self.stripe, self.ledger = world, world.stripe, world.ledger
        self.table = RacingTable()
        self.transport = RacingStripe(self.stripe)
        catalogue = wiring.catalogue()
        self.rng = Random(0)  # noqa: S311 - it decides an order, not a secret
        common = {
            "records": Table(DynamoDb(SETTINGS["TABLE_NAME"], self.table)),
            "payments": StripeApi("sk_test_1", http_client=self.transport),
            "clock": world.now,
            "new_id": lambda: f"{self.rng.getrandbits(128):032x}",
        }
        self.records = common["records"]
        shop = Shop(catalogue, "dev", "https://s/ok?session_id={CHECKOUT_SESSION_ID}", "https://s")
        self.checkouts = Checkouts(queue=Nothing(), shop=shop, **common)
        self.reconciler = Reconciler(
            cluster=world.gateway(), catalogue=catalogue, stage="dev", **common
        )

    def begin(self, seed):
        """Another customer, in some state that a customer may be in."""
        self.rng.seed(seed)
        self.table.forget()
        for kind in ("customer", "checkout.session", "subscription", "invoice", "event"):
            self.ledger.tables[kind].clear()
        self.stripe.trouble.clear()
        self.user = User(
            issuer="https://issuer.example", subject=f"u-{seed}", email=f"u{seed}@x.io"
        )
        self.told = []
        if self.rng.random() < 0.3:
            self.click("basic")
        if self.rng.random() < 0.3 and self.told:
            self.pay()
            self.look()
            for subscription in self.live():
                self.world.sdk.subscriptions.cancel(subscription["id"])
            self.nudged()
            self.told = []

    def click(self, offer):
        """The button; what it told the customer."""
        session = self.checkouts.open(self.user, offer)
        self.told.append(session.id)
        return session.id

    def pay(self):
        """Whichever page the customer has open."""
        if self.told:
            self.transport.step()
            card = cards.read(*CARD, self.world.now())
            try:
                checkout.complete(self.ledger, self.rng.choice(self.told), card)
            except Refusal:
                return
            finally:
                self.transport.step()

    def expire(self):
        """Stripe ends a session by itself."""
        self.transport.step()
        for session in list(self.ledger.all("checkout.session", status="open")):
            checkout.expired(self.ledger, session)

    def nudged(self):
        """What an event does."""
        self.records.nudge(self.user.tenant_id, int(self.world.now()))
        self.look()

    def look(self):
        """The worker."""
        return self.reconciler.reconcile(self.user.tenant_id, may_wait=False)

    def looks(self):
        """The worker, now and then; never two at once."""
        for _ in range(3):
            self.records.nudge(self.user.tenant_id, int(self.world.now()))
            self.look()

    def live(self):
        """What the customer pays for."""
        statuses = {"active", "trialing", "past_due", "unpaid", "paused", "incomplete"}
        return [s for s in self.ledger.tables["subscription"].values() if s["status"] in statuses]

    def watch(self):
        """What may never be, not for one step."""
        payable = list(self.ledger.all("checkout.session", status="open"))
        assert len(payable) <= 1, "two sessions can be paid"
        assert len(self.live()) <= 1, "two subscriptions were sold"
        assert not (payable and self.live() and self.is_told(payable[0])), (
            "somebody who pays can pay again"
        )
        assert len(self.ledger.tables["customer"]) <= 1, "two Stripe customers"

    def is_told(self, session):
        """Whether a customer has the address of this session since before they paid."""
        return session["id"] in self.told

    def race(self):
        """Clicks in several tabs, a payment, an expiry, the worker: any of them may crash."""
        offers = self.rng.choices(OFFERS, k=self.rng.choice([2, 2, 3, 4]))
        work = [self.pay, self.looks, *(partial(self.click, offer) for offer in offers)]
        if self.rng.random() < 0.3:
            work.append(self.expire)
        if self.rng.random() < 0.2:
            self.stripe.trouble.set({"errors": 1})
        dies = self.rng.randrange(len(work)) if self.rng.random() < 0.4 else None
        activities = [
            Activity(each, dies_at=self.rng.randrange(2, 25) if n == dies else None)
            for n, each in enumerate(work)
        ]
        race = Race(self.rng, self.watch)
        self.transport.step = self.table.step = race.step
        race.run(activities)
        self.transport.step = self.table.step = lambda: None

    def end(self):
        """Whatever happened, the customer gets what they came for, and no second one."""
        self.stripe.trouble.clear()
        self.nudged()
        for _ in range(4):
            try:
                self.told = [self.click("basic")]
                self.watch()
                self.pay()
            except (AlreadySubscribed, PaymentProcessing):
                break
            except DomainError:
                continue  # a failure that Stripe repeats under its key: the next click is another
        self.nudged()
        (subscription,) = self.live()
        record = self.records.read(self.user.tenant_id)
        assert record.subscription.id == subscription["id"]
        assert record.checkout is None
        assert record.billing.duplicates == ()
        with pytest.raises(AlreadySubscribed):
            self.click("pro")
        assert list(self.ledger.all("checkout.session", status="open")) == []


@pytest.fixture
def rounds(world):
    """The real services and gateways over the stand-ins' state machines."""
    return Rounds(world)


@pytest.mark.parametrize("first", range(0, ROUNDS, AT_ONCE))
def test_whatever_meets_one_subscription_is_sold(rounds, first):
    """One payable session, one Stripe customer, one subscription: at every step of every round."""
    for seed in range(first, first + AT_ONCE):
        rounds.begin(seed)
        try:
            rounds.race()
            rounds.end()
        except AssertionError as e:
            raise AssertionError(f"seed {seed}: {e}") from e


def amount(world, session):
    """What is due for a session, in cents."""
    return world.ledger.tables["checkout.session"][session.id]["amount_total"]


def test_after_a_crash_the_plan_that_is_asked_for_is_sold(world, ada, monkeypatch):
    """The process dies between Stripe's answer and the write; the customer then wants Pro."""
    save = Table.save

    def dying(self, before, after, **how):
        if after.checkout and after.checkout.session_id:
            raise KeyboardInterrupt
        return save(self, before, after, **how)

    with monkeypatch.context() as patched:
        patched.setattr(Table, "save", dying)
        with pytest.raises(KeyboardInterrupt):
            wiring.checkouts().open(ada.user, "basic")
    assert amount(world, wiring.checkouts().open(ada.user, "pro")) == 9900


def test_a_table_that_was_restored_to_before_a_purchase_sells_no_second(world, ada):
    """The record knows no customer; Stripe has one by our metadata, with a subscription."""
    ada.call("POST", "start-free")
    world.settle()
    ada.call("POST", "stop-free")
    world.settle()
    before = world.aws.items("TENANT")[f"TENANT#{ada.tenant_id}", "RECORD"]
    ada.buy()
    world._table.put_item(Item=before)
    assert ada.refused() == "already_subscribed"


def test_a_second_device_is_sold_the_plan_it_asks_for(world, ada):
    """It asks between the two writes of the first one."""
    create, second = world.payments.create_session, []

    def slow(params, key):
        if not second:
            second.append(None)
            second[0] = wiring.checkouts().open(ada.user, "pro")
        return create(params, key)

    world.payments.create_session = slow
    wiring.checkouts().open(ada.user, "basic")
    assert amount(world, second[0]) == 9900
