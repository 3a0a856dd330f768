"""The dead-letter queue: what was given up after a few receives, and what caused it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib import correlation
from chalicelib.domain.errors import Temporary

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

MOST = 10_000
"""Messages looked at in one go: a queue that grows cannot hold somebody for ever."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One message that was given up.

    Attributes:
        sent_at: epoch seconds.
        receives: how often it was tried, this look included.
        causes: the ids of the request and the event that it came from, as far as known.
    """

    message_id: str
    tenant_id: str | None
    event_id: str | None
    sent_at: int
    receives: int
    causes: Mapping[str, str]
    receipt: str


class DeadLetters:
    """Raises Temporary when the queue cannot be reached."""

    def __init__(self, name: str, client: "SQSClient | None" = None) -> None:
        self._name = name
        self._client: SQSClient = client or boto3.client("sqs")

    def all(self, hidden_for: int = 30) -> Iterator[DeadLetter]:
        """Each message once; nobody else sees it for so many seconds, and then it is back.

        A FIFO queue hands out nothing more of a group while one of its messages is hidden, so of
        several keys of one tenant only the first ones are seen: they say the same.
        """
        url = self._call("get_queue_url", QueueName=self._name)["QueueUrl"]
        seen = 0
        while seen < MOST:
            got = self._call(
                "receive_message",
                QueueUrl=url,
                MaxNumberOfMessages=10,
                VisibilityTimeout=hidden_for,
                WaitTimeSeconds=1,  # a short poll may overlook some
                MessageSystemAttributeNames=["All"],
                MessageAttributeNames=["All"],
            ).get("Messages", [])
            if not got:
                return
            seen += len(got)
            yield from map(_dead_letter, got)

    def put_back(self, letter: DeadLetter) -> None:
        """Let everybody see it again."""
        self._act("change_message_visibility", letter, VisibilityTimeout=0)

    def remove(self, letter: DeadLetter) -> None:
        """Remove one that was dealt with."""
        self._act("delete_message", letter)

    def _act(self, name: str, letter: DeadLetter, **arguments: Any) -> None:  # noqa: ANN401 - as boto3 has it
        url = self._call("get_queue_url", QueueName=self._name)["QueueUrl"]
        self._call(name, QueueUrl=url, ReceiptHandle=letter.receipt, **arguments)

    def _call(self, name: str, **arguments: Any) -> Any:  # noqa: ANN401 - as boto3 has it
        try:
            return getattr(self._client, name)(**arguments)
        except (BotoCoreError, ClientError) as e:
            raise Temporary(f"the queue {self._name} does not take {name}: {e}") from e


def _dead_letter(message: Mapping[str, Any]) -> DeadLetter:
    try:
        body = json.loads(message["Body"])
    except ValueError:
        body = {}
    key = body if isinstance(body, dict) else {}
    attributes = message.get("MessageAttributes", {})
    return DeadLetter(
        message_id=str(message["MessageId"]),
        tenant_id=key.get("tenantId"),
        event_id=key.get("eventId"),
        sent_at=int(message["Attributes"]["SentTimestamp"]) // 1000,
        receives=int(message["Attributes"]["ApproximateReceiveCount"]),
        causes={n: attributes[n]["StringValue"] for n in correlation.CAUSES if n in attributes},
        receipt=str(message["ReceiptHandle"]),
    )
