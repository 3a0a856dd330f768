"""Subscriptions of several items, quantities, and prices that are changed in the middle of a period."""

import pytest
import stripe

from sandbox.stripe import prorations
from tests.contract.stripe.alone import DAY, START, Alone


@pytest.fixture
def shop():
    """An account of its own."""
    return Alone()


def items_of(subscription):
    return [(i.price.product, i.quantity) for i in subscription["items"].data]


def lines_of(invoice):
    return [(line.description, line.amount) for line in invoice.lines.data]


def test_a_subscription_may_have_several_items_in_any_order(shop):
    """An add-on of another product may stand first; each item is billed and has its own period."""
    addon, pro = shop.price("support", 500), shop.price("pro", 9900)
    made = shop.subscribe(shop.customer(), {"price": addon, "quantity": 3}, pro)
    assert items_of(made) == [("support", 3), ("pro", 1)]
    (invoice,) = shop.invoices(made.id)
    assert lines_of(invoice) == [("Support", 1500), ("Pro", 9900)]
    assert (invoice.total, invoice.amount_paid) == (11400, 11400)
    assert {i.current_period_end for i in made["items"].data} == {START + 30 * DAY}


def test_items_of_different_intervals_have_periods_of_their_own(shop):
    """The yearly one is not billed each month."""
    yearly, monthly = shop.price("support", 5000, "year"), shop.price("pro", 9900)
    made = shop.subscribe(shop.customer(), yearly, monthly)
    shop.advance(31 * DAY)
    newest, first = shop.invoices(made.id)
    assert lines_of(first) == [("Support", 5000), ("Pro", 9900)]
    assert lines_of(newest) == [("Pro", 9900)]
    ends = [i.current_period_end for i in shop.sdk.subscriptions.retrieve(made.id)["items"].data]
    assert ends == [START + 365 * DAY, START + 61 * DAY]


def test_items_are_added_changed_and_taken_away(shop):
    """Without an id one is added, with its id one is changed, `deleted` takes it away."""
    basic, pro, addon = shop.price("basic", 2900), shop.price("pro", 9900), shop.price("extra", 500)
    made = shop.subscribe(shop.customer(), basic)
    (item,) = made["items"].data
    both = shop.sdk.subscriptions.update(
        made.id, {"items": [{"price": addon, "quantity": 2}, {"id": item.id, "price": pro}]}
    )
    assert items_of(both) == [("pro", 1), ("extra", 2)]
    assert both["items"].data[0].id == item.id
    one = shop.sdk.subscriptions.update(made.id, {"items": [{"id": item.id, "deleted": True}]})
    assert items_of(one) == [("extra", 2)]
    listed = shop.sdk.subscription_items.list({"subscription": made.id}).data
    assert [i.price.id for i in listed] == [addon]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"id": "its own", "deleted": True}, "at least one active item"),
        ({"price": "the same"}, "multiple subscription items with the same"),
        ({"id": "si_nothing", "price": "the same"}, "No such subscription item"),
        ({"quantity": 2}, "Missing required param"),
    ],
)
def test_a_change_that_stripe_would_refuse_changes_nothing(shop, change, said):
    """The last item, the same price twice, an item of nobody's, nothing named."""
    basic = shop.price("basic", 2900)
    made = shop.subscribe(shop.customer(), basic)
    named = {"its own": made["items"].data[0].id, "the same": basic}
    change = {key: named.get(value, value) for key, value in change.items()}
    with pytest.raises(stripe.InvalidRequestError, match=said):
        shop.sdk.subscriptions.update(made.id, {"items": [change]})
    assert items_of(shop.sdk.subscriptions.retrieve(made.id)) == [("basic", 1)]


def test_a_quantity_is_charged_as_often(shop):
    """Also on a plan that is not sold by seats."""
    made = shop.subscribe(shop.customer(), {"price": shop.price("basic", 2900), "quantity": 5})
    assert shop.invoices(made.id)[0].amount_paid == 5 * 2900


@pytest.mark.parametrize(
    ("amount", "left", "expected"),
    [(2900, 15 * DAY, 1450), (9900, 15 * DAY, 4950), (2900, 1, 0), (2900, 30 * DAY, 2900),
     (2900, 31 * DAY, 2900), (9999, 10 * DAY + 1, 3333), (100, 447 * 29, 1)],
)  # fmt: skip
def test_a_part_is_reckoned_to_the_second(amount, left, expected):
    """Rounded to the nearest cent, and never more than the whole."""
    end = START + 30 * DAY
    assert prorations.part(amount, START, end, end - left) == expected


