"""A FIFO queue in memory: groups, visibility, receives, dead letters. Time is told from outside."""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import md5
from typing import Any

from botocore.exceptions import ClientError

MAX_RECEIVES = 5
VISIBILITY = 60
"""Seconds; as the queue is made."""

GROUP = re.compile(r"[!-~]{1,128}")


@dataclass(slots=True, eq=False)
class Message:
    """One message; a group's are worked on in order, one at a time."""

    id: str
    group: str
    body: str
    visible_at: float
    receives: int = 0
    receipt: str | None = None

    def received(self) -> dict[str, Any]:
        """As `receive_message` gives it."""
        return {
            "MessageId": self.id,
            "ReceiptHandle": self.receipt,
            "Body": self.body,
            "MD5OfBody": md5(self.body.encode(), usedforsecurity=False).hexdigest(),
            "Attributes": {
                "ApproximateReceiveCount": str(self.receives),
                "MessageGroupId": self.group,
            },
        }


class MemorySqs:
    """One queue and its dead letters. Fits boto3's client where it is used.

    Attributes:
        dead: the messages that were received too often.
        on_send: told of the group of every message that was taken.
        on_change: told when something may be receivable, and from when on.
        keeps_groups_apart: whether a group waits for its message that is being worked on.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.messages: list[Message] = []
        self.dead: list[Message] = []
        self.on_change: Callable[[float], None] = lambda _: None
        self.on_send: Callable[[str], None] = lambda _: None
        self.keeps_groups_apart = True
        self._clock = clock
        self._ids: Counter[str] = Counter()
        self._deduplicated: dict[str, float] = {}

    def get_queue_url(self, *, QueueName: str) -> dict[str, str]:  # noqa: N803 - boto3's names
        """Where it is."""
        return {"QueueUrl": f"https://sqs.test/{QueueName}"}

    def send_message(
        self,
        *,
        MessageBody: str,  # noqa: N803 - boto3's names
        MessageGroupId: str,  # noqa: N803
        MessageDeduplicationId: str,  # noqa: N803
        **_: Any,
    ) -> dict[str, Any]:
        """Put one at the end; the same deduplication id within five minutes is swallowed."""
        if not GROUP.fullmatch(MessageGroupId):
            raise _refused("SendMessage", "MessageGroupId can only include 1 to 128 of ASCII")
        now = self._clock()
        if now - self._deduplicated.get(MessageDeduplicationId, -1e12) < 300:
            return {}
        self._deduplicated[MessageDeduplicationId] = now
        self._ids[MessageGroupId] += 1
        made = f"m{self._ids[MessageGroupId]}-{MessageGroupId}"
        self.messages.append(Message(made, MessageGroupId, MessageBody, now))
        self.on_send(MessageGroupId)
        self.on_change(now)
        return {}

    def change_message_visibility(
        self,
        *,
        ReceiptHandle: str,  # noqa: N803
        VisibilityTimeout: int,  # noqa: N803
        **_: Any,
    ) -> dict[str, Any]:
        """Let a message that is being worked on be seen again sooner, or later."""
        message = self._in_flight(ReceiptHandle, "ChangeMessageVisibility")
        message.visible_at = self._clock() + VisibilityTimeout
        self.on_change(message.visible_at)
        return {}

    def delete_message(self, *, ReceiptHandle: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        """Done with it."""
        message = self._in_flight(ReceiptHandle, "DeleteMessage")
        self.messages.remove(message)
        self.on_change(self._clock())
        return {}

    def receive_message(self, *, MaxNumberOfMessages: int = 1, **_: Any) -> dict[str, Any]:  # noqa: N803
        """What can be seen: of each group the first, unless one of it is being worked on."""
        got: list[dict[str, Any]] = []
        for message in self._visible():
            if len(got) == MaxNumberOfMessages:
                break
            if message.receives >= MAX_RECEIVES:
                self.messages.remove(message)
                self.dead.append(message)
                self.on_change(self._clock())
                continue
            message.receives += 1
            message.receipt = f"{message.id}-{message.receives}"
            message.visible_at = self._clock() + VISIBILITY
            self.on_change(message.visible_at)
            got.append(message.received())
        return {"Messages": got} if got else {}

    def redrive(self) -> None:
        """Put the dead letters back."""
        for message in self.dead:
            message.receives, message.receipt, message.visible_at = 0, None, self._clock()
        self.messages += self.dead
        self.dead = []
        self.on_change(self._clock())

    def _visible(self) -> list[Message]:
        now, closed, found = self._clock(), set[str](), []
        for message in self.messages:
            if message.group in closed:
                continue
            if message.visible_at <= now:
                found.append(message)
            if self.keeps_groups_apart:
                closed.add(message.group)
        return found

    def _in_flight(self, receipt: str, operation: str) -> Message:
        for message in self.messages:
            if message.receipt == receipt and message.visible_at > self._clock():
                return message
        raise _refused(operation, "The receipt has expired")


def _refused(operation: str, message: str) -> ClientError:
    response = {"Error": {"Code": "InvalidParameterValue", "Message": message}}
    return ClientError(response, operation)  # type: ignore[arg-type]  # an incomplete response
