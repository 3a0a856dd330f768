"""Each line of a subscription's life, by Stripe's, the record's and the cluster's own word."""

from dataclasses import replace

import pytest

from chalicelib import wiring
from chalicelib.domain.errors import Temporary
from sandbox.stripe import disputes
from tests.life.world import DAY, FAILS_LATER, IS_DISPUTED, PAYS

NEW_CARD = {"card_number": PAYS, "exp": "12/40", "cvc": "123"}
SETTLES = "000123456789"
BOUNCES = "000222222227"
GRACE, RETENTION = 7 * DAY, 30 * DAY


def kinds():
    return [finding.kind for finding in wiring.audit().run().findings]


@pytest.fixture
def catalogue():
    """As it ships, with a trial on Pro, a yearly price on Basic, and promotion codes."""
    shipped = wiring.catalogue()
    changes = {"basic": {"yearly_price": 29000}, "pro": {"trial_days": 14}}
    plans = tuple(replace(plan, **changes.get(plan.id, {})) for plan in shipped.plans)
    product = replace(shipped.product, promotion_codes=True)
    return replace(shipped, plans=plans, product=product)


def pods(world, customer):
    """What the quota of a tenant allows, by the cluster's own word."""
    path = f"/api/v1/namespaces/arm-{customer.tenant_id}/resourcequotas/plan"
    return world.kubernetes.request("GET", path).body["spec"]["hard"]["pods"]


def test_a_renewal_changes_nothing_but_the_date(world, ada, agreed):
    """A month later it is paid for another month."""
    ada.buy()
    first = ada.status["currentPeriodEnd"]
    world.advance(32 * DAY)
    assert ada.short == ("active", True, "basic", "ready")
    assert ada.status["currentPeriodEnd"] > first
    agreed()


def test_a_failed_renewal_is_forgiven_for_a_week(world, ada, agreed):
    """The tenant runs, and the customer reads by when to act; then it is suspended."""
    ada.buy(card=FAILS_LATER)
    world.advance(31 * DAY)
    assert ada.short == ("past_due", True, "basic", "ready")
    assert ada.status["paymentProblem"]["actBy"]
    agreed()
    world.advance(GRACE)
    assert ada.short == ("past_due", False, "basic", "suspended")
    assert ada.status["dataKeptUntil"] is None
    assert pods(world, ada) == "0"
    agreed()


def test_paying_what_is_owed_brings_everything_back(world, ada, agreed):
    """A new card in the portal, and it runs as before; a later failure has a grace of its own."""
    ada.buy(card=FAILS_LATER)
    world.advance(31 * DAY + GRACE)
    ada.portal("card", **NEW_CARD)
    assert ada.short == ("active", True, "basic", "ready")
    assert ada.status["paymentProblem"] is None
    assert ada.record.grace_until is None
    assert pods(world, ada) == "40"
    agreed()


def test_unpaid_is_suspended_at_once(world, ada, agreed):
    """Where Stripe is set to leave it unpaid after the last try, there is no grace left."""
    world.ledger.dunning_end = "unpaid"
    ada.buy(card=FAILS_LATER)
    world.advance(31 * DAY + 16 * DAY)
    assert ada.subscription["status"] == "unpaid"
    assert ada.short == ("past_due", False, "basic", "suspended")
    assert ada.refused() == "already_subscribed"
    agreed()


def test_dunning_that_ends_in_nothing_ends_the_subscription(world, ada, agreed):
    """Canceled by Stripe after the last try: kept for the retention, then gone."""
    ada.buy(card=FAILS_LATER)
    world.advance(31 * DAY + 16 * DAY)
    assert ada.subscription["status"] == "canceled"
    assert ada.short == ("canceled", False, "basic", "suspended")
    world.advance(RETENTION)
    assert ada.short == ("canceled", False, "basic", "none")
    assert world.namespaces() == {}
    agreed()


