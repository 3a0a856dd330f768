"""DynamoDB's typed values. boto3 has them too, behind an import as dear as its clients."""

from collections.abc import Mapping
from typing import Any

Wire = dict[str, Any]
"""One value as it travels: `{"S": "text"}`, `{"N": "7"}`, …"""


def dumped(values: Mapping[str, Any]) -> dict[str, Wire]:
    """Attributes as they travel."""
    return {name: _dump(value) for name, value in values.items()}


def loaded(item: Mapping[str, Wire]) -> dict[str, Any]:
    """Attributes as they came."""
    return {name: _load(value) for name, value in item.items()}


def _dump(value: object) -> Wire:  # noqa: PLR0911 - one answer per type
    match value:
        case str():
            return {"S": value}
        case bool():
            return {"BOOL": value}
        case int():
            return {"N": str(value)}
        case None:
            return {"NULL": True}
        case Mapping():
            return {"M": dumped(value)}
        case list() | tuple():
            return {"L": [_dump(inner) for inner in value]}
        case set() | frozenset() if value and all(isinstance(inner, str) for inner in value):
            return {"SS": sorted(value)}
    raise TypeError(f"no item of ours has a {type(value).__name__} like {value!r}")


def _load(value: Wire) -> Any:  # noqa: ANN401 - what was stored
    ((kind, inner),) = value.items()
    match kind:
        case "S" | "BOOL":
            return inner
        case "N":
            return int(inner)
        case "NULL":
            return None
        case "M":
            return loaded(inner)
        case "L":
            return [_load(each) for each in inner]
        case "SS":
            return set(inner)
    raise TypeError(f"no item of ours has a value of DynamoDB's type {kind}")
