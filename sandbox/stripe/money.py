"""Calls about invoices, charges and refunds."""

from collections.abc import Callable

from sandbox.stripe import customers, invoices, subscriptions
from sandbox.stripe.errors import BAD_REQUEST, Refusal
from sandbox.stripe.ledger import Ledger
from sandbox.stripe.lists import page
from sandbox.stripe.objects import Obj

Call = Callable[..., Obj]


def retrieve(kind: str, param: str = "id") -> Call:
    """A call that gives one object of a kind."""
    return lambda ledger, _, object_id: ledger.get(kind, object_id, param)


def list_of(kind: str, url: str, *equal: str) -> Call:
    """A call that lists a kind, by the values of some of its fields."""

    def call(ledger: Ledger, params: Obj) -> Obj:
        if "customer" in params:
            customers.known(ledger, params["customer"])
        return page(ledger, kind, url, params, equal)

    return call


def list_invoices(ledger: Ledger, params: Obj) -> Obj:
    """By customer, subscription and status."""
    if "customer" in params:
        customers.known(ledger, params["customer"])
    wanted = params.get("subscription")
    return page(
        ledger,
        "invoice",
        "/v1/invoices",
        params,
        ("customer", "status", "collection_method"),
        lambda i: not wanted or i["parent"]["subscription_details"]["subscription"] == wanted,
    )


def list_items(ledger: Ledger, params: Obj) -> Obj:
    """What waits for an invoice, or is on one."""
    if "customer" in params:
        customers.known(ledger, params["customer"])
    pending, url = params.get("pending"), "/v1/invoiceitems"
    return page(
        ledger,
        "invoiceitem",
        url,
        params,
        ("customer", "invoice"),
        lambda i: pending is None or (i["invoice"] is None) == pending,
    )


def pay_invoice(ledger: Ledger, params: Obj, invoice_id: str) -> Obj:
    """Try to collect it now."""
    invoice = ledger.get("invoice", invoice_id, "invoice")
    if invoice["status"] == "paid":
        raise Refusal("Invoice is already paid", code="invoice_already_paid")
    if invoice["status"] == "draft":
        invoices.finalize(ledger, invoice)
    if invoice["status"] not in {"open", "uncollectible"}:
        raise Refusal("This invoice can no longer be paid.", code="invoice_not_editable")
    method = params.get("payment_method")
    if method:
        ledger.get("payment_method", method, "payment_method", BAD_REQUEST)
    subscriptions.retry(
        ledger, invoice, method_id=method, present=not params.get("off_session", True)
    )
    if invoice["status"] != "paid":
        raise Refusal(
            "Your card was declined.", status=402, kind="card_error", code="card_declined"
        )
    return invoice


def finalize_invoice(ledger: Ledger, _: Obj, invoice_id: str) -> Obj:
    """A draft becomes an invoice that can be paid."""
    invoice = ledger.get("invoice", invoice_id, "invoice")
    if invoice["status"] != "draft":
        raise Refusal(
            "This invoice is already finalized, you can't re-finalize a non-draft invoice.",
            code="invoice_not_editable",
        )
    invoices.finalize(ledger, invoice)
    return invoice


def void_invoice(ledger: Ledger, _: Obj, invoice_id: str) -> Obj:
    """Nobody asks for this money any more, nor is it owed."""
    return _closed(ledger, invoice_id, "void", ("open", "uncollectible"))


def mark_uncollectible(ledger: Ledger, _: Obj, invoice_id: str) -> Obj:
    """Nobody asks for this money any more; it can still be paid."""
    return _closed(ledger, invoice_id, "uncollectible", ("open",))


def _closed(ledger: Ledger, invoice_id: str, status: str, only: tuple[str, ...]) -> Obj:
    invoice = ledger.get("invoice", invoice_id, "invoice")
    if invoice["status"] not in only:
        raise Refusal(
            f"You can only {'void' if status == 'void' else 'mark as uncollectible'} an invoice "
            f"that is {' or '.join(only)}. This invoice is {invoice['status']}."
        )
    invoices.close(ledger, invoice, status)
    subscriptions.after_closing(ledger, invoice)
    return invoice


def create_refund(ledger: Ledger, params: Obj) -> Obj:
    """Money back, all that is left of a charge or a part of it."""
    charge = _charge_to_refund(ledger, params)
    left = charge["amount_captured"] - charge["amount_refunded"]
    if left == 0:
        raise Refusal(
            f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded"
        )
    amount = params.get("amount", left)
    if not 0 < amount <= left:
        raise Refusal(
            f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})",
            param="amount",
        )
    refund = ledger.add(
        "refund",
        amount=amount,
        charge=charge["id"],
        currency=charge["currency"],
        metadata=dict(params.get("metadata") or {}),
        payment_intent=charge["payment_intent"],
        reason=params.get("reason"),
        status="succeeded",
    )
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]
    ledger.emit("refund.created", refund)
    ledger.emit("charge.refunded", charge)
    return refund


def _charge_to_refund(ledger: Ledger, params: Obj) -> Obj:
    if "payment_intent" in params:
        intent = ledger.get(
            "payment_intent", params["payment_intent"], "payment_intent", BAD_REQUEST
        )
        return ledger.tables["charge"][intent["latest_charge"]]
    if "charge" in params:
        return ledger.get("charge", params["charge"], "charge", BAD_REQUEST)
    raise Refusal("One of the following params should be provided: payment_intent or charge.")
