"""Quantities: `500m`, `8Gi`, `1e3`."""

import re
from decimal import Decimal, InvalidOperation

_WRITTEN = re.compile(r"^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$")
REFUSAL = f"quantities must match the regular expression '{_WRITTEN.pattern}'"
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = ("Ki", "Mi", "Gi", "Ti", "Pi", "Ei")


def amount(quantity: str | float) -> Decimal:
    """The number that a quantity stands for.

    Raises:
        ValueError: it is none.
    """
    found = _WRITTEN.match(str(quantity))
    if found is None:
        raise ValueError(quantity)
    number, suffix = found.groups()
    try:
        if suffix in _BINARY:
            return Decimal(number) * Decimal(1024) ** (_BINARY.index(suffix) + 1)
        if suffix in _DECIMAL:
            return Decimal(number).scaleb(_DECIMAL[suffix])
        return Decimal(number + suffix)
    except InvalidOperation as e:
        raise ValueError(quantity) from e


def is_one(value: str | float) -> bool:
    """Whether it can be read."""
    try:
        amount(value)
    except ValueError:
        return False
    return True


def written(number: Decimal, *, binary: bool) -> str:
    """The shortest exact way to write a number, in powers of 1024 or of 1000."""
    if number == 0:
        return "0"
    if binary and number == number.to_integral_value():
        whole, power = int(number), 0
        while whole % 1024 == 0 and power < len(_BINARY):
            whole, power = whole // 1024, power + 1
        return f"{whole}{_BINARY[power - 1] if power else ''}"
    for suffix in ("E", "P", "T", "G", "M", "k", "", "m", "u", "n"):
        scaled = number.scaleb(-_DECIMAL[suffix])
        if scaled == scaled.to_integral_value():
            return f"{int(scaled)}{suffix}"
    return str(number)


def is_binary(quantity: str) -> bool:
    """Whether a quantity is written in powers of 1024."""
    return quantity.endswith("i")
