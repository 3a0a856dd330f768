"""Subscription schedules: a change that the portal keeps for the end of the period."""

from sandbox.stripe.errors import Refusal
from sandbox.stripe.ledger import Ledger
from sandbox.stripe.lists import page
from sandbox.stripe.objects import Obj
from sandbox.stripe.periods import add, interval, period_end

OPEN = frozenset({"not_started", "active"})


def at_period_end(ledger: Ledger, subscription: Obj, item_id: str, price: Obj, n: int) -> Obj:
    """The item has this price and quantity from the next period on."""
    release_of(ledger, subscription)
    start = subscription["items"]["data"][0]["current_period_start"]
    end = period_end(subscription)
    now = [(line["price"], line["quantity"]) for line in subscription["items"]["data"]]
    then = [
        (price, n) if line["id"] == item_id else (line["price"], line["quantity"])
        for line in subscription["items"]["data"]
    ]
    made = ledger.add(
        "subscription_schedule",
        customer=subscription["customer"],
        current_phase={"start_date": start, "end_date": end},
        phases=[
            _phase(subscription, now, start, end),
            _phase(subscription, then, end, add(end, *interval(price))),
        ],
        subscription=subscription["id"],
        test_clock=subscription["test_clock"],
    )
    ledger.emit("subscription_schedule.created", made)
    ledger.change("customer.subscription.updated", subscription, schedule=made["id"])
    return made


def _phase(subscription: Obj, lines: list[tuple[Obj, int]], start: int, end: int) -> Obj:
    return {
        "add_invoice_items": [],
        "application_fee_percent": None,
        "automatic_tax": {"enabled": False, "liability": None, "disabled_reason": None},
        "billing_cycle_anchor": None,
        "billing_thresholds": None,
        "collection_method": None,
        "currency": subscription["currency"],
        "default_payment_method": None,
        "default_tax_rates": [],
        "description": None,
        "discounts": [],
        "end_date": end,
        "invoice_settings": None,
        "items": [
            {
                "billing_thresholds": None,
                "discounts": [],
                "metadata": {},
                "price": price["id"],
                "quantity": quantity,
                "tax_rates": [],
            }
            for price, quantity in lines
        ],
        "metadata": {},
        "on_behalf_of": None,
        "proration_behavior": "none",
        "start_date": start,
        "transfer_data": None,
        "trial_end": None,
    }


def carry_out(ledger: Ledger, subscription: Obj) -> None:
    """The period is over: what was kept for its end is done, and the schedule lets go."""
    schedule = ledger.tables["subscription_schedule"].get(subscription["schedule"] or "")
    if schedule is None:
        return
    for line, wanted in zip(
        subscription["items"]["data"], schedule["phases"][1]["items"], strict=False
    ):
        old, new = line["price"], ledger.tables["price"][wanted["price"]]
        line |= {"price": new, "quantity": wanted["quantity"]}
        if interval(old) != interval(new):
            subscription["billing_cycle_anchor"] = line["current_period_end"]
    _let_go(ledger, subscription, schedule)


def release_of(ledger: Ledger, subscription: Obj) -> None:
    """Whatever was kept for the end of the period will not happen."""
    schedule = ledger.tables["subscription_schedule"].get(subscription["schedule"] or "")
    if schedule is not None:
        _let_go(ledger, subscription, schedule)


def _let_go(ledger: Ledger, subscription: Obj, schedule: Obj) -> None:
    schedule |= {
        "status": "released",
        "current_phase": None,
        "released_at": ledger.now(),
        "released_subscription": subscription["id"],
        "subscription": None,
    }
    subscription["schedule"] = None
    ledger.emit("subscription_schedule.released", schedule)


def retrieve(ledger: Ledger, _: Obj, schedule_id: str) -> Obj:
    """One schedule."""
    return ledger.get("subscription_schedule", schedule_id)


def list_all(ledger: Ledger, params: Obj) -> Obj:
    """All, or a customer's."""
    url = "/v1/subscription_schedules"
    return page(ledger, "subscription_schedule", url, params, ("customer",))


def release(ledger: Ledger, _: Obj, schedule_id: str) -> Obj:
    """The subscription goes on as it is."""
    schedule = ledger.get("subscription_schedule", schedule_id)
    if schedule["status"] not in OPEN:
        raise Refusal(f"You cannot release a subscription schedule that is {schedule['status']}.")
    subscription = ledger.tables["subscription"][schedule["subscription"]]
    _let_go(ledger, subscription, schedule)
    ledger.emit("customer.subscription.updated", subscription, {"schedule": schedule_id})
    return schedule
