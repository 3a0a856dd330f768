"""What can be sold: prices and products that were archived, intervals, currencies, cards that ask."""

import pytest
import stripe

from sandbox.stripe import cards, checkout
from sandbox.stripe.errors import Refusal
from tests.contract.stripe.alone import CARDS, DAY, START, Alone


@pytest.fixture
def shop():
    """An account of its own."""
    return Alone()


def test_nothing_is_sold_at_an_archived_price(shop):
    """400, with the place of the price."""
    price = shop.price("basic", 2900)
    shop.sdk.prices.update(price, {"active": False})
    with pytest.raises(stripe.InvalidRequestError, match="only accepts active prices") as refused:
        shop.session(price)
    assert (refused.value.http_status, refused.value.param) == (400, "line_items[0][price]")
    with pytest.raises(stripe.InvalidRequestError, match="only accepts active prices"):
        shop.subscribe(shop.customer(), price)


def test_nothing_of_an_archived_product_is_sold(shop):
    """Though its prices say that they are active."""
    price = shop.price("basic", 2900)
    shop.sdk.products.update("basic", {"active": False})
    assert shop.sdk.prices.retrieve(price).active is True
    with pytest.raises(stripe.InvalidRequestError) as refused:
        shop.session(price)
    assert (refused.value.http_status, refused.value.param) == (400, "line_items[0][price]")


@pytest.mark.parametrize("archived", ["price", "product"])
def test_an_open_session_of_something_archived_leads_nowhere(shop, archived):
    """The page does not render, and nothing can be paid on it; its line says why."""
    price = shop.price("basic", 2900)
    session = shop.session(price)
    if archived == "price":
        shop.sdk.prices.update(price, {"active": False})
    else:
        shop.sdk.products.update("basic", {"active": False})
    assert shop.browser.get(f"/c/pay/{session.id}").status_code == 404
    for card in ("pays", "asks once"):
        assert shop.fill_in(session.url, card).status_code == 404
    with pytest.raises(Refusal, match="no longer for sale"):
        checkout.complete(
            shop.ledger, session.id, cards.read(CARDS["pays"], "12/40", "1234", START)
        )
    found = shop.sdk.checkout.sessions.retrieve(session.id, {"expand": ["line_items"]})
    assert (found.status, found.subscription) == ("open", None)
    assert found.line_items.data[0].price.active is (archived == "product")


def test_who_pays_an_archived_price_keeps_it(shop):
    """It renews, and its other fields can be changed; it cannot be chosen again."""
    price = shop.price("basic", 2900)
    made = shop.subscribe(shop.customer(), price)
    shop.sdk.prices.update(price, {"active": False})
    shop.advance(31 * DAY)
    assert shop.invoices(made.id)[0].amount_paid == 2900
    item = made["items"].data[0].id
    after = shop.sdk.subscriptions.update(made.id, {"items": [{"id": item, "quantity": 2}]})
    assert after["items"].data[0].quantity == 2


def test_a_default_price_is_not_archived(shop):
    """Not until its product has another, or none."""
    made = shop.sdk.products.create({
        "name": "Basic",
        "default_price_data": {"currency": "usd", "unit_amount": 2900,
                               "recurring": {"interval": "month"}},
    })  # fmt: skip
    with pytest.raises(stripe.InvalidRequestError, match="default price of its product") as refused:
        shop.sdk.prices.update(made.default_price, {"active": False})
    assert refused.value.http_status == 400
    assert shop.sdk.prices.retrieve(made.default_price).active is True
    shop.sdk.products.update(made.id, {"default_price": ""})
    assert shop.sdk.prices.update(made.default_price, {"active": False}).active is False
    with pytest.raises(stripe.InvalidRequestError):
        shop.sdk.products.update(made.id, {"default_price": made.default_price})


def test_prices_are_found_by_lookup_key_and_product(shop):
    """Archived ones only when they are asked for."""
    shop.price("basic", 2900)
    keyed = shop.sdk.prices.create({
        "product": "basic", "unit_amount": 1900, "currency": "usd", "lookup_key": "basic-month",
        "recurring": {"interval": "month"}, "active": False,
    }).id  # fmt: skip
    assert [p.id for p in shop.sdk.prices.list({"lookup_keys": ["basic-month"]}).data] == [keyed]
    listed = {"lookup_keys": ["basic-month"], "active": True}
    assert shop.sdk.prices.list(listed).data == []
    assert len(shop.sdk.prices.list({"product": "basic"}).data) == 2


def test_a_price_may_be_paid_every_three_months(shop):
    """`interval_count`."""
    made = shop.buy(shop.price("basic", 8000, count=3))
    assert made["items"].data[0].current_period_end == START + (30 + 31 + 31) * DAY
    shop.advance(93 * DAY)
    assert len(shop.invoices(made.id)) == 2