def upgraded(shop, card="pays", **how):
    basic, pro = shop.price("basic", 2900), shop.price("pro", 9900)
    customer = shop.customer(card)
    made = shop.subscribe(customer, basic)
    shop.advance(15 * DAY)
    item = made["items"].data[0].id
    return shop.sdk.subscriptions.update(made.id, {"items": [{"id": item, "price": pro}], **how})


UNUSED, REMAINING = (
    ("Unused time on Basic after 16 Jun 2026", -1450),
    ("Remaining time on Pro after 16 Jun 2026", 4950),
)


def test_a_dearer_price_is_billed_with_the_next_invoice(shop):
    """`create_prorations` is the default: two lines wait until the period ends."""
    after = upgraded(shop)
    assert (after.status, items_of(after)) == ("active", [("pro", 1)])
    assert len(shop.invoices(after.id)) == 1
    waiting = shop.sdk.invoice_items.list({"pending": True}).data
    assert sorted(i.amount for i in waiting) == [-1450, 4950]
    shop.advance(16 * DAY)
    newest = shop.invoices(after.id)[0]
    assert lines_of(newest) == [UNUSED, REMAINING, ("Pro", 9900)]
    assert newest.amount_paid == 9900 + 3500
    assert shop.sdk.invoice_items.list({"pending": True}).data == []
    prorated = [p.parent.subscription_item_details.proration for p in newest.lines.data]
    assert prorated == [True, True, False]


def test_a_dearer_price_is_billed_at_once_when_that_is_asked_for(shop):
    """`always_invoice`: an invoice of the difference, charged now."""
    after = upgraded(shop, proration_behavior="always_invoice")
    newest = shop.invoices(after.id)[0]
    assert lines_of(newest) == [UNUSED, REMAINING]
    assert (newest.status, newest.amount_paid) == ("paid", 3500)
    assert newest.billing_reason == "subscription_update"
    shop.advance(16 * DAY)
    assert shop.invoices(after.id)[0].amount_paid == 9900


def test_without_prorations_the_rest_of_the_period_is_a_present(shop):
    """`none`: the new price counts from the next invoice on."""
    after = upgraded(shop, proration_behavior="none")
    assert len(shop.invoices(after.id)) == 1
    shop.advance(16 * DAY)
    assert shop.invoices(after.id)[0].amount_paid == 9900


def test_a_difference_that_is_declined_leaves_it_past_due_at_the_new_price(shop):
    """`allow_incomplete`, the default; once the invoice is paid it is active again."""
    after = upgraded(shop, "fails later", proration_behavior="always_invoice")
    assert (after.status, items_of(after)) == ("past_due", [("pro", 1)])
    newest = shop.invoices(after.id)[0]
    assert (newest.status, newest.amount_due, newest.amount_paid) == ("open", 3500, 0)
    shop.give(after.customer, "pays")
    shop.sdk.invoices.pay(newest.id)
    assert shop.sdk.subscriptions.retrieve(after.id).status == "active"


def test_an_error_can_be_asked_for_in_place_of_an_open_invoice(shop):
    """`error_if_incomplete`: 402, and nothing has changed."""
    with pytest.raises(stripe.CardError) as refused:
        upgraded(shop, "fails later", proration_behavior="always_invoice",
                 payment_behavior="error_if_incomplete")  # fmt: skip
    assert refused.value.http_status == 402
    (only,) = shop.sdk.subscriptions.list().data
    assert (only.status, items_of(only)) == ("active", [("basic", 1)])
    assert len(shop.invoices(only.id)) == 1
    assert shop.sdk.invoice_items.list({"pending": True}).data == []


PENDING = {
    "proration_behavior": "always_invoice",
    "payment_behavior": "pending_if_incomplete",
}


