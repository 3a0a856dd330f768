"""Label and field selectors of lists."""

import re
from collections.abc import Callable
from typing import Any

from sandbox.kubernetes import statuses
from sandbox.kubernetes.kinds import Object

Matches = Callable[[Object], bool]

_SET = re.compile(r"^(?P<key>\S+)\s+(?P<op>in|notin)\s*\((?P<values>[^)]*)\)$")
_EQUALS = re.compile(r"^(?P<key>[^\s!=]+)\s*(?P<op>==|=|!=)\s*(?P<value>\S*)$")
_FIELDS = ("metadata.name", "metadata.namespace", "status.phase")


def matcher(labels: str, fields: str) -> Matches:
    """Whether an object is selected by both selectors; empty ones select everything."""
    by_labels = [_label(term) for term in _terms(labels)]
    by_fields = [_field(term) for term in _terms(fields)]

    def matches(obj: Object) -> bool:
        found = obj["metadata"].get("labels") or {}
        return all(test(found) for test in by_labels) and all(test(obj) for test in by_fields)

    return matches


def selects(selector: Object, labels: Object) -> bool:
    """Whether a LabelSelector (`matchLabels`, `matchExpressions`) selects these labels."""
    wanted = selector.get("matchLabels") or {}
    if any(labels.get(key) != value for key, value in wanted.items()):
        return False
    return all(_expressed(each, labels) for each in selector.get("matchExpressions") or [])


def _expressed(expression: Object, labels: Object) -> bool:
    key, values = expression["key"], expression.get("values") or []
    match expression["operator"]:
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case _:
            return key not in labels


def _terms(selector: str) -> list[str]:
    """Split at commas that are not inside parentheses."""
    return [term.strip() for term in re.split(r",(?![^(]*\))", selector) if term.strip()]


def _label(term: str) -> Callable[[dict[str, Any]], bool]:
    if found := _SET.match(term):
        values = {value.strip() for value in found["values"].split(",")}
        key = found["key"]
        if found["op"] == "in":
            return lambda labels: labels.get(key) in values
        return lambda labels: labels.get(key) not in values
    if found := _EQUALS.match(term):
        key, value = found["key"], found["value"]
        if found["op"] == "!=":
            return lambda labels: labels.get(key) != value
        return lambda labels: labels.get(key) == value
    if re.fullmatch(r"![^\s!=]+", term):
        return lambda labels: term[1:] not in labels
    if re.fullmatch(r"[^\s!=()]+", term):
        return lambda labels: term in labels
    raise statuses.bad_request(f"unable to parse requirement: {term}")


def _field(term: str) -> Matches:
    found = _EQUALS.match(term)
    if found is None:
        raise statuses.bad_request(f"invalid field selector: {term}")
    path, value, same = found["key"], found["value"], found["op"] != "!="
    if path not in _FIELDS:
        raise statuses.bad_request(f"field label not supported: {path}")
    return lambda obj: (str(_at(obj, path)) == value) is same


def _at(obj: Any, path: str) -> Any:  # noqa: ANN401 - loose JSON
    for step in path.split("."):
        obj = obj.get(step, "") if isinstance(obj, dict) else ""
    return obj
