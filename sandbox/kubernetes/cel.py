"""CEL as the API server speaks it: a library's, with the functions that Kubernetes adds.

Only those that `infra/cluster.yaml` uses: `split`, and `format` with `%s`, of a version from 1.29.
"""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

import celpy
from celpy.celparser import CELParseError
from celpy.celtypes import ListType, MapType, StringType
from celpy.evaluation import CELEvalError

_ENVIRONMENT = celpy.Environment()


def _split(text: StringType, separator: StringType) -> ListType:
    return ListType([StringType(each) for each in str(text).split(str(separator))])


def _format(text: StringType, given: ListType) -> StringType:
    """Maps and lists are written as the language has them, which is nearly JSON."""
    written = [json.dumps(each, separators=(", ", ":"), ensure_ascii=False) for each in given]
    return StringType(str(text).replace("%s", "{}").format(*written))


class Variables(MapType):
    """A policy's variables: each is worked out when it is first asked for, and kept."""

    def __init__(self, expressions: Mapping[str, str], known: Mapping[str, Any]) -> None:
        super().__init__()
        self._expressions = expressions
        self._known = {**known, "variables": self}

    def __getitem__(self, name: Any) -> Any:  # noqa: ANN401, D105 - any CEL value
        if name not in self:
            try:
                self[name] = evaluated(self._expressions[str(name)], self._known)
            except CELEvalError as error:
                return error  # which is a value until somebody needs it
        return super().__getitem__(name)


def evaluated(expression: str, known: Mapping[str, Any]) -> Any:  # noqa: ANN401 - any CEL value
    """What an expression comes to.

    Raises:
        CELEvalError: it fails, as it would in the API server.
    """
    result = _program(expression).evaluate(dict(known))
    if isinstance(result, CELEvalError):
        raise result
    return result


@cache
def _program(expression: str) -> celpy.Runner:
    functions: dict[str, Any] = {"split": _split, "format": _format}
    return _ENVIRONMENT.program(_ENVIRONMENT.compile(expression), functions=functions)


def wrong(expression: str) -> str | None:
    """What is wrong with an expression; None if nothing is."""
    try:
        _program(expression)
    except CELParseError as e:
        return str(e)
    return None
