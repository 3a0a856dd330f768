"""Events that Stripe could not deliver: asked for, a stretch of time after the other."""

from collections.abc import Iterator
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
"""Events in one stretch; one with more is halved, so that no second of it is left out. As many are
looked at again, the newest of the overlap, once in a take."""

PATIENCE = 20
"""Seconds after which the rest is left to the next sweep: it goes on where this one stopped."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What a look came to.

    Attributes:
        nudged: how many tenants were nudged by it.
        lag: seconds between the end of what was looked at and now.
    """

    nudged: int
    lag: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MissedEvents:
    """Takes what no endpoint has taken, and notes up to when it has looked.

    Stripe lists what *any* endpoint of the account has not taken: with a dead one beside ours that
    is everything. What we have taken is known by its line and costs one write that changes nothing.
    """

    records: Records
    payments: Payments
    queue: Queue
    clock: Clock
    deployment: str
    livemode: bool

    def take(self) -> Taken:
        """Take what there is, stretch by stretch, until now or until patience ends.

        The note of how far it has looked only ever moves on.

        Raises:
            Temporary: Stripe, the table or the queue is away. The stretch is looked at again.
        """
        began, now = self.clock(), int(self.clock())
        noted = self.records.swept_until()
        since = now - FIRST_LOOK if noted is None else min(noted, now)
        overlap = self.payments.undelivered_events(since - OVERLAP, since)
        nudged = self._take_all(islice(overlap, AT_MOST)) if noted is not None else 0
        length = now - since
        while True:
            events, until = self._stretch(since, min(since + length, now))
            nudged += self._take_all(iter(events))
            if noted is None or until > noted:
                self.records.note_swept_until(until)
            if until >= now or self.clock() - began > PATIENCE:
                return Taken(nudged=nudged, lag=now - until)
            length, since, noted = 2 * (until - since), until, until

    def _stretch(self, since: int, until: int) -> tuple[list[StripeEvent], int]:
        """Events made after `since`, up to an `until` that is not earlier than a second later."""
        while True:
            listed = self.payments.undelivered_events(since + 1, until)
            is_least = until <= since + 1
            events = list(listed if is_least else islice(listed, AT_MOST + 1))
            if is_least or len(events) <= AT_MOST:
                return events, until
            until = since + (until - since) // 2

    def _take_all(self, newest_first: Iterator[StripeEvent]) -> int:
        """In the order in which they were made."""
        return sum(self._take(event) for event in reversed(list(newest_first)))

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
