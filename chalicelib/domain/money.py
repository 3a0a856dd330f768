"""Amounts of money: Stripe's whole numbers, and what people read."""

from typing import Final

NO_DECIMALS: Final = frozenset(
    {
        "bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga",
        "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf",
    }
)  # fmt: skip
THREE_DECIMALS: Final = frozenset({"bhd", "jod", "kwd", "omr", "tnd"})
"""As Stripe lists them (docs.stripe.com/currencies), which is not everywhere as ISO does: its API
keeps two decimals for ISK and UGX, which have none any more."""

SYMBOLS: Final = {"usd": "$", "eur": "€", "gbp": "£"}


def decimals(currency: str) -> int:
    """How many digits of an amount stand behind the point."""
    if currency in NO_DECIMALS:
        return 0
    return 3 if currency in THREE_DECIMALS else 2


def plain(amount: int, currency: str) -> str:
    """An amount without its currency: `29.00`, or `2900` where there is nothing smaller."""
    places = decimals(currency)
    whole, rest = divmod(amount, 10**places)
    return f"{whole}.{rest:0{places}}" if places else str(whole)


def shown(amount: int, currency: str) -> str:
    """An amount with its currency: `$29.00`, `2900 JPY`."""
    return _named(plain(amount, currency), currency)


def shown_short(amount: int, currency: str) -> str:
    """The same without decimals that are all zero: `$29`, as a price tag has it."""
    whole, _, rest = plain(amount, currency).partition(".")
    return _named(f"{whole}.{rest}" if rest.strip("0") else whole, currency)


def _named(number: str, currency: str) -> str:
    symbol = SYMBOLS.get(currency)
    return f"{symbol}{number}" if symbol else f"{number} {currency.upper()}"
