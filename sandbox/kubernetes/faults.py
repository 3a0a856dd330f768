"""What can be made to go wrong, and what was asked: the sandbox's own switches."""

import time
from collections import deque
from dataclasses import dataclass, field
from threading import Condition
from typing import Any, Literal

_CHANGING = ("POST", "PUT", "PATCH", "DELETE")
_REMEMBERED = 10_000


class BadFault(ValueError):
    """A setting that is none."""


Verdict = Literal["up", "down", "throttled"]

_SECONDS = ("outage", "slow")
_COUNTS = ("hang_after", "outage_after", "throttle")
_NONE: dict[str, Any] = {
    "outage": 0, "slow": 0, "hang_after": None, "outage_after": None, "throttle": 0, "close": False
}  # fmt: skip


@dataclass
class Faults:
    """What goes wrong at the moment; wall-clock seconds.

    - `outage`: seconds of 503 from now; `outage_after`: 503 once so many changes were let through.
    - `hang_after`: once so many changes were let through, requests wait until this is lifted.
    - `slow`: seconds that every request takes longer.
    - `throttle`: the next so many requests are put off with 429 and a time to come again.
    - `close`: every connection is closed after an answer, without a word.
    """

    _changed: Condition = field(default_factory=Condition)
    _down_until: float = 0
    _set: dict[str, Any] = field(default_factory=lambda: dict(_NONE))

    def set(self, wanted: dict[str, Any]) -> None:
        """Take over what is named; the rest stays.

        Raises:
            BadFault: an unknown name, or a value of the wrong kind.
        """
        for name, value in wanted.items():
            if not _fits(name, value):
                raise BadFault(f"not a fault: {name}: {value!r}")
        with self._changed:
            self._set |= wanted
            if "outage" in wanted:
                self._down_until = time.monotonic() + wanted["outage"]
            self._changed.notify_all()

    def state(self) -> dict[str, Any]:
        """As set, with what is left of it."""
        with self._changed:
            outage = max(0.0, self._down_until - time.monotonic())
            return {**self._set, "outage": outage}

    @property
    def closes(self) -> bool:
        """Whether connections are closed after an answer."""
        return bool(self._set["close"])

    def pass_through(self, method: str) -> Verdict:
        """Be slow, or hang, if told to; then what the API answers with."""
        time.sleep(self._set["slow"])  # slowness is what was ordered
        with self._changed:
            self._changed.wait_for(lambda: self._set["hang_after"] != 0)
            if self._set["throttle"]:
                self._set["throttle"] -= 1
                return "throttled"
            if self._set["outage_after"] == 0 or time.monotonic() < self._down_until:
                return "down"
            for name in ("hang_after", "outage_after"):
                if self._set[name] is not None and method in _CHANGING:
                    self._set[name] -= 1
            return "up"


def _fits(name: str, value: object) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
    if name in _COUNTS:
        return (number and isinstance(value, int)) or (value is None and _NONE[name] is None)
    return (name in _SECONDS and number) or (name == "close" and isinstance(value, bool))


class Seen:
    """The latest requests and how each was answered."""

    def __init__(self) -> None:
        self._requests: deque[dict[str, Any]] = deque(maxlen=_REMEMBERED)

    def add(self, method: str, path: str) -> dict[str, Any]:
        """Remember one as it comes in; its status, None until then, is for the caller to set."""
        request = {"method": method, "path": path, "status": None}
        self._requests.append(request)
        return request

    def all(self) -> list[dict[str, Any]]:
        """Oldest first."""
        return [dict(request) for request in list(self._requests)]

    def clear(self) -> None:
        """Forget them."""
        self._requests.clear()
