"""What differs between an object as it is wanted and as it stands."""

from base64 import b64encode
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from chalicelib.domain.quantities import amount


def differences(wanted: Mapping[str, Any], found: Mapping[str, Any] | None) -> list[str]:
    """One text for each field that is not as wanted; what nobody asked for is no difference.

    The API server fills in defaults and writes quantities its own way (`1000m` comes back as `1`),
    so maps may hold more than is wanted, and quantities are compared by their amounts.
    """
    what = f"{wanted['kind']} {wanted['metadata']['name']}"
    if found is None:
        return [f"{what} is missing"]
    if wanted["kind"] == "Secret":
        return [f"{what}: {path} is not as it should be" for path in _secret(wanted, found)]
    return [f"{what}: {line}" for line in _compared(wanted, found, "")]


def _compared(wanted: object, found: object, path: str) -> Iterator[str]:
    if isinstance(wanted, Mapping) and isinstance(found, Mapping):
        for name, value in wanted.items():
            yield from _compared(value, found.get(name), f"{path}.{name}")
    elif isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        for index, (value, other) in enumerate(zip(wanted, found, strict=True)):
            yield from _compared(value, other, f"{path}[{index}]")
    elif not _same(wanted, found):
        yield f"{path} is {_shown(found)}, should be {_shown(wanted)}"


def _secret(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[str]:
    """Where it differs, and never what it holds; plain texts come back encoded."""
    plain = wanted.get("stringData") or {}
    data = {name: b64encode(text.encode()).decode() for name, text in plain.items()}
    data = {**(wanted.get("data") or {}), **data}
    rest = {name: value for name, value in wanted.items() if name not in {"data", "stringData"}}
    for name, value in data.items():
        if (found.get("data") or {}).get(name) != value:
            yield f".data.{name}"
    yield from (line.partition(" ")[0] for line in _compared(rest, found, ""))


def _same(wanted: object, found: object) -> bool:
    if wanted == found and isinstance(wanted, bool) == isinstance(found, bool):
        return True
    if not wanted and found is None:
        return wanted is not False  # an empty map or list is left out when it is stored
    amounts = _amount(wanted), _amount(found)
    return amounts[0] is not None and amounts[0] == amounts[1]


def _amount(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return amount(value)


def _shown(value: object) -> str:
    text = "missing" if value is None else repr(value)
    return text if len(text) <= 120 else f"{text[:120]}…"  # noqa: PLR2004 - a line's worth