def test_a_change_can_wait_for_its_payment(shop):
    """`pending_if_incomplete`: the old price stands until the invoice is paid."""
    after = upgraded(shop, "fails later", **PENDING)
    assert (after.status, items_of(after)) == ("active", [("basic", 1)])
    assert after.pending_update.subscription_items[0].price.product == "pro"
    shop.give(after.customer, "pays")
    shop.sdk.invoices.pay(after.latest_invoice)
    paid = shop.sdk.subscriptions.retrieve(after.id)
    assert (paid.status, items_of(paid), paid.pending_update) == ("active", [("pro", 1)], None)
    assert "customer.subscription.pending_update_applied" in shop.types()


@pytest.mark.parametrize("voided", [False, True])
def test_a_change_that_nobody_pays_for_is_given_up(shop, voided):
    """After 23 hours, or when its invoice is voided: the old price stays."""
    after = upgraded(shop, "fails later", **PENDING)
    if voided:
        shop.sdk.invoices.void_invoice(after.latest_invoice)
    else:
        shop.advance(DAY)
    found = shop.sdk.subscriptions.retrieve(after.id)
    assert (found.status, items_of(found), found.pending_update) == ("active", [("basic", 1)], None)
    assert shop.sdk.invoices.retrieve(after.latest_invoice).status == "void"
    assert "customer.subscription.pending_update_expired" in shop.types()


def test_what_is_too_much_is_credited(shop):
    """A cheaper price at once: nothing is paid back, the next invoices cost less."""
    pro, basic = shop.price("pro", 9900), shop.price("basic", 2900)
    made = shop.subscribe(shop.customer(), pro)
    shop.advance(15 * DAY)
    change = {"items": [{"id": made["items"].data[0].id, "price": basic}]}
    shop.sdk.subscriptions.update(made.id, {**change, "proration_behavior": "always_invoice"})
    credit = shop.invoices(made.id)[0]
    assert (credit.total, credit.amount_due, credit.status) == (-3500, 0, "paid")
    assert shop.sdk.customers.retrieve(made.customer).balance == -3500
    shop.advance(16 * DAY)
    assert shop.invoices(made.id)[0].amount_due == 0
    assert shop.sdk.customers.retrieve(made.customer).balance == -600
    shop.advance(31 * DAY)
    assert shop.invoices(made.id)[0].amount_paid == 2300


def test_another_interval_begins_a_period_and_is_billed_at_once(shop):
    """The unused time comes off the year that begins now."""
    basic, yearly = shop.price("basic", 2900), shop.price("basic", 29000, "year")
    made = shop.subscribe(shop.customer(), basic)
    shop.advance(15 * DAY)
    item = made["items"].data[0].id
    after = shop.sdk.subscriptions.update(made.id, {"items": [{"id": item, "price": yearly}]})
    newest = shop.invoices(made.id)[0]
    assert lines_of(newest) == [UNUSED, ("Basic", 29000)]
    assert newest.amount_paid == 27550
    assert after["items"].data[0].current_period_end == shop.now + 365 * DAY


def test_within_a_trial_nothing_is_prorated(shop):
    """A trial costs nothing, whatever is tried."""
    basic, pro = shop.price("basic", 2900), shop.price("pro", 9900)
    made = shop.subscribe(shop.customer(), basic, trial_period_days=14)
    item = made["items"].data[0].id
    how = {"items": [{"id": item, "price": pro}], "proration_behavior": "always_invoice"}
    after = shop.sdk.subscriptions.update(made.id, how)
    assert (after.status, after.trial_end) == ("trialing", START + 14 * DAY)
    assert [i.amount_due for i in shop.invoices(made.id)] == [0]
    shop.advance(15 * DAY)
    assert shop.invoices(made.id)[0].amount_paid == 9900


def test_a_trial_is_ended_and_prolonged(shop):
    """`trial_end`: a moment, or `now`."""
    made = shop.subscribe(shop.customer(), shop.price("basic", 2900), trial_end=START + 3 * DAY)
    assert (made.status, made.trial_end) == ("trialing", START + 3 * DAY)
    longer = shop.sdk.subscriptions.update(made.id, {"trial_end": START + 9 * DAY})
    assert longer["items"].data[0].current_period_end == START + 9 * DAY
    shop.advance(5 * DAY)
    ended = shop.sdk.subscriptions.update(made.id, {"trial_end": "now"})
    assert (ended.status, ended.trial_end) == ("active", shop.now)
    assert shop.invoices(made.id)[0].amount_paid == 2900