@pytest.mark.parametrize("behavior", ["void", "keep_as_draft", "mark_uncollectible"])
def test_a_merchant_who_pauses_collection_keeps_serving(world, ada, agreed, behavior):
    """`pause_collection`: "your customer retains access", for Stripe; so it is here."""
    sub = ada.buy()
    world.sdk.subscriptions.update(sub["id"], {"pause_collection": {"behavior": behavior}})
    world.advance(40 * DAY)
    assert ada.short == ("active", True, "basic", "ready")
    assert ada.status["paymentProblem"] is None
    assert ada.subscription["pause_collection"] is not None
    agreed()
    world.sdk.subscriptions.update(sub["id"], {"pause_collection": ""})
    world.settle()
    assert ada.short == ("active", True, "basic", "ready")
    agreed()


def test_a_paused_subscription_and_its_resumption(world, ada, agreed):
    """Status `paused`: a trial that ended without a card; it resumes once there is one."""
    ada.buy()
    world.sdk.subscriptions.cancel(ada.subscription["id"])
    price = next(world.ledger.all("price", lookup_key="arm-engine-dev-pro-month"))["id"]
    made = world.sdk.subscriptions.create({
        "customer": ada.customer_id, "items": [{"price": price}], "trial_period_days": 3,
        "trial_settings": {"end_behavior": {"missing_payment_method": "pause"}},
    })  # fmt: skip
    world.advance(4 * DAY)
    assert ada.subscription["status"] == "paused"
    assert ada.short == ("past_due", False, "pro", "suspended")
    agreed()
    method = ada.subscriptions[0]["default_payment_method"]
    world.sdk.subscriptions.update(made.id, {"default_payment_method": method})
    world.sdk.subscriptions.resume(made.id)
    world.settle()
    assert ada.short == ("active", True, "pro", "ready")
    agreed()


def test_a_trial_costs_nothing_until_it_ends(world, ada, agreed):
    """It runs from the first day; its end is announced, and then it is paid for."""
    ada.buy("pro")
    assert ada.subscription["status"] == "trialing"
    assert ada.short == ("active", True, "pro", "ready")
    assert sum(c["amount_captured"] for c in world.ledger.all("charge")) == 0
    world.advance(15 * DAY)
    assert "customer.subscription.trial_will_end" in ada.lines
    assert ada.subscription["status"] == "active"
    assert sum(c["amount_captured"] for c in world.ledger.all("charge")) == 9900
    agreed()


def test_a_trial_is_had_once(world, ada):
    """Canceled and subscribed again: paid for from the first day, also as another customer."""
    first = ada.buy("pro")
    world.sdk.subscriptions.cancel(first["id"])
    world.settle()
    assert ada.buy("pro")["status"] == "active"
    world.sdk.customers.delete(ada.customer_id)
    world.settle()
    assert ada.buy("pro")["status"] == "active"


def test_whose_address_is_not_verified_buys_all_the_same(world, agreed):
    """Stripe is not told an address that may be somebody else's; its own page asks for one."""
    eve = world.customer("eve", email="ada@example.com", email_verified=False)
    eve.open()
    assert (eve.record.user.email, world.sdk.customers.retrieve(eve.customer_id).email) == (
        None,
        None,
    )
    eve.buy()
    assert eve.short == ("active", True, "basic", "ready")
    agreed()


def test_a_trial_is_known_before_the_record_knows_it(world, ada):
    """The reconciler has seen nothing of the first one: Stripe's list is asked."""
    world.deliver = lambda _: []
    url = ada.open("pro")
    ada.pay(url)
    world.sdk.subscriptions.cancel(ada.subscription["id"])
    wiring.records().nudge(ada.tenant_id, int(world.now()))
    world.work()
    record = ada.record
    wiring.records().save(record, replace(record, trialed_at=None))
    ada.pay(ada.open("pro"))
    assert ada.subscription["status"] == "active"


def test_a_plan_is_changed_up_and_down_in_the_portal(world, ada, agreed):
    """The namespace stays, its quota follows, and nobody reads `provisioning` on the way."""
    ada.buy()
    ada.portal("switch", plan="pro-month")
    assert (ada.short, pods(world, ada)) == (("active", True, "pro", "ready"), "200")
    agreed()
    ada.portal("switch", plan="basic-month")
    assert (ada.short, pods(world, ada)) == (("active", True, "basic", "ready"), "40")
    agreed()


