"""Calls about payment methods, and the test ones that Stripe's own tools name."""

from sandbox.stripe import cards, customers
from sandbox.stripe.errors import BAD_REQUEST, Refusal
from sandbox.stripe.ledger import Ledger
from sandbox.stripe.lists import page
from sandbox.stripe.objects import Obj

NAMED = {
    "visa": cards.PAYS,
    "mastercard": cards.PAYS,
    "bypassPending": cards.PAYS,
    "chargeCustomerFail": cards.DECLINED,
    "chargeDeclined": cards.DECLINED,
    "visa_chargeDeclined": cards.DECLINED,
    "createDispute": cards.IS_DISPUTED,
    "createDisputeInquiry": cards.IS_INQUIRED,
    "authenticationRequired": cards.ALWAYS_ASKS,
    "threeDSecure2Required": cards.ALWAYS_ASKS,
}
"""What stands behind `tok_…` and `pm_card_…`: https://docs.stripe.com/testing."""

BANK = "pm_usBankAccount_success"
"""A bank account whose debits arrive, days later."""

_EXPIRES = 2040


def create(ledger: Ledger, params: Obj) -> Obj:
    """A card that is nobody's yet; numbers are typed on the hosted pages, here are tokens."""
    name = params.get("card", {}).get("token", "").removeprefix("tok_")
    if params.get("type") != "card" or name not in NAMED:
        raise Refusal("The sandbox takes test cards by their token: tok_visa.", param="card[token]")
    return _made(ledger, name, None)


def found(ledger: Ledger, method_id: str, param: str = "payment_method") -> Obj:
    """One that is there, or a new one where a test method is named."""
    name = method_id.removeprefix("pm_card_")
    if method_id.startswith("pm_card_") and name in NAMED:
        return _made(ledger, name, None)
    if method_id == BANK:
        account = cards.Card(cards.SETTLES, "bank", "6789", 12, _EXPIRES)
        return cards.bank_account(ledger, account, None)
    return ledger.get("payment_method", method_id, param, BAD_REQUEST)


def attach(ledger: Ledger, params: Obj, method_id: str) -> Obj:
    """It is the customer's from now on."""
    customer = ledger.customer(params["customer"])
    method = found(ledger, method_id)
    if method["customer"] not in {None, customer["id"]}:
        raise Refusal(
            "The payment method you provided has already been attached to a customer.",
            code="payment_method_unexpected_state",
        )
    method["customer"] = customer["id"]
    ledger.emit("payment_method.attached", method)
    return method


def detach(ledger: Ledger, _: Obj, method_id: str) -> Obj:
    """It is nobody's any more, and pays for nothing."""
    method = ledger.get("payment_method", method_id, "payment_method")
    if method["customer"] is None:
        raise Refusal("The payment method you provided is not attached to a customer.")
    before, method["customer"] = method["customer"], None
    ledger.emit("payment_method.detached", method, {"customer": before})
    return method


def list_all(ledger: Ledger, params: Obj) -> Obj:
    """A customer's."""
    if "customer" in params:
        customers.known(ledger, params["customer"])
    return page(ledger, "payment_method", "/v1/payment_methods", params, ("customer", "type"))


def _made(ledger: Ledger, name: str, customer_id: str | None) -> Obj:
    mastercard = name == "mastercard"
    brand, last4 = ("mastercard", "4444") if mastercard else ("visa", "4242")
    card = cards.Card(NAMED[name], brand, last4, 12, _EXPIRES)
    return cards.new_card(ledger, card, customer_id)
