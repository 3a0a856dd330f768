"""`{{namespace}}` and its like in an adopter's templates: which there are, and filling them in."""

import re
from collections.abc import Callable, Mapping
from typing import Any

ALWAYS = ("app", "namespace", "plan", "tenant")
"""Known in every plan; besides, `entitlement.<name>` for each of the plan's own."""

_PLACEHOLDER = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")


def filled(template: Mapping[str, Any], values: Mapping[str, str]) -> Mapping[str, Any]:
    """A template with its placeholders replaced, in every text and nowhere else."""

    def replaced(text: str) -> str:
        return _PLACEHOLDER.sub(lambda match: values[match[1]], text)

    manifest: Mapping[str, Any] = _mapped(template, replaced)
    return manifest


def named_in(template: Mapping[str, Any]) -> set[str]:
    """The placeholders of a template."""
    found: set[str] = set()

    def noted(text: str) -> str:
        found.update(_PLACEHOLDER.findall(text))
        return text

    _mapped(template, noted)
    return found


def _mapped(value: Any, change: Callable[[str], str]) -> Any:  # noqa: ANN401 - YAML of any shape
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {change(str(key)): _mapped(item, change) for key, item in value.items()}
    if isinstance(value, list):
        return [_mapped(item, change) for item in value]
    return value