def test_a_yearly_price_is_bought_and_moved_to(world, ada, agreed):
    """The plan is the same; it renews in a year."""
    ada.buy("basic-year")
    assert ada.short == ("active", True, "basic", "ready")
    assert ada.subscription["items"]["data"][0]["price"]["unit_amount"] == 29000
    ada.portal("switch", plan="basic-month")
    assert ada.short == ("active", True, "basic", "ready")
    agreed()


def test_choosing_the_year_after_the_month_opens_another_checkout(world, ada):
    """The session for the monthly price cannot be paid any more."""
    monthly = ada.open("basic")
    assert ada.open("basic-year") != monthly
    assert ada.pay(monthly) == 410


def test_a_promotion_code_takes_something_off(world, ada, agreed):
    """Entered on the hosted page; one that is unknown is refused there."""
    coupon = world.sdk.coupons.create({"percent_off": 50, "duration": "once"})
    world.sdk.promotion_codes.create(
        {"promotion": {"type": "coupon", "coupon": coupon.id}, "code": "HALF"}
    )
    url = ada.open()
    assert ada.pay(url, promotion_code="WHOLE") == 402
    assert ada.pay(url, promotion_code="half") == 303
    world.settle()
    assert ada.short == ("active", True, "basic", "ready")
    assert next(world.ledger.all("charge"))["amount"] == 1450
    agreed()


def test_a_purchase_that_costs_nothing_is_a_purchase(world, ada, agreed):
    """All of it off: `no_payment_required`, and a tenant."""
    coupon = world.sdk.coupons.create({"percent_off": 100, "duration": "forever"})
    world.sdk.promotion_codes.create(
        {"promotion": {"type": "coupon", "coupon": coupon.id}, "code": "GIFT"}
    )
    ada.buy(promotion_code="GIFT")
    assert ada.short == ("active", True, "basic", "ready")
    assert list(world.ledger.all("charge")) == []
    agreed()


def test_an_end_with_the_period_can_be_taken_back(world, ada, agreed):
    """It runs on and says when it ends; un-canceled, it renews as if nothing had been."""
    ada.buy()
    ada.portal("cancel")
    assert ada.short == ("active", True, "basic", "ready")
    assert ada.status["cancelAtPeriodEnd"] is True
    ada.portal("resume")
    assert ada.status["cancelAtPeriodEnd"] is False
    world.advance(32 * DAY)
    assert ada.short == ("active", True, "basic", "ready")
    agreed()


def test_a_cancellation_ends_with_the_period_and_is_deleted_after_retention(world, ada, agreed):
    """Suspended with its data until the day that the customer was told; then there is nothing."""
    ada.buy()
    ada.portal("cancel")
    world.advance(32 * DAY)
    assert ada.short == ("canceled", False, "basic", "suspended")
    assert ada.status["dataKeptUntil"]
    agreed()
    world.advance(RETENTION)
    assert ada.short == ("canceled", False, "basic", "none")
    assert world.namespaces() == {}
    agreed()


def test_a_set_end_is_shown_as_the_end(world, ada):
    """`cancel_at` in the middle of a period: the customer reads that day."""
    sub = ada.buy()
    end = int(world.now()) + 5 * DAY
    world.sdk.subscriptions.update(sub["id"], {"cancel_at": end})
    world.settle()
    assert ada.record.subscription.current_period_end == end
    assert ada.status["cancelAtPeriodEnd"] is True


def test_an_immediate_cancellation_suspends_at_once(world, ada, agreed):
    """As from Stripe's dashboard."""
    sub = ada.buy()
    world.sdk.subscriptions.cancel(sub["id"])
    world.settle()
    assert ada.short == ("canceled", False, "basic", "suspended")
    agreed()


