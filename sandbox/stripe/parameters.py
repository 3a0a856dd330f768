"""Form-encoded parameters as Stripe takes them, held against the SDK's own types.

The SDK ships every call's parameters as TypedDicts, at the version that it is pinned to. What they
do not name, Stripe refuses; so does this. Values come as text and leave as what the type says.
Types are looked up one key at a time: whole, `checkout.sessions.create` alone has some 400 of them.
"""

import functools
import re
import sys
import types
import typing
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Literal, Union

import stripe.params
import stripe.params.billing_portal
import stripe.params.checkout
import typing_extensions
from stripe._request_options import RequestOptions

from sandbox.stripe.errors import malformed

NOT_SENT = frozenset(RequestOptions.__annotations__)
"""Options of the SDK's call that stand in the same TypedDict but never reach Stripe."""

_PART = re.compile(r"\[([^\]]*)\]")
_BOOLEANS = {"true": True, "True": True, "false": False, "False": False}


def tree(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """`a[b][0]=c` as `{"a": {"b": {"0": "c"}}}`; lists get their form when the type is known."""
    root: dict[str, Any] = {}
    for name, value in pairs:
        head, _, rest = name.partition("[")
        path = [head, *_PART.findall("[" + rest)] if rest else [head]
        node = root
        for part in path[:-1]:
            inner = node.setdefault(part or str(len(node)), {})
            if not isinstance(inner, dict):
                raise malformed(f"Invalid hash: {name}", head)
            node = inner
        node[path[-1] or str(len(node))] = value
    return root


def check(given: Mapping[str, Any], type_name: str) -> dict[str, Any]:
    """The parameters with their types, by the TypedDict of that name (`checkout.X` is nested).

    Raises:
        Refusal: unknown, missing or malformed; the first one found.
    """
    holder: Any = stripe.params
    *packages, name = type_name.split(".")
    for package in packages:
        holder = getattr(holder, package)
    return _mapping(given, getattr(holder, name), "")


def _mapping(given: object, typed: Any, path: str) -> dict[str, Any]:  # noqa: ANN401 - a type form
    if not isinstance(given, Mapping):
        raise malformed("Invalid hash", path)
    out: dict[str, Any] = {}
    for key, value in given.items():
        at = f"{path}[{key}]" if path else key
        annotation = None if key in NOT_SENT else typed.__annotations__.get(key)
        if annotation is None:
            raise malformed(f"Received unknown parameter: {at}", at, "parameter_unknown")
        out[key] = _value(value, _resolve(annotation, typed.__module__), typed.__module__, at)
    for key in sorted(typed.__required_keys__ - NOT_SENT - out.keys()):
        at = f"{path}[{key}]" if path else key
        raise malformed(f"Missing required param: {at}.", at, "parameter_missing")
    return out


def _resolve(annotation: Any, module: str) -> Any:  # noqa: ANN401 - a type form
    """Evaluate a forward reference where it was written, without NotRequired around it."""
    if typing_extensions.get_origin(annotation) in {
        typing_extensions.NotRequired,
        typing_extensions.Required,
    }:
        annotation = typing_extensions.get_args(annotation)[0]
    if isinstance(annotation, typing.ForwardRef):
        annotation = annotation.__forward_arg__
    if isinstance(annotation, str):
        annotation = _evaluated(annotation, module)
    return annotation


@functools.cache
def _evaluated(text: str, module: str) -> Any:  # noqa: ANN401 - a type form
    return eval(text, vars(sys.modules[module]))  # noqa: S307 - the SDK's own source


def _value(given: Any, wanted: Any, module: str, path: str) -> Any:  # noqa: ANN401 - any JSON value
    wanted = _resolve(wanted, module)
    origin = typing_extensions.get_origin(wanted)
    if origin in {Union, types.UnionType}:
        return _one_of(given, wanted, module, path)
    if origin in {Literal, typing_extensions.Literal}:
        return _choice(given, typing_extensions.get_args(wanted), path)
    if origin is list:
        (inner,) = typing_extensions.get_args(wanted)
        return [
            _value(item, inner, module, f"{path}[{i}]")
            for i, item in enumerate(_items(given, path))
        ]
    if typing_extensions.is_typeddict(wanted):
        return _mapping(given, wanted, path)
    if origin is not None or wanted is Any:  # Dict[str, str], and the SDK's name for it
        if not isinstance(given, Mapping):
            raise malformed("Invalid hash", path)
        return dict(given)
    return _scalar(given, wanted, path)


def _one_of(given: Any, wanted: Any, module: str, path: str) -> Any:  # noqa: ANN401 - as above
    """The first alternative that fits; the SDK widens every enum by `str`, Stripe does not."""
    choices = [_resolve(a, module) for a in typing_extensions.get_args(wanted)]
    literals = [
        value
        for choice in choices
        if typing_extensions.get_origin(choice) in {Literal, typing_extensions.Literal}
        for value in typing_extensions.get_args(choice)
    ]
    if isinstance(given, str) and given in literals:
        return given
    if any(literals):  # `Literal[""] | str` is any text, or none
        choices = [choice for choice in choices if choice is not str]
    others = [c for c in choices if typing_extensions.get_origin(c) is not Literal]
    if not others:
        return _choice(given, tuple(literals), path)
    if isinstance(given, Mapping):
        others.sort(key=lambda c: c in {str, int, float, bool})
    refused = None
    for choice in others:
        try:
            return _value(given, choice, module, path)
        except Exception as e:  # noqa: BLE001 - whatever one alternative says, another may fit
            refused = refused or e
    raise refused or malformed(f"Invalid value for {path}", path)


def _items(given: object, path: str) -> list[Any]:
    if isinstance(given, Mapping) and all(key.isdigit() for key in given):
        return [given[key] for key in sorted(given, key=int)]
    raise malformed("Invalid array", path)


def _choice(given: object, allowed: tuple[str, ...], path: str) -> object:
    if given in allowed:
        return given
    named = ", ".join(str(a) for a in allowed if a)
    raise malformed(f"Invalid {path}: must be one of {named}", path)


def _scalar(given: object, wanted: object, path: str) -> object:
    if not isinstance(given, str):
        raise malformed(f"Invalid string: {path} is a hash or an array", path)
    if wanted is bool:
        if given not in _BOOLEANS:
            raise malformed(f"Invalid boolean: {given}", path)
        return _BOOLEANS[given]
    if wanted is int:
        if not re.fullmatch(r"-?\d{1,18}", given):
            raise malformed(f"Invalid integer: {given}", path, "parameter_invalid_integer")
        return int(given)
    if wanted in {float, Decimal}:
        if not re.fullmatch(r"-?\d{1,15}(\.\d{1,12})?", given):
            raise malformed(f"Invalid decimal: {given}", path)
        return float(given)
    return given
