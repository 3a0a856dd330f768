"""How large a request, and an object, may be: by the API server, and by the store behind it."""

import json

from sandbox.kubernetes import statuses
from sandbox.kubernetes.kinds import Object

LARGEST_BODY = 3 * 1024 * 1024
LARGEST_STORED = 3 * 512 * 1024
LARGEST_MESSAGE = 2 * 1024 * 1024
LARGEST_DATA = 1024 * 1024
"""Bytes, all of them."""


def check_body(body: bytes) -> None:
    """Refuse what is not even read.

    Raises:
        Refusal: 413.
    """
    if len(body) > LARGEST_BODY:
        message = f"Request entity too large: limit is {LARGEST_BODY}"
        raise statuses.Refusal(413, message, "RequestEntityTooLarge", {})


def check(obj: Object) -> None:
    """Refuse what the store does not take, in its words.

    Raises:
        Refusal: 500 without a reason.
    """
    size = len(json.dumps(obj, separators=(",", ":"), ensure_ascii=False).encode())
    if size > LARGEST_MESSAGE:
        raise statuses.internal(
            "rpc error: code = ResourceExhausted desc = trying to send message larger than max "
            f"({size} vs. {LARGEST_MESSAGE})"
        )
    if size > LARGEST_STORED:
        raise statuses.internal("etcdserver: request is too large")


def of_data(obj: Object) -> int:
    """How many bytes a ConfigMap or a Secret holds."""
    parts = {**(obj.get("data") or {}), **(obj.get("binaryData") or {})}
    return sum(len(str(value)) for value in parts.values())
