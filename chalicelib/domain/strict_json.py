"""What of a YAML document an API server can be sent: JSON, and nothing that only YAML has."""

import math
from collections.abc import Iterator
from typing import Any

from chalicelib.domain.texts import is_storable


def unfit(value: Any, at: str = "", above: tuple[int, ...] = ()) -> Iterator[str]:  # noqa: ANN401 - YAML of any shape
    """What is no JSON, each with the path of its field; a value, which may be secret, is not told.

    Args:
        value: as YAML was read.
        at: its path, such as `spec.ports[0]`.
        above: the ids of what it stands in: YAML can put a thing into itself.
    """
    if id(value) in above:
        yield f"{at} contains itself"
    elif isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                yield f"{at or 'the object'} has the key {key!r}, which is no text: quote it"
            yield from unfit(item, f"{at}.{key}".removeprefix("."), (*above, id(value)))
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from unfit(item, f"{at}[{place}]", (*above, id(value)))
    elif isinstance(value, float) and not math.isfinite(value):
        yield f"{at} is no number that JSON has"
    elif isinstance(value, str) and not is_storable(value):
        yield f"{at} holds half of a character (a lone surrogate)"
    elif value is not None and not isinstance(value, str | int | float):
        yield f"{at} is a {type(value).__name__} to YAML, which JSON does not have: quote it"


def not_texts(value: Any, at: str) -> Iterator[str]:  # noqa: ANN401 - YAML of any shape
    """Why this is no map of texts, field by field; absent is fine."""
    if value is None:
        return
    if not isinstance(value, dict):
        yield f"{at} must be a map of texts"
        return
    for key, item in value.items():
        if not isinstance(item, str):
            read = _NAMES.get(type(item), "none")
            yield f"{at}.{key} must be a text, and YAML reads {read}: quote it"


_NAMES = {bool: "a flag", int: "a number", float: "a number", list: "a list", dict: "a map"}
