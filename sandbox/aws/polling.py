"""SQS's receivers: served one at a time, waiting without holding anybody up.

moto lets two receivers at once read the same message, also within a FIFO group, and waits in
steps of a second. Here each receive is a short one under a lock, and what waits is woken by
whatever can make a message visible.
"""

import threading
import time

from sandbox.aws.wire import Answer, Call, Handler

GLANCE = 0.25
"""Seconds until a waiting receiver looks by itself: visibility timeouts end without a call."""

_WAKING = frozenset(
    {
        "SendMessage",
        "SendMessageBatch",
        "DeleteMessage",
        "DeleteMessageBatch",
        "ChangeMessageVisibility",
        "ChangeMessageVisibilityBatch",
    }
)


class Polling:
    """Goes before moto's SQS."""

    def __init__(self, inner: Handler) -> None:
        self._inner = inner
        self._changed = threading.Condition()
        self._stopping = False

    def __call__(self, call: Call) -> Answer:
        """Serve one call."""
        if call.action == "ReceiveMessage":
            return self._receive(call)
        with self._changed:
            answer = self._inner(call)
            if call.action in _WAKING:
                self._changed.notify_all()
            return answer

    def stop(self) -> None:
        """Send everybody who waits home, so that the process can end."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()

    def _receive(self, call: Call) -> Answer:
        until = time.monotonic() + int(call.body.get("WaitTimeSeconds") or 0)
        at_once = call.changed(WaitTimeSeconds=0)
        with self._changed:
            while True:
                answer = self._inner(at_once)
                left = until - time.monotonic()
                if not answer.ok or answer.body.get("Messages") or left <= 0 or self._stopping:
                    return answer
                self._changed.wait(min(left, GLANCE))
