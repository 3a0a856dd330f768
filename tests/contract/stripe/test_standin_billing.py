"""What becomes of invoices: paused collection, voided ones, those of a subscription that ended."""

import pytest
import stripe

from tests.contract.stripe.alone import DAY, Alone


@pytest.fixture
def shop():
    """An account of its own."""
    return Alone()


def paused(shop, **how):
    made = shop.buy(shop.price("basic", 2900))
    after = shop.sdk.subscriptions.update(made.id, {"pause_collection": how})
    assert after.status == "active"
    return made.id


@pytest.mark.parametrize(
    ("behavior", "status"),
    [("void", "void"), ("keep_as_draft", "draft"), ("mark_uncollectible", "uncollectible")],
)
def test_paused_collection_stops_no_service(shop, behavior, status):
    """It renews month after month and stays active; only what the invoices become differs."""
    sub = paused(shop, behavior=behavior)
    shop.advance(62 * DAY)
    found = shop.sdk.subscriptions.retrieve(sub)
    assert (found.status, found.pause_collection.behavior) == ("active", behavior)
    assert found["items"].data[0].current_period_end > shop.now
    assert [i.status for i in shop.invoices(sub)] == [status, status, "paid"]
    assert "customer.subscription.paused" not in shop.types()
    assert len(shop.types("charge.succeeded")) == 1


def test_a_draft_has_no_number_until_it_is_final(shop):
    """It can be finalized and paid once collection is back."""
    sub = paused(shop, behavior="keep_as_draft")
    shop.advance(31 * DAY)
    shop.sdk.subscriptions.update(sub, {"pause_collection": ""})
    draft = shop.invoices(sub)[0]
    assert (draft.status, draft.number, draft.auto_advance) == ("draft", None, False)
    assert shop.types("invoice.finalized") == ["invoice.finalized"]
    final = shop.sdk.invoices.finalize_invoice(draft.id)
    assert (final.status, bool(final.number)) == ("open", True)
    assert shop.sdk.invoices.pay(draft.id).status == "paid"
    with pytest.raises(stripe.InvalidRequestError, match="already finalized"):
        shop.sdk.invoices.finalize_invoice(draft.id)


@pytest.mark.parametrize("by_itself", [True, False])
def test_collection_comes_back(shop, by_itself):
    """By an empty text, or at `resumes_at`; what was made meanwhile stays as it is."""
    more = {"resumes_at": shop.now + 35 * DAY} if by_itself else {}
    sub = paused(shop, behavior="void", **more)
    shop.advance(36 * DAY)
    if not by_itself:
        shop.sdk.subscriptions.update(sub, {"pause_collection": ""})
    assert shop.sdk.subscriptions.retrieve(sub).pause_collection is None
    shop.advance(30 * DAY)
    assert [i.status for i in shop.invoices(sub)] == ["paid", "void", "paid"]


def test_what_was_owed_before_the_pause_is_still_tried(shop):
    """Stripe goes on until it is voided."""
    made = shop.buy(shop.price("basic", 2900), "fails later")
    shop.advance(31 * DAY)
    shop.sdk.subscriptions.update(made.id, {"pause_collection": {"behavior": "void"}})
    (owed, _) = shop.invoices(made.id)
    shop.advance(4 * DAY)
    assert shop.sdk.invoices.retrieve(owed.id).attempt_count == 2


def test_only_an_open_invoice_is_voided_or_given_up(shop):
    """What is paid or void stays so; what was given up can be voided, and still be paid."""
    made = shop.buy(shop.price("basic", 2900), "fails later")
    shop.advance(31 * DAY)
    owed, paid = shop.invoices(made.id)
    for refused in (shop.sdk.invoices.void_invoice, shop.sdk.invoices.mark_uncollectible):
        with pytest.raises(stripe.InvalidRequestError, match="This invoice is paid"):
            refused(paid.id)
    assert shop.sdk.invoices.mark_uncollectible(owed.id).status == "uncollectible"
    assert shop.sdk.subscriptions.retrieve(made.id).status == "active"
    with pytest.raises(stripe.InvalidRequestError, match="This invoice is uncollectible"):
        shop.sdk.invoices.mark_uncollectible(owed.id)
    void = shop.sdk.invoices.void_invoice(owed.id)
    assert (void.status, void.next_payment_attempt) == ("void", None)
    assert void.status_transitions.voided_at == shop.now
    with pytest.raises(stripe.InvalidRequestError, match="This invoice is void"):
        shop.sdk.invoices.void_invoice(owed.id)
    with pytest.raises(stripe.InvalidRequestError, match="can no longer be paid"):
        shop.sdk.invoices.pay(owed.id)


