"""What is owed: tried again, paid at last, given up; and what a subscription does then."""

from sandbox.stripe import charging, invoices, items, subscriptions
from sandbox.stripe.ledger import Ledger
from sandbox.stripe.objects import Obj


def expire_incomplete(ledger: Ledger, subscription: Obj) -> None:
    """The first payment did not come in time."""
    invoices.close(ledger, ledger.tables["invoice"][subscription["latest_invoice"]], "void")
    ledger.change(
        subscriptions.UPDATED, subscription, status="incomplete_expired", ended_at=ledger.now()
    )


def settle(ledger: Ledger, invoice: Obj) -> None:
    """The bank has answered, and everything that waited for it goes on."""
    subscription = invoices.subscription_of(ledger, invoice)
    paid = charging.settle(ledger, invoice)
    for session in list(ledger.all("checkout.session", invoice=invoice["id"])):
        session["payment_status"] = "paid" if paid else "unpaid"
        how = "succeeded" if paid else "failed"
        ledger.emit(f"checkout.session.async_payment_{how}", session)
    if paid:
        _goes_on(ledger, subscription, invoice)
    elif subscription["status"] == "incomplete":
        expire_incomplete(ledger, subscription)
    elif subscription["status"] == "active":
        ledger.change(subscriptions.UPDATED, subscription, status="past_due")


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
        and subscription["status"] in subscriptions.LIVE
        and invoice["next_payment_attempt"] is None
        and invoice["auto_advance"]
    ):
        if ledger.dunning_end == "cancel":
            subscriptions.cancel(ledger, subscription, reason="payment_failed")
        elif ledger.dunning_end == "pause":
            subscriptions.pause(ledger, subscription)
        else:
            ledger.change(subscriptions.UPDATED, subscription, status=ledger.dunning_end)


def _goes_on(ledger: Ledger, subscription: Obj, invoice: Obj) -> None:
    """What was owed is paid."""
    waits = ledger.pending.get(subscription["id"])
    if waits and waits.invoice == invoice["id"]:
        _change_at_last(ledger, subscription)
    elif subscription["status"] == "incomplete":
        ledger.change(subscriptions.UPDATED, subscription, status="active")
    elif subscription["latest_invoice"] != invoice["id"]:
        return
    elif subscription["status"] == "paused":
        subscriptions.resumed(ledger, subscription)
    elif subscription["status"] in subscriptions.LIVE:
        ledger.change(subscriptions.UPDATED, subscription, status="active")


def _change_at_last(ledger: Ledger, subscription: Obj) -> None:
    """The change that waited for its payment."""
    before = subscriptions.remembered(subscription) | {
        "pending_update": subscription["pending_update"]
    }
    items.put(ledger, subscription, list(ledger.pending.pop(subscription["id"]).items))
    subscription["pending_update"] = None
    ledger.emit("customer.subscription.pending_update_applied", subscription)
    subscriptions.updated(ledger, subscription, before)


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
        ledger.change(
            subscriptions.UPDATED, subscription, status="incomplete_expired", ended_at=ledger.now()
        )
    elif subscription["status"] in {"past_due", "unpaid"}:
        ledger.change(subscriptions.UPDATED, subscription, status="active")
    elif subscription["status"] == "paused" and invoice["status"] == "uncollectible":
        subscriptions.resumed(ledger, subscription)


def pay_open(ledger: Ledger, subscription: Obj) -> None:
    """Try what is owed at once, as the portal does after a new card."""
    for invoice in list(ledger.all("invoice", status="open", customer=subscription["customer"])):
        if invoices.subscription_of(ledger, invoice) is subscription:
            retry(ledger, invoice)
