"""Invoices: made for a period, paid or not, tried again."""

from typing import Any

from sandbox.stripe import cards
from sandbox.stripe.ledger import Ledger
from sandbox.stripe.objects import Obj, listing, shape
from sandbox.stripe.periods import DAY

RETRY_AFTER = (3, 5, 7)
"""Days to each further attempt after one that failed; then dunning is over."""


def subscription_of(ledger: Ledger, invoice: Obj) -> Obj:
    """The subscription that an invoice is for."""
    details = invoice["parent"]["subscription_details"]
    return ledger.tables["subscription"][details["subscription"]]


def make(ledger: Ledger, subscription: Obj, reason: str, amount: int | None = None) -> Obj:
    """An open invoice over the subscription's current period, numbered and final."""
    now, customer = ledger.now(), ledger.tables["customer"][subscription["customer"]]
    invoice_id = ledger.new_id("in_")
    lines = [
        _line(ledger, invoice_id, subscription, item) for item in subscription["items"]["data"]
    ]
    amount = _discounted(ledger, subscription, lines) if amount is None else amount
    total = sum(line["amount"] for line in lines) if amount is None else amount
    for line in lines if amount is not None else ():
        line["amount"] = line["subtotal"] = amount
    start = subscription["items"]["data"][0]["current_period_start"]
    number = customer["next_invoice_sequence"]
    customer["next_invoice_sequence"] = number + 1
    invoice = ledger.add(
        "invoice",
        invoice_id,
        **dict.fromkeys(("amount_due", "amount_remaining", "subtotal", "total"), total),
        subtotal_excluding_tax=total,
        total_excluding_tax=total,
        amount_paid=0,
        billing_reason=reason,
        currency=subscription["currency"],
        customer=customer["id"],
        customer_email=customer["email"],
        customer_name=customer["name"],
        default_payment_method=None,
        effective_at=now,
        hosted_invoice_url=f"{ledger.url}/i/{invoice_id}",
        lines=listing(f"/v1/invoices/{invoice_id}/lines", lines),
        number=f"{customer['invoice_prefix']}-{number:04}",
        parent={
            "type": "subscription_details",
            "quote_details": None,
            "subscription_details": {
                "metadata": dict(subscription["metadata"]),
                "subscription": subscription["id"],
            },
        },
        period_start=start,
        period_end=start,
        status="open",
        status_transitions={
            "finalized_at": now,
            "marked_uncollectible_at": None,
            "paid_at": None,
            "voided_at": None,
        },
    )
    subscription["latest_invoice"] = invoice["id"]
    ledger.emit("invoice.created", invoice)
    ledger.emit("invoice.finalized", invoice)
    return invoice


def _discounted(ledger: Ledger, subscription: Obj, lines: list[Obj]) -> int | None:
    """What is left after the subscription's coupon; None where there is none."""
    coupon = ledger.discounts.get(subscription["id"])
    if coupon is None:
        return None
    if coupon["duration"] == "once":
        del ledger.discounts[subscription["id"]]
    total = sum(int(line["amount"]) for line in lines)
    off = coupon["amount_off"] or round(total * (coupon["percent_off"] or 0) / 100)
    return max(0, total - int(off))


def _line(ledger: Ledger, invoice_id: str, subscription: Obj, item: Obj) -> Obj:
    price = item["price"]
    amount = price["unit_amount"] * item["quantity"]
    return shape("line_item") | {
        "id": ledger.new_id("il_"),
        "invoice": invoice_id,
        "amount": amount,
        "subtotal": amount,
        "currency": subscription["currency"],
        "description": ledger.tables["product"][price["product"]]["name"],
        "quantity": item["quantity"],
        "subscription": subscription["id"],
        "period": {"start": item["current_period_start"], "end": item["current_period_end"]},
        "parent": {
            "type": "subscription_item_details",
            "invoice_item_details": None,
            "subscription_item_details": {
                "invoice_item": None,
                "proration": False,
                "proration_details": None,
                "subscription": subscription["id"],
                "subscription_item": item["id"],
            },
        },
        "pricing": {
            "type": "price_details",
            "price_details": {"price": price["id"], "product": price["product"]},
            "unit_amount_decimal": str(price["unit_amount"]),
        },
    }


