"""The life of a subscription: begun, renewed, overdue, given up, ended."""

from typing import Any

from sandbox.stripe import cards, invoices
from sandbox.stripe.ledger import Ledger
from sandbox.stripe.objects import Obj, item, listing, shape
from sandbox.stripe.periods import DAY, end

LIVE = frozenset({"trialing", "active", "past_due", "unpaid", "paused"})
UPDATED = "customer.subscription.updated"


def begin(  # noqa: PLR0913 - what a subscription is made of
    ledger: Ledger,
    customer_id: str,
    lines: list[tuple[Obj, int]],
    method_id: str | None,
    metadata: dict[str, str],
    *,
    trial_days: int = 0,
    description: str | None = None,
    coupon: Obj | None = None,
    without_method: str = "create_invoice",
) -> Obj:
    """A subscription: in its trial, or as its first invoice is: paid, or `incomplete`.

    `without_method` is what happens at a trial's end if nothing is there to pay with.
    """
    now, sub_id = ledger.now(), ledger.new_id("sub_")
    data = [item(ledger.new_id("si_"), sub_id, price, n, now) for price, n in lines]
    trial_end = now + trial_days * DAY if trial_days else None
    subscription = ledger.add(
        "subscription",
        sub_id,
        billing_cycle_anchor=trial_end or now,
        currency=data[0]["price"]["currency"],
        customer=customer_id,
        default_payment_method=method_id,
        description=description,
        items=listing(f"/v1/subscription_items?subscription={sub_id}", data),
        metadata=dict(metadata),
        start_date=now,
        status="trialing" if trial_end else "active",
        trial_start=now if trial_end else None,
        trial_end=trial_end,
    )
    subscription["trial_settings"] = {"end_behavior": {"missing_payment_method": without_method}}
    if coupon:
        ledger.discounts[sub_id] = coupon
    _set_period(subscription, now)
    invoice = invoices.make(ledger, subscription, "subscription_create", 0 if trial_end else None)
    behaviour = ledger.behaviours.get(method_id or "")
    pays = invoice["amount_due"] == 0 or behaviour in {cards.PAYS, cards.FAILS_LATER,
                                                       cards.IS_DISPUTED}  # fmt: skip
    if not pays:
        subscription["status"] = "incomplete"
    ledger.emit("customer.subscription.created", subscription)
    invoices.collect(ledger, invoice)
    return subscription


def expire_incomplete(ledger: Ledger, subscription: Obj) -> None:
    """The first payment did not come in time."""
    invoices.close(ledger, ledger.tables["invoice"][subscription["latest_invoice"]], "void")
    ledger.change(UPDATED, subscription, status="incomplete_expired", ended_at=ledger.now())


def settle(ledger: Ledger, invoice: Obj) -> None:
    """The bank has answered, and everything that waited for it goes on."""
    subscription = invoices.subscription_of(ledger, invoice)
    paid = invoices.settle(ledger, invoice)
    for session in list(ledger.all("checkout.session", invoice=invoice["id"])):
        session["payment_status"] = "paid" if paid else "unpaid"
        how = "succeeded" if paid else "failed"
        ledger.emit(f"checkout.session.async_payment_{how}", session)
    if subscription["status"] == "incomplete":
        if paid:
            ledger.change(UPDATED, subscription, status="active")
        else:
            expire_incomplete(ledger, subscription)
    elif not paid and subscription["status"] == "active":
        ledger.change(UPDATED, subscription, status="past_due")


def resume(ledger: Ledger, subscription: Obj) -> Obj:
    """A paused one goes on: a period begins now, and is billed."""
    now = ledger.now()
    subscription |= {"status": "active", "billing_cycle_anchor": now}
    _set_period(subscription, now)
    if not invoices.collect(ledger, invoices.make(ledger, subscription, "subscription_update")):
        subscription["status"] = "past_due"
    ledger.emit("customer.subscription.resumed", subscription)
    return subscription


def period_end(subscription: Obj) -> int:
    """When the current period ends."""
    return min(int(i["current_period_end"]) for i in subscription["items"]["data"])


def _set_period(subscription: Obj, start: int) -> None:
    for line in subscription["items"]["data"]:
        recurring = line["price"]["recurring"]
        line["current_period_start"] = start
        line["current_period_end"] = (
            subscription["trial_end"]
            if subscription["status"] == "trialing"
            else end(
                subscription["billing_cycle_anchor"],
                recurring["interval"],
                recurring["interval_count"],
                start,
            )
        )
    if subscription["cancel_at_period_end"]:
        subscription["cancel_at"] = period_end(subscription)  # it moves with its period


def turn(ledger: Ledger, subscription: Obj) -> None:
    """What happens at the end of a period: the end of it all, or the next one and its invoice."""
    if subscription["cancel_at_period_end"]:
        cancel(ledger, subscription)
        return
    if subscription["status"] == "paused":
        paused = _remembered(subscription)
        _set_period(subscription, period_end(subscription))
        _updated(ledger, subscription, paused)  # nothing changes in silence
        return
    if subscription["status"] == "trialing" and _ends_for_want_of_a_card(ledger, subscription):
        return
    before = _remembered(subscription)
    if subscription["status"] == "trialing":
        subscription["status"] = "active"
    _set_period(subscription, period_end(subscription))
    invoice = invoices.make(ledger, subscription, "subscription_cycle")
    paused = subscription["pause_collection"]
    if paused:
        if paused["behavior"] != "keep_as_draft":
            invoices.close(
                ledger, invoice, "void" if paused["behavior"] == "void" else "uncollectible"
            )
        else:
            invoice |= {"status": "draft", "auto_advance": False}
    elif subscription["status"] == "unpaid":
        invoice |= {"status": "draft", "auto_advance": False}
    elif not invoices.collect(ledger, invoice) and invoice["id"] not in ledger.settling:
        subscription["status"] = "past_due"
    _updated(ledger, subscription, before)


