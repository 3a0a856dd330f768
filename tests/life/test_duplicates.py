"""Two live subscriptions of one customer: the healthiest counts, the other is told, or undone."""

from dataclasses import replace

import pytest

from chalicelib import wiring
from chalicelib.domain.errors import Permanent
from tests.life.racing import Activity, Race, RacingStripe
from tests.life.world import DAY, FAILS_LATER


class FirstCome:
    """In place of chance: the first that is alive goes on."""

    def choice(self, alive):
        """The first."""
        return alive[0]


def second(world, ada, **metadata):
    """A second subscription, a minute younger, with a nonce of ours or without."""
    world.offset += 60
    (price,) = world.ledger.all("price", lookup_key="arm-engine-dev-pro-month")
    made = world.sdk.subscriptions.create({
        "customer": ada.customer_id, "items": [{"price": price["id"]}], "metadata": metadata,
        "default_payment_method": ada.subscription["default_payment_method"],
    })  # fmt: skip
    return world.ledger.tables["subscription"][made.id]


@pytest.fixture
def catalogue(request):
    """As it ships, with duplicates resolved."""
    shipped = wiring.catalogue()
    return replace(shipped, policy=replace(shipped.policy, resolve_duplicates=True))


def test_two_live_subscriptions_are_reported_where_the_setting_is_off(world, ada, monkeypatch):
    """In the timeline, in the log and by the audit; nothing is touched."""
    catalogue = wiring.catalogue()
    policy = replace(catalogue.policy, resolve_duplicates=False)
    monkeypatch.setattr(wiring, "catalogue", lambda: replace(catalogue, policy=policy))
    first = ada.buy()
    other = second(world, ada, checkout="nonce-2")
    world.settle()
    assert {first["status"], other["status"]} == {"active"}
    assert ada.short == ("active", True, "basic", "ready")
    assert f"two live subscriptions: {first['id']} counts, beside {other['id']}" in ada.lines
    assert [f.kind for f in wiring.audit().run().findings] == ["two subscriptions"]


def test_one_that_we_sold_is_canceled_and_refunded(world, ada, agreed):
    """The older one is kept; what the other charged goes back, all of it and once."""
    first = ada.buy()
    other = second(world, ada, checkout="nonce-2")
    world.settle()
    assert (first["status"], other["status"]) == ("active", "canceled")
    refunds = list(world.ledger.all("refund"))
    assert [r["amount"] for r in refunds] == [9900]
    assert ada.short == ("active", True, "basic", "ready")
    assert any("was canceled and $99.00 were refunded" in line for line in ada.lines)
    assert ada.record.resolution is None
    agreed()


def test_what_was_paid_before_there_were_two_is_not_refunded(world, ada, agreed):
    """The old one fails after months of service, and support sells a new one beside it."""
    old = ada.buy(card=FAILS_LATER)
    assert world.ledger.tables["invoice"][old["latest_invoice"]]["amount_paid"] == 2900
    world.advance(31 * DAY)
    assert old["status"] == "past_due"
    world.offset += 60
    (price,) = world.ledger.all("price", lookup_key="arm-engine-dev-pro-month")
    works = world.customer("eve").buy()["default_payment_method"]
    world.sdk.subscriptions.create({
        "customer": ada.customer_id, "items": [{"price": price["id"]}],
        "metadata": {"checkout": "nonce-2"}, "default_payment_method": works,
    })  # fmt: skip
    world.settle()
    assert old["status"] == "canceled"
    assert list(world.ledger.all("refund")) == []
    assert ada.short == ("active", True, "pro", "ready")
    agreed()


def test_one_that_somebody_made_in_the_dashboard_is_theirs(world, ada):
    """It has no nonce of ours: reported, never touched."""
    ada.buy()
    other = second(world, ada)
    world.settle()
    assert other["status"] == "active"
    assert list(world.ledger.all("refund")) == []
    assert ada.record.billing.duplicates == (other["id"],)


@pytest.mark.parametrize("dies_at", range(2, 18))
def test_a_crash_on_the_way_refunds_once_all_the_same(world, ada, dies_at):
    """Before or after any call to Stripe: the intent is on record, and is carried out."""
    ada.buy()
    other = second(world, ada, checkout="nonce-2")
    transport = RacingStripe(world.stripe)
    race = Race(FirstCome())
    transport.step = race.step
    reconciler = replace(
        wiring.reconciler(), payments=type(world.payments)("sk_test_1", http_client=transport)
    )
    wiring.records().nudge(ada.tenant_id, int(world.now()))
    work = Activity(lambda: reconciler.reconcile(ada.tenant_id), dies_at=dies_at)
    race.run([work])
    world.settle()
    assert other["status"] == "canceled"
    assert [r["amount"] for r in world.ledger.all("refund")] == [9900]
    assert ada.record.resolution is None


def test_the_only_one_left_is_never_undone(world, ada, monkeypatch):
    """The kept one ends between the intent and its carrying out: the intent is dropped."""
    first = ada.buy()
    other = second(world, ada, checkout="nonce-2")

    def away(_):
        raise Permanent("as ordered")

    with monkeypatch.context() as broken:
        broken.setattr(world.payments, "cancel_subscription", away)
        world.settle()
    assert any("could not be undone" in line for line in ada.lines)
    world.sdk.subscriptions.cancel(first["id"])
    world.settle()
    assert other["status"] == "active"
    assert ada.short == ("active", True, "pro", "ready")


def test_what_was_refunded_by_hand_is_not_refunded_again(world, ada):
    """The operator was faster."""
    ada.buy()
    other = second(world, ada, checkout="nonce-2")
    charge = next(world.ledger.all("charge", amount=9900))
    world.sdk.refunds.create({"charge": charge["id"]})
    world.settle()
    assert other["status"] == "canceled"
    assert [r["amount"] for r in world.ledger.all("refund")] == [9900]
