"""Amounts of money as people read them."""

from dataclasses import replace

import pytest

from chalicelib.domain import money
from chalicelib.entrypoints import storefront


@pytest.mark.parametrize(
    ("amount", "currency", "shown", "short"),
    [
        (2900, "usd", "$29.00", "$29"),
        (2905, "usd", "$29.05", "$29.05"),
        (0, "eur", "€0.00", "€0"),
        (2900, "chf", "29.00 CHF", "29 CHF"),
        (2900, "jpy", "2900 JPY", "2900 JPY"),
        (5, "krw", "5 KRW", "5 KRW"),
        (50000, "isk", "500.00 ISK", "500 ISK"),
        (50000, "ugx", "500.00 UGX", "500 UGX"),
        (2900, "kwd", "2.900 KWD", "2.900 KWD"),
        (29000, "bhd", "29.000 BHD", "29 BHD"),
    ],
)
def test_an_amount_has_the_decimals_of_its_currency(amount, currency, shown, short):
    """By Stripe's lists: what is read is what is charged."""
    assert money.shown(amount, currency) == shown
    assert money.shown_short(amount, currency) == short


def test_a_plan_in_yen_is_shown_in_yen(catalogue):
    """2900 yen, and not 29."""
    sold = replace(catalogue, product=replace(catalogue.product, currency="jpy"))
    basic = next(card for card in storefront.listed(sold) if card["id"] == "basic")
    assert (basic["price"], basic["priceDisplay"]) == (2900, "2900 JPY")
