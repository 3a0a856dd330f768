"""Invoices charged: by the card that is there, by a bank that takes days, or not at all."""

from typing import Any

from sandbox.stripe import cards, disputes, invoices
from sandbox.stripe.ledger import Ledger
from sandbox.stripe.objects import Obj
from sandbox.stripe.periods import DAY

RETRY_AFTER = (3, 5, 7)
"""Days to each further attempt after one that failed; then dunning is over."""

PAYS, DECLINES, ASKS, SETTLES = "pays", "declines", "asks", "settles"


def outcome(behaviour: str | None, *, present: bool) -> str:
    """What becomes of a charge.

    Args:
        behaviour: the payment method's, None where there is none.
        present: whether the customer is there, to confirm what the bank asks.
    """
    if behaviour in {None, cards.DECLINED} or (behaviour == cards.FAILS_LATER and not present):
        return DECLINES
    if behaviour == cards.ALWAYS_ASKS and not present:
        return ASKS
    return SETTLES if behaviour in {cards.SETTLES, cards.BOUNCES} else PAYS


def method_of(ledger: Ledger, subscription: Obj) -> str | None:
    """The subscription's payment method, else the customer's."""
    customer = ledger.tables["customer"].get(subscription["customer"])
    usual = customer["invoice_settings"]["default_payment_method"] if customer else None
    return subscription["default_payment_method"] or usual


def would_pay(ledger: Ledger, subscription: Obj, *, present: bool = False) -> bool:
    """Whether a charge would go through at once."""
    behaviour = ledger.behaviours.get(method_of(ledger, subscription) or "")
    return outcome(behaviour, present=present) == PAYS


def collect(
    ledger: Ledger, invoice: Obj, *, method_id: str | None = None, present: bool = False
) -> bool:
    """Charge it; whether the invoice is paid now.

    Args:
        ledger: where it is kept.
        invoice: an open one.
        method_id: what pays; else the subscription's card, else the customer's.
        present: whether the customer is there: at checkout, or on the invoice's own page.
    """
    method_id = method_id or method_of(ledger, invoices.subscription_of(ledger, invoice))
    invoice["attempted"] = True
    invoice["attempt_count"] += 1
    if invoice["amount_due"] == 0:
        return _paid(ledger, invoice)
    first = invoice["billing_reason"] == "subscription_create"
    behaviour = ledger.behaviours.get(method_id or "")
    result = outcome(behaviour, present=present)
    if result == SETTLES:
        return _begin_to_settle(ledger, invoice, method_id, pays=behaviour == cards.SETTLES)
    charge = _charge(ledger, invoice, method_id, result)
    if result != PAYS:
        return _failed(ledger, invoice, asks=result == ASKS)
    _paid(ledger, invoice)
    if first and behaviour in {cards.IS_DISPUTED, cards.IS_INQUIRED}:
        inquiry = behaviour == cards.IS_INQUIRED
        disputes.begin(ledger, charge, "warning_needs_response" if inquiry else "needs_response")
    return True


def _begin_to_settle(ledger: Ledger, invoice: Obj, method_id: str | None, *, pays: bool) -> bool:
    """The bank has been asked; its answer takes days."""
    intent = ledger.add(
        "payment_intent",
        amount=invoice["amount_due"],
        amount_received=0,
        currency=invoice["currency"],
        customer=invoice["customer"],
        payment_method=method_id,
        status="processing",
    )
    ledger.settling[invoice["id"]] = (ledger.now() + cards.DAYS_TO_SETTLE * DAY, pays)
    invoice["next_payment_attempt"] = None
    ledger.emit("payment_intent.processing", intent)
    return False


def settle(ledger: Ledger, invoice: Obj) -> bool:
    """The bank's answer: whether the invoice is paid now."""
    _, pays = ledger.settling.pop(invoice["id"])
    subscription = invoices.subscription_of(ledger, invoice)
    method = subscription["default_payment_method"]
    _charge(ledger, invoice, method, PAYS if pays else DECLINES)
    return _paid(ledger, invoice) if pays else _failed(ledger, invoice)


def _charge(ledger: Ledger, invoice: Obj, method_id: str | None, result: str) -> Obj:
    succeeds = result == PAYS
    amount = invoice["amount_due"]
    method = ledger.tables["payment_method"].get(method_id or "")
    both: dict[str, Any] = {
        "amount": amount,
        "currency": invoice["currency"],
        "customer": invoice["customer"],
        "description": "Subscription creation"
        if invoice["billing_reason"] == "subscription_create"
        else "Subscription update",
        "payment_method": method_id,
    }
    status = {PAYS: "succeeded", ASKS: "requires_action"}.get(result, "requires_payment_method")
    intent = ledger.add(
        "payment_intent", **both, amount_received=amount if succeeds else 0, status=status
    )
    intent["client_secret"] = f"{intent['id']}_secret_{ledger.new_id('')}"
    ledger.add(
        "invoice_payment",
        invoice=invoice["id"],
        amount_requested=amount,
        amount_paid=amount if succeeds else None,
        currency=invoice["currency"],
        is_default=True,
        livemode=False,
        payment={"type": "payment_intent", "payment_intent": intent["id"]},
        status="paid" if succeeds else "open",
    )
    if result == ASKS:  # the bank was not asked for money yet: there is no charge
        intent["next_action"] = {
            "type": "redirect_to_url",
            "redirect_to_url": {"url": f"{ledger.url}/i/{invoice['id']}", "return_url": None},
        }
        ledger.emit("payment_intent.requires_action", intent)
        return intent
    charge = ledger.add(
        "charge",
        **both,
        amount_captured=amount if succeeds else 0,
        captured=succeeds,
        paid=succeeds,
        payment_intent=intent["id"],
        payment_method_details={"type": "card", "card": dict(method["card"])}
        if method and method["type"] == "card"
        else None,
        status="succeeded" if succeeds else "failed",
    )
    intent["latest_charge"] = charge["id"]
    if not succeeds:
        message = "Your card was declined."
        charge |= {"failure_code": "card_declined", "failure_message": message}
        intent["last_payment_error"] = {
            "type": "card_error",
            "code": "card_declined",
            "message": message,
            "charge": charge["id"],
        }
    ledger.emit("charge.succeeded" if succeeds else "charge.failed", charge)
    ledger.emit("payment_intent.succeeded" if succeeds else "payment_intent.payment_failed", intent)
    return charge


def _paid(ledger: Ledger, invoice: Obj) -> bool:
    invoice |= {
        "status": "paid",
        "amount_paid": invoice["amount_due"],
        "amount_remaining": 0,
        "next_payment_attempt": None,
        "auto_advance": False,
    }
    invoice["status_transitions"]["paid_at"] = ledger.now()
    ledger.emit("invoice.paid", invoice)
    ledger.emit("invoice.payment_succeeded", invoice)
    return True


def _failed(ledger: Ledger, invoice: Obj, *, asks: bool = False) -> bool:
    tries = invoice["attempt_count"]
    invoice["next_payment_attempt"] = (
        ledger.now() + RETRY_AFTER[tries - 1] * DAY
        if invoice["auto_advance"] and tries <= len(RETRY_AFTER)
        else None
    )
    ledger.emit("invoice.payment_failed", invoice)
    if asks:
        ledger.emit("invoice.payment_action_required", invoice)
    return False
