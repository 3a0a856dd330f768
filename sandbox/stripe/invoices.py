"""Invoices: drafted for periods and for changes, made final, voided, given up."""

from typing import Any

from sandbox.stripe import prorations
from sandbox.stripe.ledger import Ledger
from sandbox.stripe.objects import Obj, listing, shape

VOID_AFTER = 23 * 3600
"""Seconds for which an invoice waits that a subscription needs paid before it goes on."""


def subscription_of(ledger: Ledger, invoice: Obj) -> Obj:
    """The subscription that an invoice is for."""
    details = invoice["parent"]["subscription_details"]
    return ledger.tables["subscription"][details["subscription"]]


def make(
    ledger: Ledger,
    subscription: Obj,
    reason: str,
    items: list[Obj] | None = None,
    *,
    free: bool = False,
) -> Obj:
    """A draft: a line for each of these items (all, when none are named) and for what waits.

    Args:
        ledger: where it is kept.
        subscription: whose it is.
        reason: Stripe's `billing_reason`.
        items: whose current periods are billed; an empty list for prorations alone.
        free: whether the items cost nothing, as in a trial.
    """
    customer = ledger.tables["customer"][subscription["customer"]]
    invoice_id = ledger.new_id("in_")
    billed = subscription["items"]["data"] if items is None else items
    waiting = prorations.waiting(ledger, subscription)
    lines = [_proration(ledger, invoice_id, subscription, each) for each in waiting]
    lines += [_line(ledger, invoice_id, subscription, item, free=free) for item in billed]
    subtotal = sum(line["amount"] for line in lines)
    total = subtotal - _discount(ledger, subscription, subtotal)
    start = subscription["items"]["data"][0]["current_period_start"]
    invoice = ledger.add(
        "invoice",
        invoice_id,
        subtotal=subtotal,
        total=total,
        amount_due=max(0, total),
        amount_remaining=max(0, total),
        subtotal_excluding_tax=subtotal,
        total_excluding_tax=total,
        amount_paid=0,
        billing_reason=reason,
        currency=subscription["currency"],
        customer=customer["id"],
        customer_email=customer["email"],
        customer_name=customer["name"],
        default_payment_method=None,
        lines=listing(f"/v1/invoices/{invoice_id}/lines", lines),
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
        starting_balance=customer["balance"],
        status="draft",
        test_clock=customer["test_clock"],
    )
    for each in waiting:
        each["invoice"] = invoice_id
    subscription["latest_invoice"] = invoice["id"]
    ledger.emit("invoice.created", invoice)
    return invoice


def finalize(ledger: Ledger, invoice: Obj) -> None:
    """Number it, and set it against what the customer has to their credit."""
    customer = ledger.tables["customer"][invoice["customer"]]
    number = customer["next_invoice_sequence"]
    customer["next_invoice_sequence"] = number + 1
    before = customer["balance"]
    due = max(0, invoice["total"] + before)
    after = invoice["total"] + before - due
    invoice |= {
        "amount_due": due,
        "amount_remaining": due,
        "effective_at": ledger.now(),
        "ending_balance": after,
        "hosted_invoice_url": f"{ledger.url}/i/{invoice['id']}",
        "number": f"{customer['invoice_prefix']}-{number:04}",
        "starting_balance": before,
        "status": "open",
    }
    invoice["status_transitions"]["finalized_at"] = ledger.now()
    ledger.emit("invoice.finalized", invoice)
    ledger.change("customer.updated", customer, balance=after)


def _discount(ledger: Ledger, subscription: Obj, subtotal: int) -> int:
    """What the subscription's coupon takes off."""
    coupon = ledger.discounts.get(subscription["id"])
    if coupon is None or subtotal <= 0:
        return 0
    if coupon["duration"] == "once":
        del ledger.discounts[subscription["id"]]
    off = coupon["amount_off"] or round(subtotal * (coupon["percent_off"] or 0) / 100)
    return min(subtotal, int(off))


def _line(
    ledger: Ledger, invoice_id: str, subscription: Obj, item: Obj, *, free: bool = False
) -> Obj:
    price = item["price"]
    amount = 0 if free else price["unit_amount"] * item["quantity"]
    return _shaped(ledger, invoice_id, subscription, amount) | {
        "description": ledger.tables["product"][price["product"]]["name"],
        "quantity": item["quantity"],
        "period": {"start": item["current_period_start"], "end": item["current_period_end"]},
        "parent": _parent(subscription, item["id"]),
        "pricing": {
            "type": "price_details",
            "price_details": {"price": price["id"], "product": price["product"]},
            "unit_amount_decimal": str(price["unit_amount"]),
        },
    }


def _proration(ledger: Ledger, invoice_id: str, subscription: Obj, booked: Obj) -> Obj:
    item_id = booked["parent"]["subscription_details"]["subscription_item"]
    return _shaped(ledger, invoice_id, subscription, booked["amount"]) | {
        "description": booked["description"],
        "quantity": booked["quantity"],
        "period": booked["period"],
        "parent": _parent(subscription, item_id, booked["id"]),
        "pricing": booked["pricing"],
        "discountable": False,
    }


def _shaped(ledger: Ledger, invoice_id: str, subscription: Obj, amount: int) -> dict[str, Any]:
    return shape("line_item") | {
        "id": ledger.new_id("il_"),
        "invoice": invoice_id,
        "amount": amount,
        "subtotal": amount,
        "currency": subscription["currency"],
        "subscription": subscription["id"],
    }


def _parent(subscription: Obj, item_id: str | None, booked: str | None = None) -> Obj:
    return {
        "type": "subscription_item_details",
        "invoice_item_details": None,
        "subscription_item_details": {
            "invoice_item": booked,
            "proration": booked is not None,
            "proration_details": None if booked is None else {"credited_items": None},
            "subscription": subscription["id"],
            "subscription_item": item_id,
        },
    }


def close(ledger: Ledger, invoice: Obj, status: str) -> None:
    """Void it or give it up; nobody asks for the money any more."""
    when = "voided_at" if status == "void" else "marked_uncollectible_at"
    invoice["status_transitions"][when] = ledger.now()
    invoice |= {"status": status, "next_payment_attempt": None, "auto_advance": False}
    kind = "voided" if status == "void" else "marked_uncollectible"
    ledger.emit(f"invoice.{kind}", invoice)
