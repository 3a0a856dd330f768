"""Answers kept under the caller's key: the same call gets the same answer, another is refused."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sandbox.stripe.errors import CONFLICT, Refusal

KEPT = 24 * 3600
LONGEST = 255


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back over the wire."""

    status: int
    body: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)

    def text(self) -> str:
        """The body as JSON."""
        return json.dumps(self.body)


@dataclass(frozen=True, slots=True)
class _Stored:
    asked: object
    answer: Answer
    at: float


def in_use(key: str) -> Refusal:
    """What a call gets while another is under way under its key."""
    return Refusal(
        "There is currently another in-progress request using this Idempotency Key: "
        f"'{key}'. Try again in a moment.",
        status=CONFLICT,
        kind="idempotency_error",
        code="idempotency_key_in_use",
        executed=False,
    )


class Answers:
    """The kept answers. Callers hold the ledger's lock, but for `enter` and `leave`."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._stored: dict[str, _Stored] = {}
        self._under_way: set[str] = set()
        self._entering = threading.Lock()

    def enter(self, key: str) -> bool:
        """Begin a call under a key; False while another is under way under it."""
        with self._entering:
            free = key not in self._under_way
            self._under_way.add(key)
            return free

    def leave(self, key: str) -> None:
        """The call that entered is over."""
        with self._entering:
            self._under_way.discard(key)

    def find(self, key: str, asked: object) -> Answer | None:
        """The answer that the same call got before.

        Raises:
            Refusal: the key stands for another call.
        """
        if not key.strip() or len(key) > LONGEST:
            raise Refusal(
                f"Idempotency keys are 1 to {LONGEST} characters long.",
                kind="idempotency_error",
                executed=False,
            )
        stored = self._stored.get(key)
        if stored is None or self._now() - stored.at > KEPT:
            return None
        if stored.asked != asked:
            raise Refusal(
                "Keys for idempotent requests can only be used with the same parameters they were "
                f"first used with. Try using a key other than '{key}' if you meant to execute a "
                "different request.",
                kind="idempotency_error",
                executed=False,
            )
        first = stored.answer.headers["Request-Id"]
        again = {"Idempotent-Replayed": "true", "Original-Request": first}
        return Answer(stored.answer.status, stored.answer.body, again)

    def keep(self, key: str, asked: object, answer: Answer) -> None:
        """Remember an answer, a failure too."""
        self._stored[key] = _Stored(asked, answer, self._now())
