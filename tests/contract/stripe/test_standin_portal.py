"""The billing portal: what it bills, when it ends a trial, and what it keeps for the period's end."""

import pytest
import stripe

from tests.contract.stripe.alone import DAY, START, Alone

DECREASING, SHORTENING = {"type": "decreasing_item_amount"}, {"type": "shortening_interval"}


@pytest.fixture
def shop():
    """An account of its own, with two plans, one of them yearly too."""
    made = Alone()
    made.basic, made.pro = made.price("basic", 2900), made.price("pro", 9900)
    made.yearly = made.price("pro", 99000, "year")
    return made


def portal(shop, customer, **update):
    offered = [
        {"product": "basic", "prices": [shop.basic]},
        {"product": "pro", "prices": [shop.pro, shop.yearly]},
    ]
    feature = {"enabled": True, "default_allowed_updates": ["price"], "products": offered}
    configuration = shop.sdk.billing_portal.configurations.create(
        {"features": {"subscription_update": feature | update}}
    )
    return shop.sdk.billing_portal.sessions.create(
        {"customer": customer, "configuration": configuration.id, "return_url": "https://a.example"}
    ).url


def switch(shop, subscription, price, **update):
    """The customer takes another price in a portal of that configuration."""
    path = portal(shop, subscription.customer, **update).removeprefix(shop.ledger.url)
    form = {"subscription": subscription.id, "action": "switch", "price": price}
    shop.answer = shop.browser.post(path, data=form)
    return shop.sdk.subscriptions.retrieve(subscription.id)


def product(subscription):
    return subscription["items"].data[0].price.product


def test_the_defaults_are_stripes(shop):
    """Nothing is prorated, and a trial ends with the change."""
    made = shop.sdk.billing_portal.configurations.create(
        {"features": {"subscription_update": {"enabled": False}}}
    )
    feature = made.features.subscription_update
    assert feature.proration_behavior == "none"
    assert feature.trial_update_behavior == "end_trial"
    assert feature.schedule_at_period_end.conditions == []


@pytest.mark.parametrize(
    ("behavior", "at_once", "at_renewal"),
    [("none", 0, 9900), ("create_prorations", 0, 13400), ("always_invoice", 3500, 9900)],
)
def test_a_dearer_plan_is_billed_as_it_is_configured(shop, behavior, at_once, at_renewal):
    """Not at all, with the next invoice, or at once."""
    made = shop.buy(shop.basic)
    shop.advance(15 * DAY)
    after = switch(shop, made, shop.pro, proration_behavior=behavior)
    assert (after.status, product(after)) == ("active", "pro")
    assert sum(i.amount_paid for i in shop.invoices(made.id)) == 2900 + at_once
    shop.advance(16 * DAY)
    assert shop.invoices(made.id)[0].amount_paid == at_renewal


def test_a_dearer_plan_that_is_declined_is_past_due(shop):
    """Until its page, or another card, has paid the difference."""
    made = shop.buy(shop.basic, "fails later")
    shop.advance(15 * DAY)
    after = switch(shop, made, shop.pro, proration_behavior="always_invoice")
    assert (after.status, product(after)) == ("past_due", "pro")
    owed = shop.invoices(made.id)[0]
    assert (owed.amount_remaining, owed.status) == (3500, "open")
    shop.fill_in(owed.hosted_invoice_url)
    assert shop.sdk.subscriptions.retrieve(made.id).status == "active"


def test_a_trial_ends_with_the_change_unless_it_is_to_go_on(shop):
    """`end_trial` bills the new plan at once; `continue_trial` bills it when the trial is over."""
    trial = {"subscription_data": {"trial_period_days": 14}}
    ended = switch(shop, shop.buy(shop.basic, **trial), shop.pro)
    assert (ended.status, product(ended)) == ("active", "pro")
    assert shop.invoices(ended.id)[0].amount_paid == 9900
    goes_on = switch(shop, shop.buy(shop.basic, **trial), shop.pro,
                     trial_update_behavior="continue_trial")  # fmt: skip
    assert (goes_on.status, product(goes_on)) == ("trialing", "pro")
    assert [i.amount_paid for i in shop.invoices(goes_on.id)] == [0]
    shop.advance(15 * DAY)
    assert shop.invoices(goes_on.id)[0].amount_paid == 9900


def kept_for_later(shop, old, new, condition):
    made = shop.buy(old)
    shop.advance(10 * DAY)
    return switch(shop, made, new, proration_behavior="always_invoice",
                  schedule_at_period_end={"conditions": [condition]})  # fmt: skip


def test_a_cheaper_plan_comes_with_the_next_period(shop):
    """Through a subscription schedule, which then lets go."""
    made = kept_for_later(shop, shop.pro, shop.basic, DECREASING)
    assert product(made) == "pro"
    schedule = shop.sdk.subscription_schedules.retrieve(made.schedule)
    assert (schedule.status, schedule.subscription) == ("active", made.id)
    assert [p["items"][0].price for p in schedule.phases] == [shop.pro, shop.basic]
    assert schedule.phases[1].start_date == START + 30 * DAY
    shop.advance(21 * DAY)
    after = shop.sdk.subscriptions.retrieve(made.id)
    assert (product(after), after.schedule) == ("basic", None)
    assert shop.invoices(made.id)[0].amount_paid == 2900
    assert shop.sdk.subscription_schedules.retrieve(schedule.id).status == "released"


def test_a_shorter_interval_comes_with_the_next_period(shop):
    """A year that is paid for is used up."""
    made = kept_for_later(shop, shop.yearly, shop.pro, SHORTENING)
    assert made["items"].data[0].price.id == shop.yearly
    shop.advance(356 * DAY)
    after = shop.sdk.subscriptions.retrieve(made.id)
    assert after["items"].data[0].price.id == shop.pro
    assert after["items"].data[0].current_period_end == START + (365 + 30) * DAY


@pytest.mark.parametrize("released", [True, False])
def test_what_was_kept_for_later_can_be_called_off(shop, released):
    """By releasing the schedule, or by a change of the subscription itself."""
    made = kept_for_later(shop, shop.pro, shop.basic, DECREASING)
    if released:
        shop.sdk.subscription_schedules.release(made.schedule)
        with pytest.raises(stripe.InvalidRequestError, match="cannot release"):
            shop.sdk.subscription_schedules.release(made.schedule)
    else:
        item = made["items"].data[0].id
        shop.sdk.subscriptions.update(made.id, {"items": [{"id": item, "quantity": 2}]})
    shop.advance(21 * DAY)
    assert product(shop.sdk.subscriptions.retrieve(made.id)) == "pro"


def test_a_dearer_plan_is_not_kept_for_later(shop):
    """The conditions are about less, not more."""
    made = kept_for_later(shop, shop.basic, shop.pro, DECREASING)
    assert (product(made), made.schedule) == ("pro", None)


def test_the_portal_changes_no_subscription_of_several_items(shop):
    """As at Stripe: such a one can only be ended there."""
    addon = shop.price("support", 500)
    made = shop.subscribe(shop.customer(), addon, shop.basic)
    after = switch(shop, made, shop.pro)
    assert [i.price.id for i in after["items"].data] == [addon, shop.basic]
    page = shop.browser.get(portal(shop, made.customer).removeprefix(shop.ledger.url)).text
    assert "Support, Basic" in page
    assert "Switch to" not in page
