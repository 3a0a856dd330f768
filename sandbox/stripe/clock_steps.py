"""The sandbox's clock moved forward, one due moment after the other."""

import math
import threading
import time

import requests

from sandbox.clock import SandboxClock
from sandbox.stripe.state import Stripe
from sandbox.stripe.webhooks import Deliveries

ANSWERED = 60
"""Seconds that the worker may take to bring everything to its end."""

DELIVERED = 15
"""Seconds that deliveries may take."""

MOST_STEPS = 2000
"""More moments than this in one go would be a worker that is never done."""

MOST_ROUNDS = 5


class ClockSteps:
    """Moves the clock so that nothing on the way is left out."""

    def __init__(
        self, stripe: Stripe, deliveries: Deliveries, clock: SandboxClock, settle_url: str | None
    ) -> None:
        self._stripe = stripe
        self._deliveries = deliveries
        self._clock = clock
        self._settle_url = settle_url
        self._one_at_a_time = threading.Lock()

    def advance(self, seconds: int) -> int:
        """What falls due on the way has happened when this returns the new now."""
        with self._one_at_a_time:
            target = math.ceil(self._clock.now()) + seconds
            worker_due = self._settle()
            for _ in range(MOST_STEPS):
                moment = self._next(target, worker_due)
                self._set(moment)
                self._stripe.catch_up()
                worker_due = self._settle()
                if moment >= target:
                    break
            return int(self._clock.now())

    def _next(self, target: int, worker_due: int | None) -> int:
        now = int(self._clock.now())
        ahead = [t for t in (self._stripe.next_due(), worker_due) if t is not None and t > now]
        return min([target, *ahead])

    def _set(self, moment: int) -> None:
        """The clock never goes back, though the wall clock went on meanwhile."""
        offset = math.ceil(moment - time.time())
        if offset > self._clock.offset():
            self._clock.set_offset(offset)

    def _settle(self) -> int | None:
        """Let everybody else catch up; when they have something to do next.

        What the worker does at Stripe makes events of its own: they are settled too.
        """
        due, events = None, self._stripe.ledger.tables["event"]
        for _ in range(MOST_ROUNDS):
            known = len(events)
            self._deliveries.settle(DELIVERED)
            due = self._ask_the_worker()
            if len(events) == known:
                break
        return due

    def _ask_the_worker(self) -> int | None:
        if self._settle_url is None:
            return None
        answer = requests.post(self._settle_url, timeout=ANSWERED)
        answer.raise_for_status()
        due = answer.json().get("nextDue")
        return None if due is None else math.ceil(due)
