"""boto3's clients, as far as the gateways call them: every call passes through `Outside`."""

from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import EndpointConnectionError, ReadTimeoutError

from tests.simulation import dynamodb
from tests.simulation.outside import Outside
from tests.simulation.sqs import MemorySqs


class TableWire:
    """boto3's DynamoDB client, as far as the gateway calls it."""

    def __init__(self, outside: Outside, table: dynamodb.MemoryDynamoDb) -> None:
        self._outside = outside
        self._table = table

    def __getattr__(self, name: str) -> Callable[..., dict[str, Any]]:
        """A call of that name."""
        served = getattr(self._table, name)
        writes = name not in {"get_item", "query", "scan"}

        def call(**arguments: Any) -> dict[str, Any]:
            def fails(how: str) -> Exception:
                return _table_error(name, how, arguments)

            def effect() -> dict[str, Any]:
                return served(**arguments)

            # boto3 sends a lost call again. A transaction carries a token that makes the second
            # one nothing; a single conditional write meets its own effect.
            again = (dict) if name == "transact_write_items" else effect
            return self._outside.call("table", name, effect, fails, again=again, writes=writes)

        return call


def _table_error(name: str, how: str, arguments: Mapping[str, Any]) -> Exception:
    if how == "away":
        return EndpointConnectionError(endpoint_url="https://dynamodb.test")
    if how == "lost":
        return ReadTimeoutError(endpoint_url="https://dynamodb.test")
    if how == "throttled":
        return dynamodb.error(name, "ProvisionedThroughputExceededException")
    if "TransactItems" in arguments:
        return dynamodb.cancelled(arguments["TransactItems"], {0: {"Code": "TransactionConflict"}})
    return dynamodb.error(name, "TransactionConflictException")


class QueueWire:
    """boto3's SQS client, as far as the gateway calls it."""

    def __init__(self, outside: Outside, queue: MemorySqs) -> None:
        self._outside = outside
        self._queue = queue
        self.get_queue_url = queue.get_queue_url

    def __getattr__(self, name: str) -> Callable[..., dict[str, Any]]:
        """A call of that name; a lost one is sent again, as boto3 does."""
        served = getattr(self._queue, name)

        def call(**arguments: Any) -> dict[str, Any]:
            def effect() -> dict[str, Any]:
                return served(**arguments)

            return self._outside.call("queue", name, effect, _queue_error, again=effect)

        return call


def _queue_error(how: str) -> Exception:
    if how == "throttled":
        return dynamodb.error("SendMessage", "RequestThrottled")
    if how == "lost":
        return ReadTimeoutError(endpoint_url="https://sqs.test")
    return EndpointConnectionError(endpoint_url="https://sqs.test")
