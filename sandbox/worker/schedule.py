"""The schedules: call the real sweep and the real audit, more often than AWS would."""

import logging
import os
import threading
from collections.abc import Callable
from typing import Any

from chalice.local import LambdaContext

from sandbox.worker import events

EVERY = 2
"""Seconds of wall clock between two sweeps; in production a minute."""

AUDIT_EVERY = 120
"""Seconds of wall clock between two audits; in production a day."""

TIMEOUT = 45
"""Seconds; the sweep's limit in .chalice/config.json."""

logger = logging.getLogger("arm.sandbox")


class Schedule:
    """A thread that calls a handler at a rate; one call at a time."""

    def __init__(
        self, rule: str, handler: Callable[[dict[str, Any], object], object], every: float
    ) -> None:
        self._every = every
        self._rule = rule
        self._handler = handler
        self._region = os.environ["AWS_REGION"]
        self._one_at_a_time = threading.Lock()

    def start(self) -> None:
        """Begin; the thread ends with the process."""
        threading.Thread(target=self._run, name=f"schedule-{self._rule}", daemon=True).start()

    def call(self) -> None:
        """Call the handler now, as the schedule would."""
        with self._one_at_a_time:
            event = events.of_schedule(self._rule, self._region)
            try:
                self._handler(event, LambdaContext(self._rule, 256, TIMEOUT * 1000))
            except Exception:  # what Lambda does with any error: tell, and wait for the next time
                logger.exception("the schedule failed", extra={"rule": self._rule})

    def _run(self) -> None:
        pause = threading.Event()
        while not pause.wait(self._every):
            self.call()
