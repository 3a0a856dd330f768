"""Watches: what happens to the objects of a list from one version on, line by line."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sandbox.kubernetes import statuses
from sandbox.kubernetes.kinds import Object
from sandbox.kubernetes.requests import Request, Target
from sandbox.kubernetes.selectors import Matches
from sandbox.kubernetes.store import Change, Store

_LONGEST = 1800
"""Seconds; a client that wants more asks again."""


@dataclass(frozen=True, slots=True)
class Watch:
    """One client's watch.

    Attributes:
        shown: an object as this client wants it.
    """

    store: Store
    target: Target
    matches: Matches
    shown: Callable[[Object], Object]

    def lines(self, request: Request) -> Iterator[bytes]:
        """Events until the time is up; the store's lock is held only while looking.

        Raises:
            Refusal: 422 for a way to watch that is not served, 410 for a forgotten version.
        """
        if request.query.get("sendInitialEvents") == "true":
            error = statuses.Invalid("sendInitialEvents", "Forbidden: not served here")
            raise statuses.invalid_options("ListOptions", [error])
        version = _number(request, "resourceVersion", 0)
        end = time.monotonic() + _number(request, "timeoutSeconds", _LONGEST)
        with self.store.lock:
            if version:
                self.store.since(version, self.target.kind)
                return self._news(version, end)
            present = [
                _line("ADDED", self.shown(obj))
                for obj in self.store.all(self.target.kind, self.target.namespace or None)
                if self.matches(obj)
            ]
            return self._from_the_start(present, self.store.version, end)

    def _from_the_start(self, present: list[bytes], version: int, end: float) -> Iterator[bytes]:
        yield from present
        yield from self._news(version, end)

    def _news(self, version: int, end: float) -> Iterator[bytes]:
        while True:
            with self.store.changed:
                changes = self.store.since(version, self.target.kind)
                left = end - time.monotonic()
                if not changes and (left <= 0 or not self.store.changed.wait(left)):
                    return
                version = self.store.version if changes else version
            for change in changes:
                yield from self._event(change)

    def _event(self, change: Change) -> Iterator[bytes]:
        """What a change is to somebody who sees only what their selector lets them see."""
        was, now = (each if self._is_mine(each) else None for each in (change.before, change.after))
        if now is not None:
            yield _line("ADDED" if was is None else "MODIFIED", self.shown(now))
        elif was is not None:
            yield _line("DELETED", self.shown(was))

    def _is_mine(self, obj: Object | None) -> bool:
        if obj is None:
            return False
        here = self.target.namespace in ("", obj["metadata"].get("namespace", ""))
        return here and self.matches(obj)


def _number(request: Request, name: str, usual: int) -> int:
    given = request.query.get(name) or str(usual)
    if not given.isdecimal():
        raise statuses.bad_request(f"Invalid value: {given!r}: {name}")
    return int(given)


def _line(sort: str, obj: Object) -> bytes:
    return json.dumps({"type": sort, "object": obj}, separators=(",", ":")).encode() + b"\n"