def collect(ledger: Ledger, invoice: Obj) -> bool:
    """Charge the subscription's card, else the customer's; whether the invoice is paid now."""
    subscription = subscription_of(ledger, invoice)
    customer = ledger.tables["customer"][invoice["customer"]]
    method_id = (
        subscription["default_payment_method"]
        or customer["invoice_settings"]["default_payment_method"]
    )
    invoice["attempted"] = True
    invoice["attempt_count"] += 1
    if invoice["amount_due"] == 0:
        return _paid(ledger, invoice)
    first = invoice["billing_reason"] == "subscription_create"
    behaviour = ledger.behaviours.get(method_id or "")
    if behaviour in {cards.SETTLES, cards.BOUNCES}:
        return _begin_to_settle(ledger, invoice, method_id, pays=behaviour == cards.SETTLES)
    succeeds = behaviour is not None and (first or behaviour != cards.FAILS_LATER)
    charge = _charge(ledger, invoice, method_id, succeeds=succeeds)
    if not succeeds:
        return _failed(ledger, invoice)
    _paid(ledger, invoice)
    if behaviour == cards.IS_DISPUTED and first:
        dispute(ledger, charge)
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
    subscription = subscription_of(ledger, invoice)
    _charge(ledger, invoice, subscription["default_payment_method"], succeeds=pays)
    return _paid(ledger, invoice) if pays else _failed(ledger, invoice)


def _charge(ledger: Ledger, invoice: Obj, method_id: str | None, *, succeeds: bool) -> Obj:
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
    intent = ledger.add(
        "payment_intent",
        **both,
        amount_received=amount if succeeds else 0,
        status="succeeded" if succeeds else "requires_payment_method",
    )
    intent["client_secret"] = f"{intent['id']}_secret_{ledger.new_id('')}"
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
    payment = ledger.add(
        "invoice_payment",
        invoice=invoice["id"],
        amount_requested=amount,
        amount_paid=amount if succeeds else None,
        currency=invoice["currency"],
        payment={"type": "payment_intent", "payment_intent": intent["id"]},
        status="paid" if succeeds else "open",
    )
    payment["status_transitions"]["paid_at"] = ledger.now() if succeeds else None
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


def _failed(ledger: Ledger, invoice: Obj) -> bool:
    tries = invoice["attempt_count"]
    invoice["next_payment_attempt"] = (
        ledger.now() + RETRY_AFTER[tries - 1] * DAY
        if invoice["auto_advance"] and tries <= len(RETRY_AFTER)
        else None
    )
    ledger.emit("invoice.payment_failed", invoice)
    return False


def close(ledger: Ledger, invoice: Obj, status: str) -> None:
    """Void it or give it up; nobody asks for the money any more."""
    when = "voided_at" if status == "void" else "marked_uncollectible_at"
    invoice["status_transitions"][when] = ledger.now()
    invoice |= {"status": status, "next_payment_attempt": None, "auto_advance": False}
    kind = "voided" if status == "void" else "marked_uncollectible"
    ledger.emit(f"invoice.{kind}", invoice)


def dispute(ledger: Ledger, charge: Obj) -> Obj:
    """The cardholder wants the money back; like Stripe's, it names no customer."""
    made = ledger.add(
        "dispute",
        amount=charge["amount"],
        charge=charge["id"],
        currency=charge["currency"],
        payment_intent=charge["payment_intent"],
        reason="fraudulent",
        status="needs_response",
    )
    made["evidence_details"]["due_by"] = ledger.now() + 7 * DAY
    charge["disputed"] = True
    ledger.emit("charge.dispute.created", made)
    return made


def end_dispute(ledger: Ledger, made: Obj, status: str) -> None:
    """Won or lost."""
    made["status"] = status
    ledger.emit("charge.dispute.closed", made)
