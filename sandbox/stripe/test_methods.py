"""Payment methods that Stripe has ready for tests: attached by their names, without a page."""

from sandbox.stripe import cards
from sandbox.stripe.errors import missing
from sandbox.stripe.ledger import Ledger
from sandbox.stripe.objects import Obj

METHODS = {
    "pm_card_visa": cards.Card(cards.PAYS, "visa", "4242", 12, 2040),
    "pm_card_chargeCustomerFail": cards.Card(cards.FAILS_LATER, "visa", "0341", 12, 2040),
    "pm_card_authenticationRequired": cards.Card(cards.ALWAYS_ASKS, "visa", "3184", 12, 2040),
    "pm_usBankAccount_success": cards.Card(cards.SETTLES, "bank", "6789", 12, 2040),
}


def attach(ledger: Ledger, params: Obj, method_id: str) -> Obj:
    """One of them as a customer's own."""
    card = METHODS.get(method_id)
    if card is None:
        raise missing("PaymentMethod", method_id, "payment_method")
    customer = ledger.customer(params["customer"])
    return cards.payment_method(ledger, card, customer["id"])
