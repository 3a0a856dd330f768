"""What is charged and what is given, where two things happen to one customer at once."""

import pytest

from chalicelib import wiring
from chalicelib.domain.errors import Permanent, Temporary
from chalicelib.gateways.cluster_workloads import Workloads
from sandbox.stripe import disputes
from tests.life.test_money import addon, audited, by_policy, hold, price_of, without  # noqa: F401
from tests.life.world import DAY, FAILS_LATER


def another(world):
    product = world.sdk.products.create({"name": "Support"})
    return world.sdk.prices.create(
        {"product": product.id, "unit_amount": 700, "currency": "usd",
         "recurring": {"interval": "month"}}
    )  # fmt: skip


def disputed(world, charge=-1):
    made = disputes.begin(world.ledger, list(world.ledger.all("charge"))[charge])
    world.settle()
    return made


def moved(world, dispute, status):
    disputes.move(world.ledger, dispute, status)
    world.settle()


def charges(world):
    return len(list(world.ledger.all("charge")))


def invoices(world):
    return {invoice["status"] for invoice in world.ledger.all("invoice")}


@pytest.mark.parametrize("count", [1, 2])
def test_what_somebody_else_sold_runs_nothing(world, ada, addon, count):  # noqa: F811
    """Of however many items it is: none of them is ours."""
    sub = ada.buy("basic")
    items = [{"price": addon.id}, {"price": another(world).id}][:count]
    world.sdk.subscriptions.create({
        "customer": ada.customer_id, "items": items,
        "default_payment_method": sub["default_payment_method"],
    })  # fmt: skip
    world.settle()
    assert ada.record.billing.duplicates == ()
    world.sdk.subscriptions.cancel(sub["id"])
    world.advance(120)
    assert ada.short[3] == "suspended"
    assert ada.checkout()[0] == 200


def test_a_session_that_was_open_before_a_dispute_is_expired(world, ada):
    """Also where nothing runs any more that the dispute could stop."""
    sub = ada.buy()
    world.sdk.subscriptions.cancel(sub["id"])
    world.settle()
    url = ada.open("pro")
    disputed(world)
    world.advance(120)
    assert ada.refused("pro") == "payment_disputed"
    assert ada.pay(url) != 303


def test_a_hold_beside_a_dispute_charges_nothing_either(world, ada):
    """The dispute alone is reason enough, whatever an operator says of billing."""
    ada.buy()
    disputed(world)
    hold(world, ada)
    before = charges(world)
    world.advance(40 * DAY)
    assert charges(world) == before


def test_a_grace_that_ends_during_a_dispute_does_not_charge_again(world, ada):
    """And the timeline does not call the dispute settled."""
    ada.buy(card=FAILS_LATER)
    world.stripe.dunning_ends_in = "past_due"
    world.advance(31 * DAY)
    disputed(world, 0)
    world.advance(8 * DAY)
    assert ada.short[3] == "suspended"
    assert ada.subscription["pause_collection"]
    assert not any("is settled" in line for line in ada.lines)


@pytest.mark.parametrize("plan", ["sold", "gone"])
def test_a_lost_dispute_ends_it_however_often_stripe_is_away(
    world, ada, catalogue, monkeypatch, plan
):
    """A verdict is new until it is carried out; no plan is needed for that."""
    ada.buy("pro")
    dispute = disputed(world)
    by_policy(
        monkeypatch, without(catalogue, "pro") if plan == "gone" else catalogue, dispute_lost="end"
    )
    cancel, failures = world.payments.cancel_subscription, iter([True])

    def once(subscription_id):
        if next(failures, False):
            raise Temporary("Stripe does not answer")
        cancel(subscription_id)

    monkeypatch.setattr(world.payments, "cancel_subscription", once)
    moved(world, dispute, "lost")
    world.advance(DAY)
    assert ada.subscription["status"] == "canceled"


def test_one_that_stripe_refuses_to_end_is_held(world, ada, catalogue, monkeypatch):
    """Asked once, told, and stopped without a charge until somebody has looked."""
    by_policy(monkeypatch, catalogue, dispute_lost="end")
    ada.buy()
    dispute, asked = disputed(world), []

    def never(subscription_id):
        asked.append(subscription_id)
        raise Permanent("Stripe refuses")

    monkeypatch.setattr(world.payments, "cancel_subscription", never)
    moved(world, dispute, "lost")
    world.advance(40 * DAY)
    assert len(asked) == 1
    assert ada.short == ("active", False, "basic", "suspended")
    assert ada.subscription["pause_collection"]
    assert any("could not be canceled" in line for line in ada.lines)


def test_a_hold_for_two_lost_disputes_stands_while_one_of_them_does(world, ada):
    """An appeal that is won gives back nothing of the other."""
    ada.buy()
    world.advance(31 * DAY)
    both = {d["id"]: d for d in (disputed(world, -1), disputed(world, -2))}
    for dispute in both.values():
        moved(world, dispute, "lost")
    first = both.pop(ada.record.hold.dispute_id)
    moved(world, first, "won")
    assert ada.short[1] is False
    ((other, dispute),) = both.items()
    assert ada.record.hold.dispute_id == other
    moved(world, dispute, "won")
    assert ada.short == ("active", True, "basic", "ready")