def test_a_customer_has_one_currency(shop):
    """Stripe's own words, and no code, at each place where another could be taken."""
    usd, eur = shop.price("basic", 2900), shop.price("basic", 2900, currency="eur")
    customer = shop.customer()
    shop.subscribe(customer, usd)
    for ask in (
        lambda: shop.session(eur, customer=customer),
        lambda: shop.subscribe(customer, eur),
    ):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            ask()
        assert (refused.value.http_status, refused.value.code) == (400, None)
        assert refused.value.user_message == (
            "You cannot combine currencies on a single customer. This customer has had a "
            "subscription, coupon, or invoice item with currency usd"
        )
    assert shop.session(eur, customer=shop.customer()).currency == "eur"


CONFIRMED = {"authentication": "complete"}


@pytest.mark.parametrize("card", ["asks once", "always asks"])
def test_a_bank_may_ask_its_cardholder_at_checkout(shop, card):
    """3-D Secure: nothing is sold before it is confirmed."""
    session = shop.session(shop.price("basic", 2900))
    asked = shop.fill_in(session.url, card)
    assert asked.status_code == 200
    assert "Complete" in asked.text
    assert shop.sdk.subscriptions.list().data == []
    confirmed = shop.browser.post(f"/c/pay/{session.id}", data=CONFIRMED)
    assert confirmed.status_code == 303
    assert shop.sdk.checkout.sessions.retrieve(session.id).payment_status == "paid"


def test_a_cardholder_may_say_no(shop):
    """The session stays open, another card pays; a confirmation of nothing confirms nothing."""
    session = shop.session(shop.price("basic", 2900))
    shop.fill_in(session.url, "asks once")
    refused = shop.browser.post(f"/c/pay/{session.id}", data={"authentication": "fail"})
    assert refused.status_code == 402
    assert "unable to authenticate" in refused.text
    assert shop.browser.post(f"/c/pay/{session.id}", data=CONFIRMED).status_code == 402
    assert shop.sdk.subscriptions.list().data == []
    assert shop.fill_in(session.url).status_code == 303


def test_a_card_that_was_set_up_renews_without_a_question(shop):
    """…3155 asks once: it was set up for what comes when it was confirmed."""
    made = shop.buy(shop.price("basic", 2900), "asks once")
    shop.advance(31 * DAY)
    assert [i.status for i in shop.invoices(made.id)] == ["paid", "paid"]


def test_a_card_that_always_asks_cannot_renew_by_itself(shop):
    """…3184: past due, told by an event of its own, and paid on the invoice's page."""
    made = shop.buy(shop.price("basic", 2900), "always asks")
    shop.advance(31 * DAY)
    assert shop.sdk.subscriptions.retrieve(made.id).status == "past_due"
    assert shop.types("invoice.payment_action_required") == ["invoice.payment_action_required"]
    invoice = shop.invoices(made.id)[0]
    (intent, _) = shop.sdk.payment_intents.list({"customer": made.customer}).data
    assert intent.status == "requires_action"
    assert shop.fill_in(invoice.hosted_invoice_url, "always asks").status_code == 200
    paid = shop.browser.post(f"/i/{invoice.id}", data=CONFIRMED)
    assert paid.status_code == 303
    assert shop.sdk.subscriptions.retrieve(made.id).status == "active"


def test_a_first_payment_that_needs_its_holder_is_incomplete(shop):
    """Made without them there: nothing is taken until it is paid."""
    made = shop.subscribe(shop.customer("always asks"), shop.price("basic", 2900))
    assert made.status == "incomplete"
    shop.advance(DAY)
    assert shop.sdk.subscriptions.retrieve(made.id).status == "incomplete_expired"


def test_a_customer_that_is_gone_leaves_no_trace(shop):
    """Unlike one that was deleted: no call knows it, nor anything that was its own."""
    price = shop.price("basic", 2900)
    made = shop.buy(price)
    customer = made.customer
    shop.state.vanish(customer)
    with pytest.raises(stripe.InvalidRequestError, match=f"No such customer: '{customer}'") as gone:
        shop.sdk.customers.retrieve(customer)
    assert (gone.value.http_status, gone.value.code) == (404, "resource_missing")
    for ask in (
        lambda: shop.sdk.subscriptions.list({"customer": customer, "status": "all"}),
        lambda: shop.session(price, customer=customer),
        lambda: shop.sdk.subscriptions.retrieve(made.id),
        lambda: shop.sdk.invoices.retrieve(made.latest_invoice),
        lambda: shop.sdk.customers.delete(customer),
    ):
        with pytest.raises(stripe.InvalidRequestError) as gone:
            ask()
        assert gone.value.code == "resource_missing"
    shop.advance(40 * DAY)
    deleted = shop.customer()
    shop.sdk.customers.delete(deleted)
    assert shop.sdk.customers.retrieve(deleted).deleted is True
