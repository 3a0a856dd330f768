"""What can be made to go wrong, and what was asked: the sandbox's own switches."""

import time
from collections import deque
from dataclasses import dataclass, field
from threading import Condition
from typing import Any

_CHANGING = ("POST", "PUT", "PATCH", "DELETE")
_REMEMBERED = 10_000


class BadFault(ValueError):
    """A setting that is none."""


@dataclass
class Faults:
    """An outage, or requests that hang; wall-clock seconds."""

    _changed: Condition = field(default_factory=Condition)
    _down_until: float = 0
    _left: int | None = None
    """Changing requests that are let through before everything hangs; None: nothing hangs."""

    def set(self, wanted: dict[str, Any]) -> None:
        """Take over what is named; the rest stays.

        Raises:
            BadFault: an unknown name, or a value of the wrong kind.
        """
        for name, value in wanted.items():
            number = isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
            whole = number and isinstance(value, int)
            if (name == "outage" and number) or (name == "hang_after" and (whole or value is None)):
                continue
            raise BadFault(f"not a fault: {name}: {value!r}")
        with self._changed:
            if "outage" in wanted:
                self._down_until = time.monotonic() + wanted["outage"]
            if "hang_after" in wanted:
                self._left = wanted["hang_after"]
            self._changed.notify_all()

    def state(self) -> dict[str, Any]:
        """As set, with what is left of it."""
        with self._changed:
            outage = max(0.0, self._down_until - time.monotonic())
            return {"outage": outage, "hang_after": self._left}

    def pass_through(self, method: str) -> bool:
        """Hang if told to; then whether the API is up."""
        with self._changed:
            self._changed.wait_for(lambda: self._left != 0)
            if self._left is not None and method in _CHANGING:
                self._left -= 1
            return time.monotonic() >= self._down_until


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
