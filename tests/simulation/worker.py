"""What calls the worker: the queue's event source, and the schedule of the sweep."""

from collections.abc import Callable
from typing import Any

from chalice.local import LambdaContext

from chalicelib.entrypoints import worker
from sandbox.worker import events
from tests.simulation.deployment import QUEUE
from tests.simulation.scheduler import Activity
from tests.simulation.sqs import MemorySqs

TIMEOUT = 45
"""Seconds; the functions' limit in .chalice/config.json, below the queue's visibility."""

SWEEP = 60
"""Seconds between two sweeps."""

CONTEXT = LambdaContext("worker", 512, TIMEOUT * 1000)


class EventSource:
    """Receives what can be received, and calls the real handler with it, one message each."""

    def __init__(self, world: Any, queue: MemorySqs) -> None:
        self._world = world
        self._queue = queue
        self._asked: set[float] = set()
        queue.on_change = self.poll_at

    def poll_at(self, when: float) -> None:
        """Look at the queue at a moment, and soon after."""
        when = max(when, self._world.scheduler.now)
        if when not in self._asked:
            self._asked.add(when)
            self._world.scheduler.at(when + 0.005, lambda: self._poll(when))

    def _poll(self, asked: float) -> None:
        self._asked.discard(asked)
        outside = self._world.outside
        if outside.is_away("queue"):
            self.poll_at(outside.back_at("queue"))
            return
        for message in self._queue.receive_message(MaxNumberOfMessages=10).get("Messages", []):
            self._work_on(message)

    def _work_on(self, message: dict[str, Any]) -> None:
        event = events.of_message(message, QUEUE, "eu-central-1")

        def work() -> None:
            worker.on_tenant_message(event, CONTEXT)
            self._world.queue_wire.delete_message(ReceiptHandle=message["ReceiptHandle"])

        group = message["Attributes"]["MessageGroupId"]
        self._world.start(
            "worker",
            self._world.name_of(group),
            f"message {message['MessageId']} {message['Attributes']['ApproximateReceiveCount']}",
            work,
            limit=TIMEOUT,
        )


class Schedule:
    """The sweep, each minute; minutes in which nothing is due are passed over.

    What is due is known from the items as they are written, not by asking as the sweep asks.
    """

    def __init__(self, world: Any, due: Callable[[], float | None]) -> None:
        self._world = world
        self._due = due
        self._next: float | None = None
        self._busy = False

    def wake(self, at: float | None = None) -> None:
        """Something may be due sooner now, or at a moment."""
        due = at if at is not None else self._due()
        if due is None or self._busy:
            return
        now = self._world.scheduler.now
        when = (max(due, now) // SWEEP + 1) * SWEEP
        if self._next is None or when < self._next or self._next <= now:
            self._next = when
            self._world.scheduler.at(when, lambda: self._tick(when))

    def _tick(self, when: float) -> None:
        if when != self._next:
            return
        self._next = None
        self._busy = True
        self._world.start(
            "sweep",
            None,
            f"sweep at {when}",
            lambda: worker.on_schedule(events.of_schedule("sweep", "eu-central-1"), CONTEXT),
            limit=TIMEOUT,
            then=self._over,
        )

    def _over(self, sweep: Activity) -> None:
        self._busy = False
        self.wake()
        if sweep.killed or sweep.error is not None or self._world.account.owes_for_good():
            self.wake(self._world.scheduler.now)
