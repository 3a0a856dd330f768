"""Kubernetes' quantities: `500m`, `8Gi`, `1e3`."""

import re
from decimal import Decimal

_WRITTEN = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d{1,3})|([numkMGTPE]|[KMGTPE]i)?)")
_POWERS = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = ("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")


def amount(quantity: str | float) -> Decimal | None:
    """The number that a quantity stands for; None if it is no quantity."""
    parts = _WRITTEN.fullmatch(str(quantity))
    if parts is None:
        return None
    number, exponent, suffix = Decimal(parts[1]), parts[2], parts[3] or ""
    if exponent:
        return number.scaleb(int(exponent[1:]))
    if suffix in _POWERS:
        return number.scaleb(_POWERS[suffix])
    return number * Decimal(1024) ** _BINARY.index(suffix)


def written(number: Decimal, *, binary: bool) -> str:
    """A number as Kubernetes writes it: exact, and as short as its powers allow."""
    if binary and number == number.to_integral_value():
        whole, power = int(number), 0
        while whole and whole % 1024 == 0 and power < len(_BINARY) - 1:
            whole, power = whole // 1024, power + 1
        return f"{whole}{_BINARY[power]}"
    if number == number.to_integral_value():
        return str(int(number))
    milli = number.scaleb(3)
    return f"{int(milli)}m" if milli == milli.to_integral_value() else f"{number.normalize():f}"
