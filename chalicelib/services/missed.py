"""Events that Stripe could not deliver: asked for, a stretch of time after the other."""

from dataclasses import dataclass
from itertools import islice

from chalicelib.domain.stripe_event import StripeEvent
from chalicelib.ports import Clock, Payments, Queue, Records
from chalicelib.services.nudging import take_event

OVERLAP = 600
"""Seconds that are looked at again: an event may be listed a little after it was made."""

FIRST_LOOK = 3 * 24 * 3600
"""Seconds back on the first look: as long as Stripe itself goes on trying."""

AT_MOST = 500
"""Events in one go; a stretch of time with more is halved, so that no second of it is left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MissedEvents:
    """Takes what no endpoint has taken, and notes up to when it has looked."""

    records: Records
    payments: Payments
    queue: Queue
    clock: Clock
    deployment: str
    livemode: bool

    def take(self) -> int:
        """Take the next stretch of time; how many tenants were nudged by it.

        Raises:
            Temporary: Stripe, the table or the queue is away. The stretch is looked at again.
        """
        now = int(self.clock())
        looked_at = self.records.swept_until()
        since = now - FIRST_LOOK if looked_at is None else min(looked_at, now) - OVERLAP
        events, until = self._stretch(since, now)
        nudged = sum(self._take(event) for event in reversed(events))
        self.records.note_swept_until(until)
        return nudged

    def _stretch(self, since: int, until: int) -> tuple[list[StripeEvent], int]:
        while True:
            listed = self.payments.undelivered_events(since, until)
            events = list(listed if until <= since else islice(listed, AT_MOST + 1))
            if len(events) <= AT_MOST or until <= since:
                return events, until
            until = since + (until - since) // 2

    def _take(self, event: StripeEvent) -> bool:
        outcome = take_event(
            event,
            records=self.records,
            queue=self.queue,
            clock=self.clock,
            deployment=self.deployment,
            livemode=self.livemode,
            delivered=False,
        )
        return outcome == "nudged"
