"""Customers."""

import re

from sandbox.stripe import subscriptions
from sandbox.stripe.errors import BAD_REQUEST, Refusal
from sandbox.stripe.ledger import Ledger
from sandbox.stripe.lists import page
from sandbox.stripe.metadata import merged
from sandbox.stripe.objects import Obj

_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")
MOST_OF_A_CLOCK = 3
_FIELDS = ("email", "name", "description", "phone")


def create(ledger: Ledger, params: Obj) -> Obj:
    """A customer."""
    fields = {key: params[key] for key in _FIELDS if key in params}
    if not _ADDRESS.fullmatch(fields.get("email") or "a@b"):
        raise Refusal("Invalid email address.", code="email_invalid", param="email", executed=False)
    clock = params.get("test_clock")
    if clock:
        ledger.get("test_helpers.test_clock", clock, "test_clock", BAD_REQUEST)
        if sum(1 for _ in ledger.all("customer", test_clock=clock)) >= MOST_OF_A_CLOCK:
            raise Refusal(
                f"A test clock can have up to {MOST_OF_A_CLOCK} customers.", param="test_clock"
            )
    metadata = merged({}, params.get("metadata"))
    return ledger.new_customer(**fields, metadata=metadata, test_clock=clock)


def retrieve(ledger: Ledger, _: Obj, customer_id: str) -> Obj:
    """A customer; of one that was deleted only that is left."""
    return ledger.deleted.get(customer_id) or ledger.get("customer", customer_id)


def update(ledger: Ledger, params: Obj, customer_id: str) -> Obj:
    """Who they are, and the card that pays."""
    customer = ledger.get("customer", customer_id)
    fields = {key: params[key] or None for key in _FIELDS if key in params}
    if "metadata" in params:
        fields["metadata"] = merged(customer["metadata"], params["metadata"])
    method = (params.get("invoice_settings") or {}).get("default_payment_method")
    if method:
        param = "invoice_settings[default_payment_method]"
        ledger.get("payment_method", method, param, BAD_REQUEST)
        fields["invoice_settings"] = customer["invoice_settings"] | {
            "default_payment_method": method
        }
    ledger.change("customer.updated", customer, **fields)
    return customer


def delete(ledger: Ledger, _: Obj, customer_id: str) -> Obj:
    """Gone for good; what they subscribed to ends now."""
    customer = ledger.get("customer", customer_id)
    for subscription in list(ledger.all("subscription", customer=customer_id)):
        if subscription["status"] in subscriptions.LIVE:
            subscriptions.cancel(ledger, subscription)
        elif subscription["status"] == "incomplete":
            ledger.settling.pop(subscription["latest_invoice"], None)
            subscriptions.expire_incomplete(ledger, subscription)
    ledger.emit("customer.deleted", customer)
    del ledger.tables["customer"][customer_id]
    gone = {"id": customer_id, "object": "customer", "deleted": True}
    ledger.deleted[customer_id] = gone
    return gone


def vanish(ledger: Ledger, customer_id: str) -> None:
    """As if it had never been, with all that was its own: no trace but the events."""
    for table in (name for name in ledger.tables if name != "event"):
        kept = ledger.tables[table]
        for object_id in [i for i, obj in kept.items() if obj.get("customer") == customer_id]:
            del kept[object_id]
    ledger.tables["customer"].pop(customer_id, None)
    ledger.deleted.pop(customer_id, None)
    for invoice_id in [i for i in ledger.settling if i not in ledger.tables["invoice"]]:
        del ledger.settling[invoice_id]


def list_all(ledger: Ledger, params: Obj) -> Obj:
    """All, or by their e-mail address."""
    return page(ledger, "customer", "/v1/customers", params, ("email",))


def known(ledger: Ledger, customer_id: str) -> None:
    """Refuse a customer that never was; lists of one that was deleted can still be read."""
    if customer_id not in ledger.deleted:
        ledger.customer(customer_id)
