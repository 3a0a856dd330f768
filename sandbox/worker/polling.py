"""The queue's event source: receives one message at a time and calls the real handler with it.

As on Lambda: a handler that returns has its message deleted; one that raises leaves it to the
visibility timeout, and to the dead-letter queue in the end.
"""

import logging
import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from chalice.local import LambdaContext

from sandbox.worker import events

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

POLLERS = 4
"""How many tenants are worked on at once; the queue keeps each tenant to one of them."""

LONG_POLL = 20
"""Seconds that one receive waits."""

AGAIN = 1
"""Seconds until a queue that does not answer is asked again."""

TIMEOUT = 45
"""Seconds; the worker's limit in .chalice/config.json."""

Handler = Callable[[dict[str, Any], object], object]
logger = logging.getLogger("arm.sandbox")


class Polling:
    """Threads between the queue and the handler."""

    def __init__(self, queue_name: str, handler: Handler) -> None:
        self._name = queue_name
        self._handler = handler
        self._region = os.environ["AWS_REGION"]
        self._sqs: SQSClient = boto3.client(
            "sqs", config=Config(read_timeout=LONG_POLL + 5, retries={"total_max_attempts": 1})
        )
        self._url = self._sqs.get_queue_url(QueueName=queue_name)["QueueUrl"]
        self._ending = threading.Event()

    def start(self) -> None:
        """Begin; the threads end with the process."""
        for n in range(POLLERS):
            threading.Thread(target=self._poll, name=f"poller-{n}", daemon=True).start()

    def idle(self) -> bool:
        """Whether no message waits and none is being worked on."""
        found = self._sqs.get_queue_attributes(
            QueueUrl=self._url,
            AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
        )
        return set(found["Attributes"].values()) == {"0"}

    def _poll(self) -> None:
        while not self._ending.is_set():
            try:
                got = self._sqs.receive_message(
                    QueueUrl=self._url,
                    MaxNumberOfMessages=1,
                    WaitTimeSeconds=LONG_POLL,
                    MessageSystemAttributeNames=["All"],
                    MessageAttributeNames=["All"],
                )
                for message in got.get("Messages", []):
                    self._work_on(message)
            except (BotoCoreError, ClientError) as e:
                logger.warning("the queue does not answer", extra={"error": type(e).__name__})
                self._ending.wait(AGAIN)

    def _work_on(self, message: Any) -> None:  # noqa: ANN401 - boto3's
        event = events.of_message(message, self._name, self._region)
        try:
            self._handler(event, LambdaContext("worker", 512, TIMEOUT * 1000))
        except Exception:  # what Lambda does with any error: tell, and let the message come again
            logger.exception("the handler failed", extra={"message_id": message["MessageId"]})
            return
        self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