def _ends_for_want_of_a_card(ledger: Ledger, subscription: Obj) -> bool:
    customer = ledger.tables["customer"][subscription["customer"]]
    usual = customer["invoice_settings"]["default_payment_method"]
    if subscription["default_payment_method"] or usual:
        return False
    wish = subscription["trial_settings"]["end_behavior"]["missing_payment_method"]
    if wish == "cancel":
        cancel(ledger, subscription)
    elif wish == "pause":
        _pause(ledger, subscription)
    return wish in {"cancel", "pause"}


def _pause(ledger: Ledger, subscription: Obj) -> None:
    """The trial is over and there is nothing to pay with: nothing is billed until it resumes."""
    subscription["status"] = "paused"
    _set_period(subscription, period_end(subscription))
    ledger.emit("customer.subscription.paused", subscription)
    ledger.emit(UPDATED, subscription, {"status": "trialing"})


def end_trial(ledger: Ledger, subscription: Obj) -> None:
    """The first paid period begins now."""
    now = ledger.now()
    subscription |= {"trial_end": now, "billing_cycle_anchor": now}
    for line in subscription["items"]["data"]:
        line["current_period_end"] = now
    turn(ledger, subscription)


def retry(ledger: Ledger, invoice: Obj) -> None:
    """Another attempt at an open invoice; the last one that fails ends the dunning."""
    subscription = invoices.subscription_of(ledger, invoice)
    paid = invoices.collect(ledger, invoice)
    if paid and subscription["status"] == "incomplete":
        ledger.change(UPDATED, subscription, status="active")
        return
    if subscription["latest_invoice"] != invoice["id"] or subscription["status"] not in LIVE:
        return
    if paid:
        ledger.change(UPDATED, subscription, status="active")
    elif invoice["next_payment_attempt"] is None:
        if ledger.dunning_end == "cancel":
            cancel(ledger, subscription, reason="payment_failed")
        else:
            ledger.change(UPDATED, subscription, status=ledger.dunning_end)


def pay_open(ledger: Ledger, subscription: Obj) -> None:
    """Try what is owed at once, as the portal does after a new card."""
    for invoice in list(ledger.all("invoice", status="open", customer=subscription["customer"])):
        if invoices.subscription_of(ledger, invoice) is subscription:
            retry(ledger, invoice)


def cancel(ledger: Ledger, subscription: Obj, *, reason: str = "cancellation_requested") -> Obj:
    """End it now."""
    now = ledger.now()
    subscription |= {
        "status": "canceled",
        "ended_at": now,
        "canceled_at": subscription["canceled_at"] or now,
        "cancellation_details": subscription["cancellation_details"] | {"reason": reason},
    }
    for invoice in list(ledger.all("invoice", status="open", customer=subscription["customer"])):
        if invoices.subscription_of(ledger, invoice) is subscription:
            invoice |= {"auto_advance": False, "next_payment_attempt": None}
    ledger.emit("customer.subscription.deleted", subscription)
    return subscription


def set_cancellation(ledger: Ledger, subscription: Obj, *, at_period_end: bool) -> None:
    """End it with the period that is paid for, or go on after all."""
    details: dict[str, Any] = subscription["cancellation_details"] | {
        "reason": "cancellation_requested" if at_period_end else None
    }
    ledger.change(
        UPDATED,
        subscription,
        cancel_at_period_end=at_period_end,
        cancel_at=period_end(subscription) if at_period_end else None,
        canceled_at=ledger.now() if at_period_end else None,
        cancellation_details=details,
    )


def switch(ledger: Ledger, subscription: Obj, line: Obj, price: Obj, quantity: int) -> None:
    """Another price from now on. Another interval starts a period and is billed at once.

    Within the same interval Stripe would put a proration on the next invoice; here there is none.
    """
    before = _remembered(subscription)
    old = line["price"]["recurring"]
    line |= {"price": price, "quantity": quantity}
    same = (old["interval"], old["interval_count"]) == (
        price["recurring"]["interval"],
        price["recurring"]["interval_count"],
    )
    if not same and subscription["status"] != "trialing":
        subscription["billing_cycle_anchor"] = ledger.now()
        _set_period(subscription, ledger.now())
        if not invoices.collect(ledger, invoices.make(ledger, subscription, "subscription_update")):
            subscription["status"] = "past_due"
    _updated(ledger, subscription, before)


def _remembered(subscription: Obj) -> Obj:
    return {
        "items": {"data": [shape_of(i) for i in subscription["items"]["data"]]},
        "status": subscription["status"],
        "latest_invoice": subscription["latest_invoice"],
    }


def shape_of(line: Obj) -> Obj:
    """A line as it is now, to be told as it was."""
    return shape("subscription_item") | line


def _updated(ledger: Ledger, subscription: Obj, before: Obj) -> None:
    changed = {
        key: value
        for key, value in before.items()
        if (subscription["items"]["data"] if key == "items" else subscription[key])
        != (value["data"] if key == "items" else value)
    }
    ledger.emit(UPDATED, subscription, changed)
