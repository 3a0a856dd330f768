"""DynamoDB's condition and update expressions, as far as they are used: top-level attributes.

Anything beyond that is refused loudly, so that nothing is believed that was not understood.
"""

import functools
import re
from collections.abc import Callable, Mapping
from typing import Any

Item = dict[str, Any]
Values = Mapping[str, Any]
Test = Callable[[Item, Mapping[str, str], Values], bool]

_TOKEN = re.compile(
    r"\s*(attribute_exists|attribute_not_exists|begins_with|AND\b|OR\b|<=|>=|[=<>(),]|[#:]?\w+)"
)
_CLAUSE = re.compile(r"\b(SET|ADD|DELETE|REMOVE)\s")


class NotUnderstood(Exception):
    """An expression that this does not know: teach it, or write another."""


def holds(
    expression: str, item: Item | None, names: Mapping[str, str] | None, values: Values | None
) -> bool:
    """Whether a condition holds for an item; None where there is none."""
    return _condition(expression)(item or {}, names or {}, values or {})


@functools.cache
def _condition(expression: str) -> Test:
    tokens, at = [], 0
    while at < len(expression.rstrip()):
        found = _TOKEN.match(expression, at)
        if not found:
            raise NotUnderstood(expression)
        tokens.append(found[1])
        at = found.end()
    test, rest = _any(tokens)
    if rest:
        raise NotUnderstood(expression)
    return test


def _any(tokens: list[str]) -> tuple[Test, list[str]]:
    left, rest = _all(tokens)
    while rest and rest[0] == "OR":
        right, rest = _all(rest[1:])
        left = _either(left, right)
    return left, rest


def _all(tokens: list[str]) -> tuple[Test, list[str]]:
    left, rest = _one(tokens)
    while rest and rest[0] == "AND":
        right, rest = _one(rest[1:])
        left = _both(left, right)
    return left, rest


def _either(a: Test, b: Test) -> Test:
    return lambda item, names, values: a(item, names, values) or b(item, names, values)


def _both(a: Test, b: Test) -> Test:
    return lambda item, names, values: a(item, names, values) and b(item, names, values)


def _one(tokens: list[str]) -> tuple[Test, list[str]]:
    match tokens:
        case ["(", *rest]:
            test, rest = _any(rest)
            if rest[:1] != [")"]:
                raise NotUnderstood("a parenthesis is not closed")
            return test, rest[1:]
        case ["attribute_exists", "(", path, ")", *rest]:
            return lambda item, names, _: _name(path, names) in item, rest
        case ["attribute_not_exists", "(", path, ")", *rest]:
            return lambda item, names, _: _name(path, names) not in item, rest
        case ["begins_with", "(", path, ",", word, ")", *rest]:
            return _beginning(path, word), rest
        case [left, "=" | "<" | "<=" | ">" | ">=" as operator, right, *rest]:
            return _comparison(left, operator, right), rest
    raise NotUnderstood(" ".join(tokens))


def _beginning(path: str, word: str) -> Test:
    def test(item: Item, names: Mapping[str, str], values: Values) -> bool:
        found = _operand(path, item, names, values)
        return found is not None and str(found.get("S", "")).startswith(values[word]["S"])

    return test


def _comparison(left: str, operator: str, right: str) -> Test:
    def test(item: Item, names: Mapping[str, str], values: Values) -> bool:
        a, b = (_operand(x, item, names, values) for x in (left, right))
        if a is None or b is None or a.keys() != b.keys():
            return False
        (kind, x), (_, y) = *a.items(), *b.items()
        if kind == "N":
            x, y = int(x), int(y)
        elif operator != "=" and kind not in {"S", "B"}:
            raise NotUnderstood(f"{operator} of {kind}")
        return {"=": x == y, "<": x < y, "<=": x <= y, ">": x > y, ">=": x >= y}[operator]

    return test


def _name(path: str, names: Mapping[str, str]) -> str:
    return names[path] if path.startswith("#") else path


def _operand(word: str, item: Item, names: Mapping[str, str], values: Values) -> Any:
    return values[word] if word.startswith(":") else item.get(_name(word, names))


def updated(
    expression: str, item: Item, names: Mapping[str, str] | None, values: Values | None
) -> Item:
    """The item after an update; `item` has its key already."""
    after, values = dict(item), values or {}
    for word, name, value in _actions(expression):
        attribute = _name(name, names or {})
        if word == "SET":
            after[attribute] = values[value]
        elif word == "REMOVE":
            after.pop(attribute, None)
        elif word == "ADD":
            after[attribute] = _sum(after.get(attribute), values[value])
        else:
            _discard(after, attribute, values[value])
    return after


@functools.cache
def _actions(expression: str) -> tuple[tuple[str, str, str], ...]:
    parts = _CLAUSE.split(expression.strip())
    if parts[0]:
        raise NotUnderstood(expression)
    found = []
    for word, body in zip(parts[1::2], parts[2::2], strict=True):
        for term in body.split(","):
            pattern = {"SET": r"([#\w]+) = (:\w+)", "REMOVE": r"([#\w]+)()"}.get(
                word, r"([#\w]+) (:\w+)"
            )
            action = re.fullmatch(pattern, term.strip())
            if not action:
                raise NotUnderstood(expression)
            found.append((word, action[1], action[2]))
    return tuple(found)


def _sum(old: Any, more: Any) -> Any:
    if "N" in more:
        return {"N": str(int(old["N"] if old else 0) + int(more["N"]))}
    if "SS" in more:
        return {"SS": sorted({*(old["SS"] if old else ()), *more["SS"]})}
    raise NotUnderstood(f"ADD of {more}")


def _discard(item: Item, attribute: str, less: Any) -> None:
    if "SS" not in less:
        raise NotUnderstood(f"DELETE of {less}")
    left = [x for x in item.get(attribute, {}).get("SS", ()) if x not in less["SS"]]
    if left:
        item[attribute] = {"SS": left}
    else:
        item.pop(attribute, None)