def test_subscribing_again_within_retention_brings_everything_back(world, ada, agreed):
    """The same namespace, never deleted in between, on the plan that is paid for now."""
    sub = ada.buy()
    world.sdk.subscriptions.cancel(sub["id"])
    world.advance(10 * DAY)
    path = f"/api/v1/namespaces/arm-{ada.tenant_id}"
    uid = world.kubernetes.request("GET", path).body["metadata"]["uid"]
    ada.buy("pro")
    assert ada.short == ("active", True, "pro", "ready")
    assert world.kubernetes.request("GET", path).body["metadata"]["uid"] == uid
    assert ada.status["dataKeptUntil"] is None
    world.advance(RETENTION)
    assert ada.short == ("active", True, "pro", "ready")
    agreed()


def test_subscribing_again_while_the_old_namespace_terminates(world, ada, agreed, monkeypatch):
    """Refused until it is gone; then sold, and set up anew."""
    sub = ada.buy()
    world.sdk.subscriptions.cancel(sub["id"])
    with monkeypatch.context() as slow:
        slow.setattr(world.cluster, "finish_deletions", lambda: None)
        world.settle()
        world.offset += RETENTION + 60
        world.sweep()
        world.work()
        assert ada.status["tenant"]["state"] == "deleting"
        assert ada.refused() == "tenant_being_removed"
    world.cluster.finish_deletions()
    world.advance(600)
    ada.buy()
    assert ada.short == ("active", True, "basic", "ready")
    agreed()


def test_a_refund_alone_ends_nothing(world, ada, agreed):
    """Money back is between the shop and the customer; the subscription says what is paid for."""
    ada.buy()
    charge = next(world.ledger.all("charge"))
    world.sdk.refunds.create({"charge": charge["id"]})
    world.settle()
    assert "charge.refunded" in ada.lines
    assert ada.short == ("active", True, "basic", "ready")
    agreed()


def test_a_dispute_suspends_until_it_is_closed(world, ada, agreed):
    """Its event names no customer; the charge does."""
    ada.buy(card=IS_DISPUTED)
    assert ada.short == ("active", False, "basic", "suspended")
    assert ada.status["tenant"]["message"]
    agreed()
    dispute = next(world.ledger.all("dispute"))
    world.sdk.disputes.update(
        dispute["id"], {"evidence": {"uncategorized_text": "winning_evidence"}, "submit": True}
    )
    world.settle()
    assert ada.record.disputes == ()
    assert ada.short == ("active", True, "basic", "ready")
    assert world.aws.items("EVENT#") == {}
    agreed()


def test_a_dispute_that_closed_unseen_does_not_suspend_for_ever(world, ada, agreed):
    """The event of its end is lost: the next look asks Stripe."""
    ada.buy(card=IS_DISPUTED)
    dispute = next(world.ledger.all("dispute"))
    world.deliver = lambda new: [e for e in new if e["type"] != "charge.dispute.closed"]
    disputes.move(world.ledger, dispute, "won")
    wiring.records().nudge(ada.tenant_id, int(world.now()))
    world.advance(120)
    assert ada.short == ("active", True, "basic", "ready")
    agreed()


def test_a_dispute_by_setting_only(world, ada, catalogue, monkeypatch):
    """Where the policy says so, a dispute changes nothing."""
    policy = replace(catalogue.policy, suspend_on_dispute=False)
    monkeypatch.setattr(wiring, "catalogue", lambda: replace(catalogue, policy=policy))
    ada.buy(card=IS_DISPUTED)
    assert ada.short == ("active", True, "basic", "ready")


def test_a_customer_deleted_with_a_live_subscription(world, ada, agreed):
    """It has ended; the data are kept, and a new purchase is a new customer's."""
    ada.buy()
    old = ada.customer_id
    world.sdk.customers.delete(old)
    world.settle()
    assert ada.short == ("canceled", False, "basic", "suspended")
    agreed()
    ada.buy("pro")
    assert ada.customer_id != old
    assert ada.short == ("active", True, "pro", "ready")
    agreed()


def test_a_customer_deleted_after_its_subscription(world, ada, agreed):
    """The retention goes on as it was told."""
    sub = ada.buy()
    world.sdk.subscriptions.cancel(sub["id"])
    world.settle()
    kept = ada.status["dataKeptUntil"]
    world.advance(DAY)
    world.sdk.customers.delete(ada.customer_id)
    world.settle()
    assert ada.status["dataKeptUntil"] == kept
    world.advance(RETENTION)
    assert world.namespaces() == {}
    agreed()


