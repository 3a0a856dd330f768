"""Types: which fields exist and how they merge.

`schemas.json` writes a type as `string`, `integer`, `boolean`, `number`, `any` or `quantity`;
`&Name` is a struct, `{}T` a map, `[]T` a list that is replaced whole, `[set]T` a set, `[a,b]T` a
list of structs told apart by those fields; `!` marks a struct or map that is replaced whole.
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from sandbox.kubernetes import quantities
from sandbox.kubernetes.kinds import Kind

_FILE = Path(__file__).with_name("schemas.json")

KEY_DEFAULTS = {"protocol": "TCP"}
"""What a missing key of a list item stands for."""


@dataclass(frozen=True)
class Type:
    """One type of the API."""

    form: Literal["scalar", "struct", "map", "list"]
    name: str
    """Of a scalar or a struct."""
    atomic: bool = False
    keys: tuple[str, ...] = ()
    of: str = ""
    """The items' type, in the file's notation."""

    @property
    def items(self) -> "Type":
        """The items' type."""
        return parse(self.of)

    @property
    def is_set(self) -> bool:
        """Whether it is a list whose items are their own keys."""
        return self.keys == ("set",)

    def field(self, name: str) -> "Type | None":
        """The type under this name; None if a struct has no such field."""
        if self.form == "map":
            return self.items
        text = self.fields.get(name) if self.form == "struct" else None
        return None if text is None else parse(text)

    @property
    def fields(self) -> dict[str, str]:
        """A struct's fields, in the file's notation."""
        return _structs()[self.name]


@cache
def parse(text: str) -> Type:
    """A type from the file's notation."""
    if text.startswith("{"):
        head, _, of = text.partition("}")
        return Type("map", "", atomic=head == "{!", of=of)
    if text.startswith("["):
        head, _, of = text[1:].partition("]")
        keys = tuple(head.split(",")) if head else ()
        return Type("list", "", atomic=not keys, keys=keys, of=of)
    if "&" in text:
        return Type("struct", text.lstrip("!&"), atomic=text.startswith("!"))
    return Type("scalar", text)


def of(kind: Kind) -> Type:
    """The type of a kind."""
    return parse(f"&{kind.model}")


@cache
def _structs() -> dict[str, dict[str, str]]:
    structs: dict[str, dict[str, str]] = json.loads(_FILE.read_text())
    return structs


_PYTHON: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "boolean": bool,
    "number": (int, float),
}


def undeclared(value: Any, kind: Type, path: str = "") -> list[str]:  # noqa: ANN401 - loose JSON
    """Everything in a value that its type has no place for, as an apply's error lines."""
    if value is None or kind.name == "any":
        return []
    if kind.form == "scalar":
        return _misfit(value, kind, path)
    if kind.form == "list":
        if not isinstance(value, list):
            return [f"{path}: expected list, got {_shown(value)}"]
        lines = [
            f"{path}[{index}]: element may not be null"
            for index, item in enumerate(value)
            if item is None
        ]
        for index, item in enumerate(value):
            lines += undeclared(item, kind.items, f"{path}[{_position(kind, item, index)}]")
        return lines
    if not isinstance(value, dict):
        return [f"{path}: expected map, got {_shown(value)}"]
    lines = []
    for name, item in value.items():
        found = kind.field(name)
        if found is None:
            lines.append(f"{path}.{name}: field not declared in schema")
        else:
            lines += undeclared(item, found, f"{path}.{name}")
    return lines


def _position(kind: Type, item: Any, index: int) -> str:  # noqa: ANN401 - loose JSON
    if kind.keys and not kind.is_set and isinstance(item, dict):
        keys = [(key, item.get(key, KEY_DEFAULTS.get(key))) for key in kind.keys]
        return ",".join(f"{key}={json.dumps(found)}" for key, found in keys)
    return str(index)


def _misfit(value: Any, kind: Type, path: str) -> list[str]:  # noqa: ANN401 - loose JSON
    if kind.name == "quantity":
        fits = isinstance(value, str | int | float) and not isinstance(value, bool)
        return [] if fits else [f"{path}: expected quantity"]
    fits = isinstance(value, _PYTHON[kind.name])
    if isinstance(value, bool) and kind.name != "boolean":
        fits = False
    return [] if fits else [f"{path}: expected {kind.name}, got {_shown(value)}"]


def _shown(value: Any) -> str:  # noqa: ANN401 - loose JSON
    return f"&value.valueUnstructured{{Value:{json.dumps(value)}}}"


def has_bad_quantity(value: Any, kind: Type) -> bool:  # noqa: ANN401 - loose JSON
    """Whether a quantity somewhere in the value cannot be read."""
    if kind.name == "quantity":
        return value is not None and not quantities.is_one(value)
    if kind.form == "list" and isinstance(value, list):
        return any(has_bad_quantity(item, kind.items) for item in value)
    if isinstance(value, dict):
        return any(
            has_bad_quantity(item, found)
            for name, item in value.items()
            if (found := kind.field(name)) is not None
        )
    return False


def pruned(value: Any, kind: Type) -> Any:  # noqa: ANN401 - loose JSON
    """The value without nulls, empty maps, and fields that its type does not have.

    The API's own types leave out a map that is empty (`labels`, `data`), unlike an empty struct.
    """
    if kind.form == "list" and isinstance(value, list):
        return [pruned(item, kind.items) for item in value]
    if isinstance(value, dict) and kind.form in ("struct", "map"):
        return {
            name: _as_text(pruned(item, found), found)
            for name, item in value.items()
            if item is not None
            and (found := kind.field(name)) is not None
            and not (item == {} and found.form == "map")
        }
    return value


def _as_text(value: Any, kind: Type) -> Any:  # noqa: ANN401 - loose JSON
    return str(value) if kind.name == "quantity" and not isinstance(value, str) else value
