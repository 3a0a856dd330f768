"""Following one tenant's work to its end."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from chalicelib.domain.record import Record
from chalicelib.domain.timeline import Line
from ops.desk import Desk
from ops.operating.words import in_order, sentence

GLANCE = 0.25
"""Seconds between two looks at a record."""

End = Literal["done", "failed", "still pending", "gone"]


@dataclass(frozen=True, slots=True)
class Followed:
    """How it ended; `reason` is for operators."""

    end: End
    record: Record | None
    reason: str | None


def follow(
    desk: Desk, tenant_id: str, patience: float, say: Callable[[str], None], news: "News"
) -> Followed:
    """Look on until nothing is pending, it failed for good, or patience (seconds) is at its end.

    A cluster or a Stripe that is away is told once, and waited for; so is every new line.
    """
    told = None
    end = time.monotonic() + patience
    while True:
        record = desk.records.read(tenant_id)
        if record is None:
            return Followed("gone", None, None)
        for line in news:
            say(sentence(line))
        if not record.pending:
            failure = record.failure if record.failure and record.failure.permanent else None
            if failure:
                return Followed("failed", record, failure.reason)
            return Followed("done", record, None)
        if record.failure and record.failure.reason != told:
            told = record.failure.reason
            say(f"waits: {told}")
        if time.monotonic() > end:
            return Followed("still pending", record, told)
        time.sleep(GLANCE)  # a record cannot be waited for, only read again


class News:
    """The lines of a timeline that were not there when this was made, each once."""

    def __init__(self, desk: Desk, tenant_id: str) -> None:
        self._desk = desk
        self.tenant_id = tenant_id
        self._seen = {line.id for line in desk.ledger.lines(tenant_id)}

    def __iter__(self) -> Iterator[Line]:
        """What has come since the last time."""
        for line in in_order(self._desk.ledger.lines(self.tenant_id)):
            if line.id not in self._seen:
                self._seen.add(line.id)
                yield line
