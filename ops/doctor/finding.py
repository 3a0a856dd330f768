"""What a check says."""

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor's; `todo` is empty when all is well."""

    name: str
    state: State
    said: str
    todo: str = ""


def ok(name: str, said: str) -> Finding:
    """All is well."""
    return Finding(name, "ok", said)


def warn(name: str, said: str, todo: str) -> Finding:
    """It works, and somebody will be sorry."""
    return Finding(name, "warn", said, todo)


def fail(name: str, said: str, todo: str) -> Finding:
    """It does not work."""
    return Finding(name, "fail", said, todo)
