"""The life of a subscription: begun, renewed, overdue, given up, ended."""

from typing import Any

from sandbox.stripe import cards, charging, invoices, items, schedules
from sandbox.stripe.ledger import Ledger
from sandbox.stripe.objects import Obj, item, listing, shape
from sandbox.stripe.periods import DAY, period_end, set_period

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
    trial_end: int | None = None,
    description: str | None = None,
    coupon: Obj | None = None,
    without_method: str = "create_invoice",
    present: bool = False,
) -> Obj:
    """A subscription: in its trial, or as its first invoice is: paid, or `incomplete`.

    `without_method` is what happens at a trial's end if nothing is there to pay with; `present`
    whether the customer is there to confirm what the bank asks.
    """
    now, sub_id = ledger.now(), ledger.new_id("sub_")
    customer = ledger.tables["customer"][customer_id]
    data = [item(ledger.new_id("si_"), sub_id, price, n, now) for price, n in lines]
    trial_end = now + trial_days * DAY if trial_days else trial_end
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
        test_clock=customer["test_clock"],
        trial_start=now if trial_end else None,
        trial_end=trial_end,
    )
    subscription["trial_settings"] = {"end_behavior": {"missing_payment_method": without_method}}
    customer["currency"] = customer["currency"] or subscription["currency"]
    if coupon:
        ledger.discounts[sub_id] = coupon
    set_period(subscription, now)
    invoice = invoices.make(ledger, subscription, "subscription_create", free=bool(trial_end))
    invoices.finalize(ledger, invoice)
    behaviour = ledger.behaviours.get(charging.method_of(ledger, subscription) or "")
    # The card that fails later pays the first time, whether its holder is there or not.
    pays = behaviour == cards.FAILS_LATER or (
        charging.outcome(behaviour, present=present) == charging.PAYS
    )
    if invoice["amount_due"] and not pays:
        subscription["status"] = "incomplete"
    ledger.emit("customer.subscription.created", subscription)
    charging.collect(ledger, invoice, present=present or behaviour == cards.FAILS_LATER)
    return subscription


def expire_incomplete(ledger: Ledger, subscription: Obj) -> None:
    """The first payment did not come in time."""
    invoices.close(ledger, ledger.tables["invoice"][subscription["latest_invoice"]], "void")
    ledger.change(UPDATED, subscription, status="incomplete_expired", ended_at=ledger.now())


def settle(ledger: Ledger, invoice: Obj) -> None:
    """The bank has answered, and everything that waited for it goes on."""
    subscription = invoices.subscription_of(ledger, invoice)
    paid = charging.settle(ledger, invoice)
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


def bill(ledger: Ledger, subscription: Obj, invoice: Obj) -> bool:
    """Do with a draft what the subscription's state says; False if a charge for it failed.

    While collection is paused it is kept as a draft, voided or given up; an unpaid subscription's
    stays a draft.
    """
    paused = subscription["pause_collection"]
    if subscription["status"] == "unpaid" or (paused and paused["behavior"] == "keep_as_draft"):
        invoice["auto_advance"] = False
        return True
    invoices.finalize(ledger, invoice)
    if paused and invoice["amount_due"]:
        how = "void" if paused["behavior"] == "void" else "uncollectible"
        invoices.close(ledger, invoice, how)
        return True
    return charging.collect(ledger, invoice) or invoice["id"] in ledger.settling


def resume(ledger: Ledger, subscription: Obj) -> Obj:
    """A paused one goes on once the period that begins now is paid for."""
    now = ledger.now()
    subscription["billing_cycle_anchor"] = now
    set_period(subscription, now)
    invoice = invoices.make(ledger, subscription, "subscription_update")
    invoice["auto_advance"] = False  # nobody tries it again; it is voided in time
    if bill(ledger, subscription, invoice):
        _resumed(ledger, subscription)
    return subscription


def _resumed(ledger: Ledger, subscription: Obj) -> None:
    subscription["status"] = "active"
    ledger.emit("customer.subscription.resumed", subscription)


def turn(ledger: Ledger, subscription: Obj) -> None:
    """What happens at the end of a period: the end of it all, or the next one and its invoice."""
    if subscription["cancel_at_period_end"]:
        cancel(ledger, subscription)
        return
    over = period_end(subscription)
    if subscription["status"] == "paused":
        paused = remembered(subscription)
        set_period(subscription, over)
        updated(ledger, subscription, paused)  # nothing changes in silence
        return
    if subscription["status"] != "trialing" or not _ends_for_want_of_a_card(ledger, subscription):
        _renew(ledger, subscription, over)


def _renew(ledger: Ledger, subscription: Obj, over: int) -> None:
    """The next period of what has ended by then, and the invoice for it."""
    before = remembered(subscription)
    if subscription["status"] == "trialing":
        subscription["status"] = "active"
    schedules.carry_out(ledger, subscription)
    ended = [i for i in subscription["items"]["data"] if i["current_period_end"] <= over]
    set_period(subscription, over, ended)
    if not bill(
        ledger, subscription, invoices.make(ledger, subscription, "subscription_cycle", ended)
    ):
        subscription["status"] = "past_due"
    updated(ledger, subscription, before)


def _ends_for_want_of_a_card(ledger: Ledger, subscription: Obj) -> bool:
    if charging.method_of(ledger, subscription):
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
    set_period(subscription, period_end(subscription))
    ledger.emit("customer.subscription.paused", subscription)
    ledger.emit(UPDATED, subscription, {"status": "trialing"})