@pytest.fixture
def given_up(shop):
    """A subscription that dunning has ended, and the invoice that is still open."""
    made = shop.buy(shop.price("basic", 2900), "fails later")
    shop.advance((31 + 16) * DAY)
    assert shop.sdk.subscriptions.retrieve(made.id).status == "canceled"
    (owed,) = shop.invoices(made.id, status="open")
    return made.id, owed


def test_the_last_invoice_stays_payable_when_dunning_gave_up(shop, given_up):
    """Its page takes the money, and the subscription stays canceled."""
    sub, owed = given_up
    assert (owed.auto_advance, owed.next_payment_attempt) == (False, None)
    assert shop.browser.get(f"/i/{owed.id}").status_code == 200
    assert shop.fill_in(owed.hosted_invoice_url, "declined").status_code == 402
    assert shop.fill_in(owed.hosted_invoice_url).status_code == 303
    assert "is paid" in shop.browser.get(f"/i/{owed.id}").text
    assert shop.sdk.invoices.retrieve(owed.id).amount_paid == 2900
    assert shop.sdk.subscriptions.retrieve(sub).status == "canceled"
    assert shop.invoices(sub, status="open") == []


def test_a_voided_invoice_takes_no_money(shop, given_up):
    """The page says so, and a card that is sent in is not charged."""
    sub, owed = given_up
    shop.sdk.invoices.void_invoice(owed.id)
    assert "voided" in shop.browser.get(f"/i/{owed.id}").text
    shop.fill_in(owed.hosted_invoice_url)
    assert [i.status for i in shop.invoices(sub)] == ["void", "paid"]
    assert len(shop.types("charge.succeeded")) == 1


@pytest.fixture
def waits(shop):
    """A subscription that was paused for want of a card when its trial ended."""
    made = shop.sdk.customers.create({}).id
    price = shop.price("basic", 2900)
    end = {"end_behavior": {"missing_payment_method": "pause"}}
    sub = shop.subscribe(made, price, trial_period_days=3, trial_settings=end)
    shop.advance(4 * DAY)
    assert shop.sdk.subscriptions.retrieve(sub.id).status == "paused"
    return made, sub.id


def test_a_paused_subscription_resumes_once_it_is_paid(shop, waits):
    """Status `paused` makes no invoice; a resumption that is not paid leaves it paused."""
    customer, sub = waits
    shop.advance(40 * DAY)
    assert len(shop.invoices(sub)) == 1
    shop.give(customer, "fails later")
    assert shop.sdk.subscriptions.resume(sub).status == "paused"
    owed = shop.invoices(sub)[0]
    assert owed.status == "open"
    shop.give(customer, "pays")
    shop.sdk.invoices.pay(owed.id)
    assert shop.sdk.subscriptions.retrieve(sub).status == "active"
    assert shop.types("customer.subscription.resumed") == ["customer.subscription.resumed"]
    with pytest.raises(stripe.InvalidRequestError, match="Only a paused"):
        shop.sdk.subscriptions.resume(sub)


def test_a_resumption_that_nobody_pays_is_void_in_a_day(shop, waits):
    """It stays paused, and can be resumed again."""
    customer, sub = waits
    shop.give(customer, "fails later")
    shop.sdk.subscriptions.resume(sub)
    shop.advance(DAY)
    assert shop.invoices(sub)[0].status == "void"
    assert shop.sdk.subscriptions.retrieve(sub).status == "paused"
    shop.give(customer, "pays")
    assert shop.sdk.subscriptions.resume(sub).status == "active"
