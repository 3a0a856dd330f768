"""The mail that the user pool would send, kept to be read."""

import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

Kind = Literal["confirm", "reset"]
MAX_MAILS = 1000

_SUBJECTS: dict[Kind, str] = {"confirm": "Confirm your address", "reset": "Reset your password"}


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail; `at` in epoch seconds."""

    to: str
    subject: str
    body: str
    code: str
    kind: Kind
    at: float


class Mailbox:
    """Everybody's mail."""

    def __init__(self) -> None:
        self._mails: list[Mail] = []
        self._lock = threading.Lock()

    def send(self, to: str, kind: Kind, code: str) -> None:
        """Deliver a code."""
        body = f"Your code is {code}."
        with self._lock:
            self._mails.append(Mail(to, _SUBJECTS[kind], body, code, kind, time.time()))
            del self._mails[:-MAX_MAILS]

    def to(self, address: str | None) -> Sequence[dict[str, Any]]:
        """Somebody's mail, or all of it, newest first."""
        with self._lock:
            found = [m for m in self._mails if address is None or m.to == address.lower()]
        return [asdict(mail) for mail in reversed(found)]