def test_a_dispute_that_is_lost_under_an_operators_hold_is_told_there(world, ada):
    """Nothing is charged from then on, and whoever lifts the hold reads why."""
    ada.buy()
    dispute = disputed(world)
    hold(world, ada)
    moved(world, dispute, "lost")
    assert ada.record.hold.reason.startswith("abuse; the dispute")
    before = charges(world)
    world.advance(40 * DAY)
    assert charges(world) == before


def test_an_invoice_of_somebody_elses_sale_is_not_voided(world, ada, addon):  # noqa: F811
    """It is the merchant's own claim."""
    ada.open()
    session = world.sdk.checkout.sessions.create(
        {"mode": "subscription", "customer": ada.customer_id, "success_url": "https://x.test",
         "line_items": [{"price": addon.id, "quantity": 1}]}
    )  # fmt: skip
    assert ada.pay(session.url, FAILS_LATER) == 303
    world.advance(31 * DAY + 16 * DAY)
    assert "void" not in invoices(world)


def test_what_a_second_subscription_still_asks_for_is_voided_too(world, ada):
    """Dunning gave up on the one that does not count."""
    first = ada.buy(card=FAILS_LATER)
    second = world.sdk.subscriptions.create({
        "customer": ada.customer_id, "items": [{"price": price_of(world, "pro")}],
        "default_payment_method": first["default_payment_method"],
    })  # fmt: skip
    world.settle()
    world.sdk.subscriptions.update(second.id, {"pause_collection": {"behavior": "void"}})
    world.advance(61 * DAY)
    assert "open" not in invoices(world)


def test_ends_without_a_time_do_not_take_turns(world, ada):
    """Two subscriptions ended at no named time: the data are kept once for the retention."""
    for plan in ("basic", "pro"):
        sub = ada.buy(plan)
        world.sdk.subscriptions.cancel(sub["id"])
        world.ledger.tables["subscription"][sub["id"]]["ended_at"] = None
        world.settle()
    for _ in range(4):
        world.advance(10 * DAY)
        wiring.records().nudge(ada.tenant_id, int(world.now()))
        world.advance(120)
    assert not world.namespaces()


@pytest.mark.parametrize("why", ["the plan has left", "an old record"])
def test_a_declined_upgrade_gives_no_more_than_was_paid(world, ada, catalogue, monkeypatch, why):
    """Where nobody can say what was paid, what stands is what is given."""
    ada.buy("basic", card=FAILS_LATER)
    if why == "an old record":
        key = {"pk": f"TENANT#{ada.tenant_id}", "sk": "RECORD"}
        gone = "billing.subscription.paid_product_id, billing.unread, stood"
        world._table.update_item(Key=key, UpdateExpression=f"REMOVE {gone}")
    else:
        monkeypatch.setattr(wiring, "catalogue", lambda: without(catalogue, "basic"))
    ada.portal("switch", plan="pro-month")
    assert ada.subscription["status"] == "past_due"
    assert world.namespaces()[ada.tenant_id].plan_id == "basic"


def test_a_pause_that_the_merchant_has_made_their_own_is_left(world, ada):
    """They changed what becomes of the invoices while ours stood."""
    sub = ada.buy()
    dispute = disputed(world)
    world.sdk.subscriptions.update(sub["id"], {"pause_collection": {"behavior": "keep_as_draft"}})
    world.settle()
    moved(world, dispute, "won")
    assert ada.subscription["pause_collection"]["behavior"] == "keep_as_draft"


def test_a_plan_that_left_beside_one_that_is_given_is_told(world, ada, catalogue, monkeypatch):
    """The customer pays for both, and gets one."""
    sub = ada.buy("basic")
    monkeypatch.setattr(wiring, "catalogue", lambda: without(catalogue, "basic"))
    world.sdk.subscriptions.update(sub["id"], {"items": [{"price": price_of(world, "pro")}]})
    world.settle()
    assert "arm-engine-dev-basic too" in audited()["unread subscription"]


def test_a_verdict_about_a_customer_who_was_deleted_is_kept(world, ada):
    """The bank goes on without them; whoever comes back is not sold to meanwhile, nor for ever."""
    sub = ada.buy()
    world.sdk.subscriptions.cancel(sub["id"])
    world.settle()
    dispute = disputed(world)
    world.sdk.customers.delete(ada.customer_id)
    world.settle()
    moved(world, dispute, "lost")
    world.advance(2 * DAY)
    assert ada.record.lost_disputes == (dispute["id"],)
    assert ada.record.hold.dispute_id == dispute["id"]
    moved(world, dispute, "won")
    world.advance(2 * DAY)
    assert ada.checkout()[0] == 200


def test_half_stopped_without_a_plan_is_not_called_ready(world, ada, catalogue, monkeypatch):
    """The cluster went away in between, and then it was paid: a person has to know."""
    sub = ada.buy("pro")
    monkeypatch.setattr(wiring, "catalogue", lambda: without(catalogue, "pro"))

    def away(_, namespace):
        raise Temporary(f"the cluster does not answer about {namespace}")

    with monkeypatch.context() as patched:
        patched.setattr(Workloads, "stop", away)
        world.ledger.tables["subscription"][sub["id"]]["status"] = "unpaid"
        wiring.records().nudge(ada.tenant_id, int(world.now()))
        world.advance(60)
    world.ledger.tables["subscription"][sub["id"]]["status"] = "active"
    wiring.records().nudge(ada.tenant_id, int(world.now()))
    world.advance(DAY)
    assert world.namespaces()[ada.tenant_id].suspended
    assert ada.short[3] != "ready"
