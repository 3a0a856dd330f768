"""Who may not buy, and what to do with the checkout on record."""

from contextlib import nullcontext
from dataclasses import replace

import pytest

from chalicelib.domain.checkout import (
    Shop,
    next_step,
    refuse_if_blocked,
    refuse_if_subscribed,
    session_params,
)
from chalicelib.domain.errors import AlreadySubscribed, PaymentProcessing, TenantBeingRemoved
from chalicelib.domain.record import NONCE_MAX_AGE, Billing, Checkout, FreeGrant
from chalicelib.domain.subscription import HEALTH, CheckoutSession

NOW = 1_800_000_000
OURS = "arm-engine-dev"


def attempt(**facts):
    usual = {"plan_id": "basic", "nonce": "n-1", "params": {}, "started_at": NOW - 60}
    return Checkout(**(usual | facts))


def session(status="open", url="https://pay", **facts):
    return CheckoutSession(id="cs_1", status=status, url=url, expires_at=NOW + 5, **facts)


KNOWN = attempt(session_id="cs_1")


@pytest.fixture
def yearly(catalogue):
    """The catalogue, with Basic to be paid by the year as well, and with a trial on Pro."""
    changes = {"basic": {"yearly_price": 29000}, "pro": {"trial_days": 14}}
    plans = tuple(replace(plan, **changes.get(plan.id, {})) for plan in catalogue.plans)
    return replace(catalogue, plans=plans)


@pytest.mark.parametrize(
    ("checkout", "found", "plan", "step"),
    [
        (None, None, "basic", "start"),
        (attempt(), None, "basic", "replay"),
        (attempt(), None, "pro", "replay"),
        (attempt(burnt=True), None, "basic", "start"),
        (attempt(started_at=NOW - NONCE_MAX_AGE - 1), None, "basic", "start"),
        (attempt(started_at=NOW - NONCE_MAX_AGE), None, "basic", "replay"),
        (KNOWN, session(), "basic", "return"),
        (KNOWN, session(), "pro", "expire"),
        (KNOWN, session(), "basic-year", "expire"),
        (attempt(session_id="cs_1", interval="year"), session(), "basic-year", "return"),
        (attempt(session_id="cs_1", interval="year"), session(), "basic", "expire"),
        (KNOWN, session(customer_gone=True), "basic", "forget customer"),
        (KNOWN, session("complete", None, customer_gone=True), "basic", "refuse"),
        (KNOWN, session("expired", None), "basic", "start"),
        (KNOWN, session("complete", None), "basic", "refuse"),
        (KNOWN, session("complete", None), "pro", "refuse"),
        (KNOWN, None, "basic", "start"),
    ],
)
def test_each_step_of_the_guard(yearly, checkout, found, plan, step):
    """What is recorded and what Stripe says of it lead to exactly one thing to do."""
    assert next_step(checkout, found, yearly.offer(plan), NOW) == step


@pytest.mark.parametrize("status", HEALTH)
def test_every_live_subscription_blocks(record, subscription, status):
    """Past due and paused ones too: whoever owes must not buy a second one."""
    with pytest.raises(AlreadySubscribed):
        refuse_if_blocked(record(billing=Billing(subscription=subscription(status=status))), OURS)


def test_a_first_payment_under_way_blocks(record):
    """Neither an incomplete subscription nor a paid checkout is sold over."""
    with pytest.raises(PaymentProcessing):
        refuse_if_blocked(record(billing=Billing(incomplete=True)), OURS)
    with pytest.raises(PaymentProcessing):
        refuse_if_blocked(record(checkout=KNOWN, paid_session="cs_1"), OURS)


def test_a_deletion_under_way_blocks(record):
    """Nothing is sold into a namespace that is going away."""
    with pytest.raises(TenantBeingRemoved):
        refuse_if_blocked(record(phase="deleting"), OURS)


def test_free_and_the_past_never_block(record, subscription):
    """Whoever is on Free, or was a customer once, may buy."""
    ended = Billing(subscription=subscription(status="canceled", ended_at=NOW - 5))
    refuse_if_blocked(
        record(
            billing=ended,
            free=FreeGrant(started_at=NOW - 9),
            free_until=NOW + 9,
            checkout=KNOWN,
            paid_session="cs_older",
        ),
        OURS,
    )


def test_what_somebody_else_sold_never_blocks(record, subscription):
    """A consulting retainer of the same customer is none of our plans."""
    retainer = subscription(status="active", product_id="prod_retainer")
    refuse_if_blocked(record(billing=Billing(subscription=retainer)), OURS)
    sold = replace(retainer, nonce="n-1")  # ours, moved to that product since
    with pytest.raises(AlreadySubscribed):
        refuse_if_blocked(record(billing=Billing(subscription=sold)), OURS)


@pytest.mark.parametrize(
    ("statuses", "refused"),
    [
        ([], None),
        (["canceled", "incomplete_expired"], None),
        (["canceled", "active"], AlreadySubscribed),
        (["unpaid"], AlreadySubscribed),
        (["incomplete"], PaymentProcessing),
        (["incomplete", "paused"], AlreadySubscribed),
    ],
)
def test_what_stripe_lists_blocks_too(subscription, statuses, refused):
    """A subscription that was made in the dashboard is in nobody's record yet."""
    listed = [subscription(status=status) for status in statuses]
    with pytest.raises(refused) if refused else nullcontext():
        refuse_if_subscribed(listed)


def shop_of(catalogue):
    return Shop(catalogue, "dev", "https://s/ok?session_id={CHECKOUT_SESSION_ID}", "https://s/no")


def params_of(catalogue, offer_id, *, trial=True):
    offer = catalogue.offer(offer_id)
    return session_params(shop_of(catalogue), offer, "t-1", "cus_1", "price_1", "n-1", trial=trial)


def test_session_and_subscription_carry_the_same_metadata(catalogue):
    """Whichever object an event is about, it leads back to the tenant and the attempt."""
    params = params_of(catalogue, "pro")
    expected = {"tenant_id": "t-1", "deployment": "arm-engine-dev", "checkout": "n-1"}
    assert params["metadata"] == params["subscription_data"]["metadata"] == expected
    assert params["line_items"] == [{"price": "price_1", "quantity": 1}]
    assert (params["mode"], params["client_reference_id"]) == ("subscription", "t-1")


@pytest.mark.parametrize(
    ("offer", "trial", "days"), [("pro", True, 14), ("pro", False, None), ("basic", True, None)]
)
def test_a_trial_is_asked_for_where_it_may_be_had(yearly, offer, trial, days):
    """The plan has one, and the customer has had none."""
    assert (
        params_of(yearly, offer, trial=trial)["subscription_data"].get("trial_period_days") == days
    )


def test_promotion_codes_and_tax_go_by_the_catalogue(catalogue):
    """Neither is asked for unless plans.toml says so."""
    plain = params_of(catalogue, "basic")
    product = replace(catalogue.product, promotion_codes=True, automatic_tax=True)
    both = params_of(replace(catalogue, product=product), "basic")
    assert not {"allow_promotion_codes", "automatic_tax"} & plain.keys()
    assert both["allow_promotion_codes"] is True
    assert both["automatic_tax"] == {"enabled": True}
