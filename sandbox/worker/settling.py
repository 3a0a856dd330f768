"""Bringing everything that is due to its end, when the sandbox's clock has moved."""

import threading
import time

import boto3
from boto3.dynamodb.conditions import Key

from chalicelib.domain.due import DUE_SHARDS
from sandbox.worker.polling import Polling
from sandbox.worker.schedule import Schedule

PATIENCE = 30
"""Seconds: what is not done by then waits for something that the clock does not bring."""

GLANCE = 0.02
"""Seconds between two looks at the queue."""


class Settling:
    """What `POST /settle` does."""

    def __init__(self, polling: Polling, sweep: Schedule, table_name: str) -> None:
        self._polling = polling
        self._sweep = sweep
        self._table = boto3.resource("dynamodb").Table(table_name)

    def settle(self) -> int | None:
        """Sweep and drain the queue; when the next thing falls due, in epoch seconds."""
        self._sweep.call()
        until = time.monotonic() + PATIENCE
        pause = threading.Event()
        while not self._polling.idle() and time.monotonic() < until:
            pause.wait(GLANCE)
        return self._next_due()

    def _next_due(self) -> int | None:
        first = [
            item
            for shard in range(DUE_SHARDS)
            for item in self._table.query(
                IndexName="due", KeyConditionExpression=Key("due_shard").eq(str(shard)), Limit=1
            )["Items"]
        ]
        return min((int(str(item["due_at"])) for item in first), default=None)
