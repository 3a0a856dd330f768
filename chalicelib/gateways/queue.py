"""The FIFO queue of tenants to look at. A message is a key, never a state."""

import json
import re
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib import correlation
from chalicelib.domain.errors import Temporary
from chalicelib.gateways import aws

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


_FITS = re.compile(r"[!-~]{1,128}")
"""What SQS takes as a group: letters, digits and punctuation of ASCII."""


class SqsQueue:
    """Fits `chalicelib.ports.Queue`."""

    def __init__(self, name: str, client: "SQSClient | None" = None) -> None:
        self._name = name
        self._client = client or aws.client("sqs")

    def send_tenant(self, tenant_id: str) -> None:
        """Ask the worker to look at a tenant."""
        self._send({"v": 1, "tenantId": tenant_id}, tenant_id)

    def send_event(self, event_id: str) -> None:
        """Ask the worker to find out whom an event concerns."""
        self._send({"v": 1, "eventId": event_id}, event_id)

    def look_again_in(self, seconds: int, receipt_handle: str) -> None:
        """Make a message that is being worked on visible again after so many seconds."""
        self._call(
            "change_message_visibility", ReceiptHandle=receipt_handle, VisibilityTimeout=seconds
        )

    def _send(self, body: dict[str, Any], group: str) -> None:
        # A fresh deduplication id: SQS would swallow the same key for five minutes otherwise.
        self._call(
            "send_message",
            MessageBody=json.dumps(body),
            MessageGroupId=_group(group),
            MessageDeduplicationId=uuid4().hex,
            MessageAttributes=_causes(),
        )

    def _call(self, name: str, **arguments: Any) -> None:  # noqa: ANN401 - as boto3 has it
        try:
            getattr(self._client, name)(QueueUrl=self._url, **arguments)
        except (BotoCoreError, ClientError) as e:
            raise Temporary(f"the queue does not take {name}: {type(e).__name__}") from e

    @cached_property
    def _url(self) -> str:
        return self._client.get_queue_url(QueueName=self._name)["QueueUrl"]


def _group(key: str) -> str:
    """The group of a key: the key itself or, where SQS would refuse it, its hash."""
    return key if _FITS.fullmatch(key) else sha256(key.encode(errors="replace")).hexdigest()


def _causes() -> dict[str, Any]:
    """Where a message came from, for the log of whoever works on it; nothing is decided by it."""
    known = correlation.known()
    return {
        name: {"DataType": "String", "StringValue": known[name]}
        for name in correlation.CAUSES
        if name in known and known[name].isprintable()
    }
