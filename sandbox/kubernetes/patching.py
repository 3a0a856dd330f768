"""The two other ways to patch: JSON patches, and strategic merges as kubectl sends them."""

from collections.abc import Callable
from typing import Any

from sandbox.kubernetes import statuses
from sandbox.kubernetes.schema import Type

JSON_PATCH = "application/json-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"

_DIRECTIVE = "$patch"


def strategic(live: Any, patch: Any, kind: Type | None) -> Any:  # noqa: ANN401 - loose JSON
    """A strategic merge: lists of things told apart by a key are merged, thing by thing."""
    if isinstance(patch, dict):
        return _struct(live if isinstance(live, dict) else {}, patch, kind)
    if isinstance(patch, list) and kind is not None and kind.keys:
        return _list(live if isinstance(live, list) else [], patch, kind)
    return patch


def _struct(live: dict[str, Any], patch: dict[str, Any], kind: Type | None) -> Any:  # noqa: ANN401 - loose JSON
    if patch.get(_DIRECTIVE) == "replace":
        return {name: value for name, value in patch.items() if name != _DIRECTIVE}
    result = dict(live)
    for name, value in patch.items():
        if name.startswith("$deleteFromPrimitiveList/"):
            field = name.partition("/")[2]
            result[field] = [each for each in result.get(field) or [] if each not in value]
        elif name.startswith("$"):
            continue  # an order, or the keys of a union: neither changes what is there
        elif value is None:
            result.pop(name, None)
        else:
            below = kind.field(name) if kind is not None else None
            result[name] = strategic(result.get(name), value, below)
    return result


def _list(live: list[Any], patch: list[Any], kind: Type) -> list[Any]:
    if kind.is_set:
        return live + [each for each in patch if each not in live]
    key, result = kind.keys[0], list(live)
    if any(each == {_DIRECTIVE: "replace"} for each in patch):
        return [each for each in patch if _DIRECTIVE not in each]
    for each in patch:
        at = next((n for n, old in enumerate(result) if old.get(key) == each.get(key)), None)
        if each.get(_DIRECTIVE) == "delete":
            result = [old for n, old in enumerate(result) if n != at]
        elif at is None:
            result.append(strategic({}, each, kind.items))
        else:
            result[at] = strategic(result[at], each, kind.items)
    return result


def by_operations(live: Any, operations: Any) -> Any:  # noqa: ANN401 - loose JSON
    """A JSON patch (RFC 6902).

    Raises:
        Refusal: 400 for what is no patch, 422 for one that does not fit.
    """
    if not isinstance(operations, list):
        raise statuses.bad_request("error decoding patch: not a list of operations")
    result = live
    for each in operations:
        if not isinstance(each, dict) or each.get("op") not in _OPERATIONS:
            raise statuses.bad_request(f"error decoding patch: {each!r} is no operation")
        steps = [_unescaped(step) for step in str(each.get("path", "")).split("/")[1:]]
        try:
            result = _OPERATIONS[each["op"]](result, steps, each)
        except (KeyError, IndexError, TypeError, ValueError) as e:
            why = f"the server rejected our request due to an error in our request: {e}"
            raise statuses.Refusal(422, why, "Invalid", {}) from e
    return result


def _unescaped(step: str) -> str:
    return step.replace("~1", "/").replace("~0", "~")


def _got(value: Any, steps: list[str]) -> Any:  # noqa: ANN401 - loose JSON
    for step in steps:
        value = value[int(step)] if isinstance(value, list) else value[step]
    return value


def _changed(value: Any, steps: list[str], change: Callable[[Any, str], Any]) -> Any:  # noqa: ANN401 - loose JSON
    """The value with what is at the last step changed in a copy of whatever holds it."""
    first, *rest = steps
    if not rest:
        return change(value, first)
    below = _changed(_got(value, [first]), rest, change)
    if isinstance(value, list):
        at = int(first)
        return [*value[:at], below, *value[at + 1 :]]
    return {**value, first: below}


def _added(holder: Any, step: str, value: Any, *, over: bool = False) -> Any:  # noqa: ANN401 - loose JSON
    if not isinstance(holder, list):
        return {**holder, step: value}
    at = len(holder) if step == "-" else int(step)
    return [*holder[:at], value, *holder[at + over :]]


def _without(holder: Any, step: str) -> Any:  # noqa: ANN401 - loose JSON
    _got(holder, [step])
    if isinstance(holder, list):
        return [each for n, each in enumerate(holder) if n != int(step)]
    return {name: value for name, value in holder.items() if name != step}


def _test(whole: Any, steps: list[str], operation: dict[str, Any]) -> Any:  # noqa: ANN401 - loose JSON
    if _got(whole, steps) != operation.get("value"):
        path = operation["path"]
        raise ValueError(f"testing path {path} failed")
    return whole


def _add(whole: Any, steps: list[str], operation: dict[str, Any]) -> Any:  # noqa: ANN401 - loose JSON
    return _changed(whole, steps, lambda holder, step: _added(holder, step, operation["value"]))


def _replace(whole: Any, steps: list[str], operation: dict[str, Any]) -> Any:  # noqa: ANN401 - loose JSON
    _got(whole, steps)
    return _changed(
        whole, steps, lambda holder, step: _added(holder, step, operation["value"], over=True)
    )


def _remove(whole: Any, steps: list[str], _operation: dict[str, Any]) -> Any:  # noqa: ANN401 - loose JSON
    return _changed(whole, steps, _without)


_OPERATIONS: dict[str, Callable[[Any, list[str], dict[str, Any]], Any]] = {
    "test": _test,
    "add": _add,
    "replace": _replace,
    "remove": _remove,
}
