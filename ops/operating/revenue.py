"""What subscriptions bring a month. Pure: Stripe's objects in, cents out."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

MONTHS = 12
_A_YEAR = {
    "day": Fraction(365),
    "week": Fraction(365, 7),
    "month": Fraction(12),
    "year": Fraction(1),
}
"""How often an interval fits into a year."""


@dataclass(frozen=True, slots=True)
class Revenue:
    """Cents a month, and how many items' price says nothing by itself (tiers, metered use)."""

    cents: int
    not_reckoned: int


def monthly(subscriptions: Iterable[Mapping[str, Any]], products: Collection[str]) -> Revenue:
    """What active subscriptions of these products bring, before tax and discount.

    By the price that each really pays: an old price stays with whoever has it. A price by the year
    counts with a twelfth; what is on trial, overdue or paused does not count.
    """
    cents = not_reckoned = 0
    for subscription in subscriptions:
        for item in subscription["items"]["data"]:
            if item["price"]["product"] in products and not subscription["pause_collection"]:
                amount = _a_month(item["price"], item.get("quantity"))
                cents += amount or 0
                not_reckoned += amount is None
    return Revenue(cents, not_reckoned)


def _a_month(price: Mapping[str, Any], quantity: int | None) -> int | None:
    """Whole cents; None where they depend on what is used, or on how much of it."""
    amount, recurring = price["unit_amount"], price["recurring"] or {}
    if amount is None:  # null also for parts of a cent, which are then here
        amount = price.get("unit_amount_decimal")
    times = _A_YEAR.get(recurring.get("interval", ""))
    if amount is None or times is None or recurring.get("usage_type") == "metered":
        return None
    quantity = 1 if quantity is None else quantity
    months = MONTHS * (recurring.get("interval_count") or 1)
    return int(Fraction(amount) * quantity * times / months)
