"""Events that Stripe could not deliver: asked for, a stretch of time after the other."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

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
        overlap = 0 if noted is None else OVERLAP
        until, nudged = now, 0
        while True:
            events, until = self._stretch(since, until, overlap)
            nudged += self._take_all(events)
            if noted is None or until > noted:
                self.records.note_swept_until(until)
            if until >= now or self.clock() - began > PATIENCE:
                return Taken(nudged=nudged, lag=now - until)
            # What fitted will most likely fit again, and if it does, so will more.
            noted, since, until, overlap = until, until, min(3 * until - 2 * since, now), 0

    def _stretch(self, since: int, until: int, overlap: int) -> tuple[list[StripeEvent], int]:
        """Events made after `since` and before it by the overlap, the newest first.

        Up to an `until` at which no more than `AT_MOST` are new, which is a second later at least.
        """
        while True:
            is_least = until <= since + 1
            found = self._within(since, until, overlap, math.inf if is_least else AT_MOST)
            if found is not None:
                return found, until
            until = since + (until - since) // 2

    def _within(
        self, since: int, until: int, overlap: int, at_most: float
    ) -> list[StripeEvent] | None:
        """None when more of them are new than may be; of the overlap the newest are enough."""
        listed = self.payments.undelivered_events(since + 1 - overlap, until)
        found: list[StripeEvent] = []
        new = 0
        for event in listed:
            new += event.created > since
            if new > at_most:
                return None
            if len(found) - new >= AT_MOST:
                break
            found.append(event)
        return found

    def _take_all(self, newest_first: Sequence[StripeEvent]) -> int:
        """In the order in which they were made."""
        return sum(self._take(event) for event in reversed(newest_first))

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
