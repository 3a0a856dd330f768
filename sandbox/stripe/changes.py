"""Another price, another quantity, another item: when it is billed, and what if that fails."""

from dataclasses import dataclass

from sandbox.stripe import charging, invoices, items, prorations, schedules, subscriptions
from sandbox.stripe.errors import Refusal
from sandbox.stripe.items import Wanted
from sandbox.stripe.ledger import Ledger, Pending
from sandbox.stripe.objects import Obj, item
from sandbox.stripe.periods import interval

PAYMENT_REQUIRED = 402


@dataclass(frozen=True, slots=True)
class Terms:
    """How a change is billed, by the names of Stripe's parameters.

    Attributes:
        proration_behavior: create_prorations (with the next invoice), always_invoice, none.
        payment_behavior: what if an invoice that is due at once is not paid.
        proration_date: from when on it is reckoned, epoch seconds; now, when None.
    """

    proration_behavior: str = "create_prorations"
    payment_behavior: str = "allow_incomplete"
    proration_date: int | None = None


def change(ledger: Ledger, subscription: Obj, new: Wanted, terms: Terms) -> None:
    """Carry out a change of items.

    Raises:
        Refusal: `error_if_incomplete`, and the invoice would not be paid; nothing has changed.
    """
    prorated: list[Obj] = []
    if terms.proration_behavior != "none":
        at = terms.proration_date or ledger.now()
        prorated = prorations.reckon(ledger, subscription, new, at)
    there = {line["id"]: line["price"] for line in subscription["items"]["data"]}
    restarts = subscription["status"] != "trialing" and any(
        item_id and interval(price) != interval(there[item_id]) for item_id, price, _ in new
    )
    bills = restarts or (bool(prorated) and terms.proration_behavior == "always_invoice")
    due = _due(ledger, subscription, new, prorated, restarts=restarts)
    if bills and due > 0 and not charging.would_pay(ledger, subscription):
        if terms.payment_behavior == "error_if_incomplete":
            raise Refusal(
                "Your card was declined.",
                status=PAYMENT_REQUIRED, kind="card_error", code="card_declined",
            )  # fmt: skip
        if terms.payment_behavior == "pending_if_incomplete":
            _wait_for_payment(ledger, subscription, new, prorated)
            return
    before = subscriptions.remembered(subscription)
    prorations.book(ledger, subscription, prorated)
    items.put(ledger, subscription, new)
    if bills:
        billed = subscription["items"]["data"] if restarts else []
        invoice = invoices.make(ledger, subscription, "subscription_update", billed)
        if terms.payment_behavior == "default_incomplete":
            invoices.finalize(ledger, invoice)
            paid = invoice["amount_due"] == 0 and charging.collect(ledger, invoice)
        else:
            paid = subscriptions.bill(ledger, subscription, invoice)
        if not paid:
            subscription["status"] = "past_due"
    subscriptions.updated(ledger, subscription, before)


def _due(
    ledger: Ledger, subscription: Obj, new: Wanted, prorated: list[Obj], *, restarts: bool
) -> int:
    """What an invoice for the change would ask for now."""
    booked = sum(x["amount"] for x in prorations.waiting(ledger, subscription))
    whole = sum(price["unit_amount"] * n for _, price, n in new) if restarts else 0
    balance = ledger.tables["customer"][subscription["customer"]]["balance"]
    return int(booked + sum(x["amount"] for x in prorated) + whole + balance)


def _wait_for_payment(ledger: Ledger, subscription: Obj, new: Wanted, prorated: list[Obj]) -> None:
    """The invoice is there and asks to be paid; the subscription changes when it is."""
    if subscription["id"] in ledger.pending:
        subscriptions.give_up_change(ledger, subscription)
    prorations.book(ledger, subscription, prorated)
    before = subscriptions.remembered(subscription) | {"pending_update": None}
    invoice = invoices.make(ledger, subscription, "subscription_update", [])
    invoice["auto_advance"] = False
    ledger.pending[subscription["id"]] = Pending(invoice["id"], tuple(new))
    now = ledger.now()
    subscription["pending_update"] = {
        "billing_cycle_anchor": None,
        "expires_at": now + invoices.VOID_AFTER,
        "subscription_items": [
            item(item_id or "", subscription["id"], price, n, now) for item_id, price, n in new
        ],
        "trial_end": None,
        "trial_from_plan": None,
    }
    invoices.finalize(ledger, invoice)
    charging.collect(ledger, invoice)
    subscriptions.updated(ledger, subscription, before)


def switch(
    ledger: Ledger, subscription: Obj, line: Obj, price: Obj, terms: Terms | None = None
) -> None:
    """Another price for one item; without terms nothing is prorated."""
    new = items.wanted(ledger, subscription, [{"id": line["id"], "price": price["id"]}])
    change(ledger, subscription, new, terms or Terms("none"))


def switch_in_portal(
    ledger: Ledger, subscription: Obj, line: Obj, price: Obj, feature: Obj
) -> None:
    """What a customer takes in the portal, by the configuration's `subscription_update`."""
    if subscription["status"] != "trialing" and _is_kept_for_later(line["price"], price, feature):
        schedules.at_period_end(ledger, subscription, line["id"], price, line["quantity"])
        return
    schedules.release_of(ledger, subscription)
    switch(ledger, subscription, line, price, Terms(feature["proration_behavior"]))
    if subscription["status"] == "trialing" and feature["trial_update_behavior"] == "end_trial":
        subscriptions.end_trial(ledger, subscription)


def _is_kept_for_later(old: Obj, new: Obj, feature: Obj) -> bool:
    kinds = {c["type"] for c in (feature["schedule_at_period_end"] or {}).get("conditions") or []}
    return ("decreasing_item_amount" in kinds and new["unit_amount"] < old["unit_amount"]) or (
        "shortening_interval" in kinds and _days(new) < _days(old)
    )


def _days(price: Obj) -> int:
    name, count = interval(price)
    return {"day": 1, "week": 7, "month": 30, "year": 365}[name] * int(count)
