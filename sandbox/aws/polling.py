"""SQS's receivers: served one at a time, waiting without holding anybody up.

moto lets two receivers at once read the same message, also within a FIFO group, and waits in
steps of a second. Here each receive is a short one under a lock, and what waits is woken by
whatever can make a message visible. And moto takes any text for a group, which SQS does not.
"""

import re
import threading
import time

from sandbox.aws.wire import Answer, Call, Handler, refused

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

_GROUP = re.compile(r"[!-~]{1,128}")


def _takes(group: object) -> bool:
    """Whether SQS would take the group; a queue that is not FIFO needs none."""
    return group is None or (isinstance(group, str) and bool(_GROUP.fullmatch(group)))


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
        if call.action == "SendMessage" and not _takes(call.body.get("MessageGroupId")):
            return refused(
                "InvalidParameterValue",
                "MessageGroupId can only include alphanumeric and punctuation characters. "
                "1 to 128 in length.",
            )
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
