"""Checkout sessions: opened, paid for once, or expired."""

from typing import Any
from urllib.parse import urlsplit

from sandbox.stripe import cards, items, subscriptions
from sandbox.stripe.currencies import refuse_another
from sandbox.stripe.errors import Refusal, malformed
from sandbox.stripe.ledger import Ledger
from sandbox.stripe.metadata import merged
from sandbox.stripe.objects import Obj
from sandbox.stripe.periods import DAY

SHORTEST = 30 * 60
GRACE = 60
"""Seconds that a caller's clock may be off; Stripe is lenient too."""

_COPIED = (
    "allow_promotion_codes",
    "billing_address_collection",
    "cancel_url",
    "client_reference_id",
    "customer_email",
    "locale",
    "submit_type",
    "success_url",
)


def create(ledger: Ledger, params: Obj) -> Obj:
    """An open session; nothing is sold yet."""
    if params.get("mode") != "subscription" or params.get("ui_mode", "hosted_page") != (
        "hosted_page"
    ):
        raise malformed("The sandbox sells subscriptions on the hosted page only.", "mode")
    if not params.get("success_url"):
        raise malformed("Missing required param: success_url.", "success_url", "parameter_missing")
    for name in ("success_url", "cancel_url"):
        _refuse_what_is_no_address(name, params.get(name))
    customer = _customer(ledger, params)
    lines = _lines(ledger, params)
    currency = lines[0][0]["currency"]
    if any(price["currency"] != currency for price, _ in lines):
        raise Refusal("All prices on a Checkout Session must have the same currency.")
    refuse_another(customer, currency)
    now = ledger.now()
    expires_at = params.get("expires_at", now + DAY)
    if not now + SHORTEST - GRACE <= expires_at <= now + DAY + GRACE:
        raise Refusal(
            "The `expires_at` timestamp must be at least 30 minutes and at most 24 hours from "
            "Checkout Session creation.",
            param="expires_at",
        )
    total = sum(price["unit_amount"] * quantity for price, quantity in lines)
    data = params.get("subscription_data", {})
    _refuse_a_paid_trial(data)
    if "metadata" in data:
        data = {**data, "metadata": merged({}, data["metadata"])}
    session = ledger.add(
        "checkout.session",
        **{key: params.get(key) for key in _COPIED},
        amount_subtotal=total,
        amount_total=0 if data.get("trial_period_days") or data.get("trial_end") else total,
        currency=currency,
        customer=customer["id"] if customer else None,
        customer_creation=None if customer else "always",
        expires_at=expires_at,
        metadata=merged({}, params.get("metadata")),
        mode="subscription",
    )
    if params.get("automatic_tax", {}).get("enabled"):
        session["automatic_tax"]["enabled"] = True
    session["url"] = f"{ledger.url}/c/pay/{session['id']}"
    ledger.orders[session["id"]] = {"lines": lines, "data": data}
    return session


def _customer(ledger: Ledger, params: Obj) -> Obj | None:
    if "customer" not in params:
        return None
    if "customer_email" in params:
        raise Refusal("You may only specify one of these parameters: customer, customer_email.")
    return ledger.customer(params["customer"])


def _lines(ledger: Ledger, params: Obj) -> list[tuple[Obj, int]]:
    if not params.get("line_items"):
        raise malformed("Missing required param: line_items.", "line_items", "parameter_missing")
    lines = []
    for i, line in enumerate(params["line_items"]):
        param = f"line_items[{i}][price]"
        price = items.sold(ledger, line.get("price", ""), param)
        quantity = line.get("quantity", 1)
        if quantity < 1:
            raise malformed(
                "This value must be greater than or equal to 1.", f"line_items[{i}][quantity]"
            )
        lines.append((price, quantity))
    return lines


def _refuse_what_is_no_address(name: str, url: str | None) -> None:
    if url and not (urlsplit(url).scheme in {"http", "https"} and urlsplit(url).netloc):
        raise malformed("Not a valid URL", name, "url_invalid")


def _refuse_a_paid_trial(data: Obj) -> None:
    days = data.get("trial_period_days")
    if days is not None and days < 1:
        raise Refusal(
            "Invalid trial_period_days: must be at least 1.",
            param="subscription_data[trial_period_days]",
        )


def complete(ledger: Ledger, session_id: str, card: cards.Card, coupon: Obj | None = None) -> Obj:
    """Pay an open session; one that is paid already stays as it is, whoever clicks again.

    Raises:
        Refusal: expired.
    """
    with ledger.lock:
        session = ledger.get("checkout.session", session_id)
        if session["status"] == "complete":
            return session
        if session["status"] != "open" or session["expires_at"] <= ledger.now():
            raise Refusal("This Checkout Session has expired.")
        if unsold(ledger, session):
            raise Refusal("A price of this Checkout Session is no longer for sale.")
        if session["customer"] is None:
            made = ledger.new_customer(email=session["customer_email"])
            session["customer"] = made["id"]
        elif session["customer"] not in ledger.tables["customer"]:
            raise Refusal("This Checkout Session's customer was deleted.")
        with ledger.at(ledger.time_of(session["customer"])):
            refuse_another(ledger.tables["customer"][session["customer"]], session["currency"])
            _sell(ledger, session, card, coupon)
        return session


def unsold(ledger: Ledger, session: Obj) -> bool:
    """Whether something in an open session was archived since: Stripe does not render it."""
    return any(
        not (price["active"] and ledger.tables["product"][price["product"]]["active"])
        for price, _ in ledger.orders[session["id"]]["lines"]
    )


def _sell(ledger: Ledger, session: Obj, card: cards.Card, coupon: Obj | None) -> None:
    order = ledger.orders[session["id"]]
    data: dict[str, Any] = order["data"]
    method = cards.payment_method(ledger, card, session["customer"])
    subscription = subscriptions.begin(
        ledger,
        session["customer"],
        order["lines"],
        method["id"],
        data.get("metadata") or {},
        trial_days=data.get("trial_period_days", 0),
        description=data.get("description"),
        coupon=coupon,
        trial_end=data.get("trial_end"),
        present=True,
    )
    customer = ledger.tables["customer"][session["customer"]]
    session |= {
        "status": "complete",
        "payment_status": _payment_status(ledger, subscription),
        "subscription": subscription["id"],
        "invoice": subscription["latest_invoice"],
        "url": None,
        "customer_details": {
            "address": None,
            "business_name": None,
            "email": customer["email"],
            "individual_name": None,
            "name": customer["name"],
            "phone": None,
            "tax_exempt": "none",
            "tax_ids": [],
        },
    }
    ledger.emit("checkout.session.completed", session)


def _payment_status(ledger: Ledger, subscription: Obj) -> str:
    if subscription["status"] == "incomplete":
        return "unpaid"  # a bank is at it
    due = ledger.tables["invoice"][subscription["latest_invoice"]]["amount_due"]
    return "paid" if due else "no_payment_required"


def expire(ledger: Ledger, _: Obj, session_id: str) -> Obj:
    """Close an open session before its time."""
    session = ledger.get("checkout.session", session_id, "session")
    if session["status"] != "open":
        raise Refusal(
            'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout '
            f"Session has a status of `{session['status']}`."
        )
    expired(ledger, session)
    return session


def expired(ledger: Ledger, session: Obj) -> None:
    """It cannot be paid any more."""
    session |= {"status": "expired", "url": None}
    ledger.emit("checkout.session.expired", session)