def test_a_customer_deleted_while_a_checkout_is_open(world, ada, agreed):
    """The open session could never be paid: the next click gets one that can."""
    first = ada.open()
    world.sdk.customers.delete(ada.customer_id)
    second = ada.open()
    assert second != first
    assert ada.pay(second) == 303
    world.settle()
    assert ada.short == ("active", True, "basic", "ready")
    agreed()


def test_a_key_of_another_account_ends_nobodys_tenant(world, ada, monkeypatch):
    """Stripe knows none of our customers: that is our mistake, and nobody is suspended for it."""
    ada.buy()
    gone = dict(world.ledger.tables["customer"])
    world.ledger.tables["customer"].clear()
    wiring.records().nudge(ada.tenant_id, int(world.now()))
    wiring.queue().send_tenant(ada.tenant_id)
    world.work()
    assert ada.short == ("active", True, "basic", "ready")
    assert ada.record.pending
    world.ledger.tables["customer"].update(gone)
    world.advance(600)
    assert not ada.record.pending


def test_a_bank_debit_that_settles(world, ada, agreed):
    """Days between the order and the money: nothing is set up before, nothing is sold twice."""
    ada.buy(card=SETTLES)
    assert ada.subscription["status"] == "incomplete"
    assert ada.short == ("none", False, None, "none")
    assert ada.status["tenant"]["message"]
    assert ada.refused() == "payment_processing"
    agreed()
    world.advance(5 * DAY)
    assert ada.short == ("active", True, "basic", "ready")
    assert "checkout.session.async_payment_succeeded" in ada.lines
    agreed()


def test_a_bank_debit_that_bounces(world, ada, agreed):
    """Nothing was had, and another purchase is open."""
    ada.buy(card=BOUNCES)
    world.advance(5 * DAY)
    assert ada.subscription["status"] == "incomplete_expired"
    assert ada.short == ("none", False, None, "none")
    ada.buy()
    assert ada.short == ("active", True, "basic", "ready")
    agreed()


def test_a_bank_debit_over_the_end_of_the_retention_keeps_the_data(world, ada, agreed):
    """Bought again in time: the namespace is not deleted while the bank is at it."""
    sub = ada.buy()
    world.sdk.subscriptions.cancel(sub["id"])
    world.advance(RETENTION - 2 * DAY)
    path = f"/api/v1/namespaces/arm-{ada.tenant_id}"
    uid = world.kubernetes.request("GET", path).body["metadata"]["uid"]
    ada.pay(ada.open(), SETTLES)
    world.advance(3 * DAY)
    assert ada.short == ("canceled", False, "basic", "suspended")
    assert "bank" in ada.status["tenant"]["message"]
    agreed()
    world.advance(3 * DAY)
    assert ada.short == ("active", True, "basic", "ready")
    assert world.kubernetes.request("GET", path).body["metadata"]["uid"] == uid
    agreed()


def test_a_bank_debit_that_bounces_after_the_retention_deletes(world, ada, agreed):
    """What was put off is done as soon as the bank has refused."""
    sub = ada.buy()
    world.sdk.subscriptions.cancel(sub["id"])
    world.advance(RETENTION - 2 * DAY)
    ada.pay(ada.open(), BOUNCES)
    world.advance(6 * DAY)
    assert ada.short == ("canceled", False, "basic", "none")
    assert world.namespaces() == {}
    agreed()


