"""What a signed-in customer reads of their subscription, and the look that their asking brings."""

from dataclasses import dataclass
from typing import Any

from chalicelib.domain.catalogue import Catalogue
from chalicelib.domain.errors import Temporary
from chalicelib.domain.record import Record, User
from chalicelib.domain.status import status_of
from chalicelib.ports import Clock, Queue, Records


@dataclass(frozen=True, slots=True, kw_only=True)
class Statuses:
    """Answers from the record alone; nothing outside is asked while a customer waits."""

    records: Records
    queue: Queue
    catalogue: Catalogue
    stage: str
    clock: Clock

    def of(self, user: User) -> dict[str, Any]:
        """The status; while a checkout is open, asking nudges: a late webhook delays nobody."""
        record = self.records.own(user)
        if record and record.checkout:
            self._nudge(record)
        return self.shown(record)

    def shown(self, record: Record | None) -> dict[str, Any]:
        """The status of a record that was just written."""
        return status_of(record, int(self.clock()), self.catalogue, self.stage)

    def _nudge(self, record: Record) -> None:
        try:
            nudged = self.records.nudge(record.tenant_id, int(self.clock()), polled=True)
            if nudged == "nudged":
                self.queue.send_tenant(record.tenant_id)
        except Temporary:
            # The answer is known without it; the next poll, the webhook or the sweep nudges.
            return
