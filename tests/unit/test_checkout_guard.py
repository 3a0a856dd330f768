"""Who may not buy, and what to do with the checkout on record."""

import pytest

from chalicelib.domain.checkout import Shop, next_step, refuse_if_blocked, session_params
from chalicelib.domain.errors import AlreadySubscribed, PaymentProcessing, TenantBeingRemoved
from chalicelib.domain.record import NONCE_MAX_AGE, Billing, Checkout, FreeGrant
from chalicelib.domain.subscription import HEALTH, CheckoutSession

NOW = 1_800_000_000


def attempt(**facts):
    usual = {"plan_id": "basic", "nonce": "n-1", "params": {}, "started_at": NOW - 60}
    return Checkout(**(usual | facts))


def session(status="open", url="https://pay"):
    return CheckoutSession(id="cs_1", status=status, url=url, expires_at=NOW + 5)


KNOWN = attempt(session_id="cs_1")


@pytest.mark.parametrize(
    ("checkout", "found", "plan", "step"),
    [
        (None, None, "basic", "start"),
        (attempt(), None, "basic", "replay"),
        (attempt(), None, "pro", "replay"),
        (attempt(burnt=True), None, "basic", "sweep out"),
        (attempt(started_at=NOW - NONCE_MAX_AGE - 1), None, "basic", "sweep out"),
        (attempt(started_at=NOW - NONCE_MAX_AGE), None, "basic", "replay"),
        (KNOWN, session(), "basic", "return"),
        (KNOWN, session(), "pro", "expire"),
        (KNOWN, session("expired", None), "basic", "start"),
        (KNOWN, session("complete", None), "basic", "refuse"),
        (KNOWN, session("complete", None), "pro", "refuse"),
        (KNOWN, None, "basic", "start"),
    ],
)
def test_each_step_of_the_guard(checkout, found, plan, step):
    """What is recorded and what Stripe says of it lead to exactly one thing to do."""
    assert next_step(checkout, found, plan, NOW) == step


@pytest.mark.parametrize("status", HEALTH)
def test_every_live_subscription_blocks(record, subscription, status):
    """Past due and paused ones too: whoever owes must not buy a second one."""
    with pytest.raises(AlreadySubscribed):
        refuse_if_blocked(record(billing=Billing(subscription=subscription(status=status))))


def test_a_first_payment_under_way_blocks(record):
    """Neither an incomplete subscription nor a paid checkout is sold over."""
    with pytest.raises(PaymentProcessing):
        refuse_if_blocked(record(billing=Billing(incomplete=True)))
    with pytest.raises(PaymentProcessing):
        refuse_if_blocked(record(checkout=KNOWN, paid_session="cs_1"))


def test_a_deletion_under_way_blocks(record):
    """Nothing is sold into a namespace that is going away."""
    with pytest.raises(TenantBeingRemoved):
        refuse_if_blocked(record(phase="deleting"))


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
        )
    )


def test_session_and_subscription_carry_the_same_metadata(catalogue):
    """Whichever object an event is about, it leads back to the tenant and the attempt."""
    shop = Shop(catalogue, "dev", "https://s/ok?session_id={CHECKOUT_SESSION_ID}", "https://s/no")
    params = session_params(shop, catalogue.plan("pro"), "t-1", "cus_1", "price_1", "n-1")
    expected = {"tenant_id": "t-1", "deployment": "arm-engine-dev", "checkout": "n-1"}
    assert params["metadata"] == params["subscription_data"]["metadata"] == expected
    assert params["line_items"] == [{"price": "price_1", "quantity": 1}]
    assert (params["mode"], params["client_reference_id"]) == ("subscription", "t-1")