def test_what_somebody_else_sold_the_customer_is_told_and_keeps_their_data(world, ada, agreed):
    """A retainer from the dashboard: no duplicate, no hindrance, nothing runs for it, nothing goes."""
    sub = ada.buy()
    product = world.sdk.products.create({"name": "Consulting"})
    price = world.sdk.prices.create(
        {"product": product.id, "unit_amount": 1000, "currency": "usd",
         "recurring": {"interval": "month"}}
    )  # fmt: skip
    retainer = world.sdk.subscriptions.create({
        "customer": ada.customer_id, "items": [{"price": price.id}],
        "default_payment_method": sub["default_payment_method"],
    })  # fmt: skip
    world.settle()
    assert ada.short == ("active", True, "basic", "ready")
    assert kinds() == ["unread subscription"]
    assert any(product.id in line for line in ada.lines)
    world.sdk.subscriptions.cancel(sub["id"])
    world.advance(RETENTION + DAY)
    assert ada.short == ("canceled", False, "basic", "suspended")
    assert len(world.namespaces()) == 1
    ada.open()
    world.sdk.subscriptions.cancel(retainer.id)
    world.advance(2 * DAY)
    assert world.namespaces() == {}
    agreed()


def test_a_first_payment_that_never_comes(world, ada, agreed):
    """`incomplete` blocks a second purchase for a day, displaces nothing, and goes."""
    ada.call("POST", "start-free")
    world.settle()
    price = next(world.ledger.all("price", lookup_key="arm-engine-dev-pro-month"))["id"]
    ada.open()
    world.sdk.subscriptions.create({"customer": ada.customer_id, "items": [{"price": price}]})
    world.settle()
    assert ada.short == ("active", True, "free", "ready")
    assert ada.refused() == "payment_processing"
    world.advance(DAY)
    assert ada.subscription["status"] == "incomplete_expired"
    ada.buy()
    assert ada.short == ("active", True, "basic", "ready")
    agreed()


def test_a_checkout_that_expires(world, ada, agreed):
    """The record forgets it, nothing was charged, and a new one opens."""
    first = ada.open()
    world.advance(DAY + 60)
    assert ada.record.checkout is None
    assert ada.pay(first) == 410
    assert ada.short == ("none", False, None, "none")
    ada.buy()
    agreed()


def test_free_is_started_stopped_and_had_once(world, ada, agreed):
    """Stopped by the customer: suspended, kept for the retention, not to be had again."""
    ada.call("POST", "start-free")
    world.settle()
    assert ada.short == ("active", True, "free", "ready")
    agreed()
    ada.call("POST", "stop-free")
    world.settle()
    assert ada.short == ("canceled", False, "free", "suspended")
    code, body = ada.call("POST", "start-free")
    assert (code, body["error"]["code"]) == (409, "free_used")
    world.advance(RETENTION)
    assert world.namespaces() == {}
    agreed()


@pytest.mark.parametrize("verb", ["start-free", "stop-free"])
def test_free_is_granted_and_taken_back_without_the_queue(world, ada, agreed, verb):
    """What is written is done: a second try would be told that it cannot be had."""
    if verb == "stop-free":
        ada.call("POST", "start-free")
        world.settle()

    def away(_):
        raise Temporary("as ordered")

    with pytest.MonkeyPatch.context() as broken:
        broken.setattr(wiring.queue(), "send_tenant", away)
        code, body = ada.call("POST", verb)
    assert code == 202, body
    world.advance(120)
    assert ada.short[0] == ("active" if verb == "start-free" else "canceled")
    agreed()


def test_free_runs_out(world, ada, agreed):
    """After its days, by itself; the place is free for somebody else."""
    ada.call("POST", "start-free")
    world.advance(31 * DAY)
    assert ada.short == ("canceled", False, "free", "suspended")
    assert world.aws.items("FREE")["FREE", "COUNT"]["standing"] == 0
    agreed()


def test_free_is_left_for_a_paid_plan_and_returned_to(world, ada, agreed):
    """What is left of it stands again once the paid plan has ended."""
    ada.call("POST", "start-free")
    world.settle()
    sub = ada.buy()
    assert (ada.short, pods(world, ada)) == (("active", True, "basic", "ready"), "40")
    world.advance(5 * DAY)
    world.sdk.subscriptions.cancel(sub["id"])
    world.settle()
    assert (ada.short, pods(world, ada)) == (("active", True, "free", "ready"), "5")
    agreed()
    world.advance(30 * DAY)
    assert ada.short == ("canceled", False, "free", "suspended")
    agreed()
