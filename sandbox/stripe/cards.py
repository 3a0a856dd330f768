"""Test cards: what the hosted pages take, and what becomes of them."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from sandbox.stripe.ledger import Ledger
from sandbox.stripe.objects import Obj

PAYS, FAILS_LATER, IS_DISPUTED, DECLINED = "pays", "fails later", "is disputed", "declined"
IS_INQUIRED, ASKS_ONCE, ALWAYS_ASKS = "is inquired about", "asks once", "always asks"
ASKING = frozenset({ASKS_ONCE, ALWAYS_ASKS})
"""Cards whose holder confirms a payment to the bank (3-D Secure), the first time or each time."""

SETTLES, BOUNCES = "settles", "bounces"
DAYS_TO_SETTLE = 4

TEST_CARDS = {
    "4242424242424242": PAYS,
    "5555555555554444": PAYS,
    "4000000000000341": FAILS_LATER,
    "4000000000000259": IS_DISPUTED,
    "4000000000001976": IS_INQUIRED,
    "4000002500003155": ASKS_ONCE,
    "4000002760003184": ALWAYS_ASKS,
    "4000000000000002": DECLINED,
}
BANK_ACCOUNTS = {"000123456789": SETTLES, "000222222227": BOUNCES}
"""Stripe's test accounts for debits: what they pay comes, or does not, days later."""

CENTURY = 100
MONTHS = 12


class CardRefused(Exception):
    """Said to the customer as it is."""


@dataclass(frozen=True, slots=True)
class Card:
    """What is kept of a card: no number."""

    behaviour: str
    brand: str
    last4: str
    exp_month: int
    exp_year: int


def read(number: str, exp: str, cvc: str, now: float) -> Card:
    """A card that can be tried.

    Raises:
        CardRefused: malformed, expired, declined, or not a test card.
    """
    digits = re.sub(r"[\s-]", "", number)
    if digits in BANK_ACCOUNTS:
        return Card(BANK_ACCOUNTS[digits], "bank", digits[-4:], MONTHS, CENTURY)
    if not re.fullmatch(r"[0-9]{12,19}", digits) or not _checksum_fits(digits):
        raise CardRefused("Your card number is invalid.")
    month, year = _expiry(exp, datetime.fromtimestamp(now, UTC))
    if not re.fullmatch(r"[0-9]{3,4}", cvc.strip()):
        raise CardRefused("Your card's security code is invalid.")
    behaviour = TEST_CARDS.get(digits)
    if behaviour is None:
        raise CardRefused(
            "Your card was declined. This is test mode: use the test card 4242 4242 4242 4242."
        )
    if behaviour == DECLINED:
        raise CardRefused("Your card was declined.")
    brand = "visa" if digits.startswith("4") else "mastercard"
    return Card(behaviour, brand, digits[-4:], month, year)


def payment_method(ledger: Ledger, card: Card, customer_id: str) -> Obj:
    """The card, attached to the customer."""
    if card.behaviour in BANK_ACCOUNTS.values():
        made = bank_account(ledger, card, customer_id)
    else:
        made = new_card(ledger, card, customer_id)
    ledger.emit("payment_method.attached", made)
    return made


def new_card(ledger: Ledger, card: Card, customer_id: str | None) -> Obj:
    """The card; nobody's, where no customer is named."""
    made = ledger.add(
        "payment_method",
        type="card",
        customer=customer_id,
        livemode=False,
        billing_details=dict.fromkeys(("address", "email", "name", "phone")),
        card={
            "brand": card.brand,
            "last4": card.last4,
            "exp_month": card.exp_month,
            "exp_year": card.exp_year,
            "country": "US",
            "funding": "credit",
        },
    )
    ledger.behaviours[made["id"]] = card.behaviour
    return made


def bank_account(ledger: Ledger, card: Card, customer_id: str | None) -> Obj:
    """The account; nobody's, where no customer is named."""
    made = ledger.add(
        "payment_method",
        type="us_bank_account",
        customer=customer_id,
        livemode=False,
        billing_details=dict.fromkeys(("address", "email", "name", "phone")),
        us_bank_account={"last4": card.last4, "bank_name": "STRIPE TEST BANK"},
    )
    ledger.behaviours[made["id"]] = card.behaviour
    return made


def _checksum_fits(digits: str) -> bool:
    total = 0
    for i, digit in enumerate(map(int, reversed(digits))):
        doubled = digit * 2 if i % 2 else digit
        total += doubled - 9 if doubled > 9 else doubled  # noqa: PLR2004 - Luhn: the digits' sum
    return total % 10 == 0


def _expiry(text: str, today: datetime) -> tuple[int, int]:
    found = re.fullmatch(r"\s*([0-9]{1,2})\s*/?\s*([0-9]{2}|[0-9]{4})\s*", text)
    if not found or not 1 <= int(found[1]) <= MONTHS:
        raise CardRefused("Your card's expiration date is invalid.")
    month, year = int(found[1]), int(found[2])
    year += 2000 if year < CENTURY else 0
    if (year, month) < (today.year, today.month):
        raise CardRefused("Your card's expiration date is in the past.")
    return month, year