def end_trial(ledger: Ledger, subscription: Obj) -> None:
    """The first paid period begins now."""
    now = ledger.now()
    subscription |= {"trial_end": now, "billing_cycle_anchor": now}
    for line in subscription["items"]["data"]:
        line["current_period_end"] = now
    if not _ends_for_want_of_a_card(ledger, subscription):
        _renew(ledger, subscription, now)


def try_trial_until(ledger: Ledger, subscription: Obj, at: int) -> None:
    """It costs nothing until then; what was begun and paid for already is not given back."""
    before = remembered(subscription)
    subscription |= {
        "billing_cycle_anchor": at,
        "status": "trialing",
        "trial_end": at,
        "trial_start": subscription["trial_start"] or ledger.now(),
    }
    ledger.announced.discard(subscription["id"])
    for line in subscription["items"]["data"]:
        line["current_period_end"] = at
    updated(ledger, subscription, before)


def retry(
    ledger: Ledger, invoice: Obj, *, method_id: str | None = None, present: bool = False
) -> None:
    """Another attempt at an open invoice; the last one that fails ends the dunning."""
    subscription = invoices.subscription_of(ledger, invoice)
    paid = charging.collect(ledger, invoice, method_id=method_id, present=present)
    if paid:
        _goes_on(ledger, subscription, invoice)
    elif (
        subscription["latest_invoice"] == invoice["id"]
        and subscription["status"] in LIVE
        and invoice["next_payment_attempt"] is None
        and invoice["auto_advance"]
    ):
        if ledger.dunning_end == "cancel":
            cancel(ledger, subscription, reason="payment_failed")
        else:
            ledger.change(UPDATED, subscription, status=ledger.dunning_end)


def _goes_on(ledger: Ledger, subscription: Obj, invoice: Obj) -> None:
    """What was owed is paid."""
    waits = ledger.pending.get(subscription["id"])
    if waits and waits.invoice == invoice["id"]:
        _change_at_last(ledger, subscription)
    elif subscription["status"] == "incomplete":
        ledger.change(UPDATED, subscription, status="active")
    elif subscription["latest_invoice"] != invoice["id"]:
        return
    elif subscription["status"] == "paused":
        _resumed(ledger, subscription)
    elif subscription["status"] in LIVE:
        ledger.change(UPDATED, subscription, status="active")


def _change_at_last(ledger: Ledger, subscription: Obj) -> None:
    """The change that waited for its payment."""
    before = remembered(subscription) | {"pending_update": subscription["pending_update"]}
    items.put(ledger, subscription, list(ledger.pending.pop(subscription["id"]).items))
    subscription["pending_update"] = None
    ledger.emit("customer.subscription.pending_update_applied", subscription)
    updated(ledger, subscription, before)


def give_up_change(ledger: Ledger, subscription: Obj) -> None:
    """What waited for a payment will not happen, and its invoice is void."""
    waits = ledger.pending.pop(subscription["id"])
    subscription["pending_update"] = None
    invoice = ledger.tables["invoice"][waits.invoice]
    if invoice["status"] == "open":
        invoices.close(ledger, invoice, "void")
    ledger.emit("customer.subscription.pending_update_expired", subscription)


def after_closing(ledger: Ledger, invoice: Obj) -> None:
    """An invoice was voided or given up: what waited for its payment does not wait any more."""
    subscription = invoices.subscription_of(ledger, invoice)
    waits = ledger.pending.get(subscription["id"])
    if waits and waits.invoice == invoice["id"]:
        give_up_change(ledger, subscription)
    elif subscription["latest_invoice"] != invoice["id"]:
        return
    elif subscription["status"] == "incomplete":
        ledger.change(UPDATED, subscription, status="incomplete_expired", ended_at=ledger.now())
    elif subscription["status"] in {"past_due", "unpaid"}:
        ledger.change(UPDATED, subscription, status="active")
    elif subscription["status"] == "paused" and invoice["status"] == "uncollectible":
        _resumed(ledger, subscription)


def pay_open(ledger: Ledger, subscription: Obj) -> None:
    """Try what is owed at once, as the portal does after a new card."""
    for invoice in list(ledger.all("invoice", status="open", customer=subscription["customer"])):
        if invoices.subscription_of(ledger, invoice) is subscription:
            retry(ledger, invoice)


def cancel(ledger: Ledger, subscription: Obj, *, reason: str = "cancellation_requested") -> Obj:
    """End it now. What is owed stays open, and can be paid; nobody asks for it any more."""
    now = ledger.now()
    schedules.release_of(ledger, subscription)
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


def remembered(subscription: Obj) -> Obj:
    """What an event tells as it was before a change."""
    return {
        "items": {"data": [shape_of(i) for i in subscription["items"]["data"]]},
        "status": subscription["status"],
        "latest_invoice": subscription["latest_invoice"],
    }


def shape_of(line: Obj) -> Obj:
    """A line as it is now, to be told as it was."""
    return shape("subscription_item") | line


def updated(ledger: Ledger, subscription: Obj, before: Obj) -> None:
    """Tell of a change, with what was otherwise before."""
    changed = {
        key: value
        for key, value in before.items()
        if (subscription["items"]["data"] if key == "items" else subscription[key])
        != (value["data"] if key == "items" else value)
    }
    ledger.emit(UPDATED, subscription, changed)
