"""DynamoDB's wire: typed values, expressions, transactions, and what its errors mean."""

import random
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.domain.errors import Permanent, Temporary
from chalicelib.gateways import aws
from chalicelib.gateways.wire import dumped, loaded

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Op = dict[str, dict[str, Any]]
"""One write of a transaction: `{"Put": …}`, `{"Update": …}` or `{"Delete": …}`."""

CONFLICT_TRIES = 14
LONGEST_PAUSE = 0.5
"""Seconds; with the tries, about two in all on average: a webhook has plenty of time."""

CROWDED_TRIES = 30
"""For an item that everybody writes: a hundred at once are through in seconds, one after the other.
About nine seconds on average for who never gets through; API Gateway waits for 29."""

_CONFLICTS = frozenset({"TransactionConflict", "TransactionInProgressException"})
_CONFLICT_ERRORS = frozenset({"TransactionConflictException", "TransactionInProgressException"})
_DENIED = frozenset({"AccessDeniedException", "ResourceNotFoundException", "ValidationException"})


class Cancelled(Exception):
    """A condition did not hold; nothing was written.

    Carries, for each write, whether its condition failed and the item that stood in the way.
    """

    def __init__(self, reasons: Sequence[Mapping[str, Any]]) -> None:
        super().__init__("a condition did not hold")
        self._reasons = reasons

    def failed(self, index: int) -> bool:
        """Whether the condition of that write failed."""
        return self._reasons[index].get("Code") == "ConditionalCheckFailed"

    def item(self, index: int) -> dict[str, Any] | None:
        """The item that stood in the way of that write, if there was one."""
        found = self._reasons[index].get("Item")
        return loaded(found) if found else None


class DynamoDb:
    """One table. Raises Temporary and Permanent; Cancelled when a condition does not hold."""

    def __init__(self, table_name: str, client: "DynamoDBClient | None" = None) -> None:
        self._table = table_name
        self._client = client or aws.client("dynamodb")

    def get(self, key: Mapping[str, Any]) -> dict[str, Any] | None:
        """The item of that key, by a consistent read."""
        found = self._call(
            "get_item", TableName=self._table, Key=dumped(key), ConsistentRead=True
        ).get("Item")
        return loaded(found) if found else None

    def query_begins(self, pk: str, sk_begins: str) -> Iterator[dict[str, Any]]:
        """Items of one partition whose sort key begins so, in order (consistent reads)."""
        arguments: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :pk AND begins_with(sk, :sk)",
            "ExpressionAttributeValues": dumped({":pk": pk, ":sk": sk_begins}),
            "ConsistentRead": True,
        }
        while True:
            page = self._call("query", **arguments)
            for item in page.get("Items", []):
                yield loaded(item)
            if "LastEvaluatedKey" not in page:
                return
            arguments["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def query_index(
        self, index: str, hash_name: str, hash_value: str, range_name: str, at_most: int
    ) -> Iterator[dict[str, Any]]:
        """Items of one partition of an index up to a value of its range key, in order."""
        arguments: dict[str, Any] = {
            "TableName": self._table,
            "IndexName": index,
            "KeyConditionExpression": "#h = :h AND #r <= :r",
            "ExpressionAttributeNames": {"#h": hash_name, "#r": range_name},
            "ExpressionAttributeValues": dumped({":h": hash_value, ":r": at_most}),
            "Limit": 100,
        }
        while True:
            page = self._call("query", **arguments)
            for item in page.get("Items", []):
                yield loaded(item)
            if "LastEvaluatedKey" not in page:
                return
            arguments["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def scan(self, name: str, value: str) -> Iterator[dict[str, Any]]:
        """Every item with this value, page by page; the whole table is read for it."""
        arguments: dict[str, Any] = {
            "TableName": self._table,
            "FilterExpression": "#n = :v",
            "ExpressionAttributeNames": {"#n": name},
            "ExpressionAttributeValues": dumped({":v": value}),
        }
        while True:
            page = self._call("scan", **arguments)
            for item in page.get("Items", []):
                yield loaded(item)
            if "LastEvaluatedKey" not in page:
                return
            arguments["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def put(self, item: Mapping[str, Any], *, when: str | None = None) -> Op:
        """A put, on a condition."""
        return {"Put": self._conditional({"Item": dumped(item)}, when)}

    def delete(
        self,
        key: Mapping[str, Any],
        *,
        when: str | None = None,
        values: Mapping[str, Any] | None = None,
    ) -> Op:
        """A delete, on a condition with its own `values`."""
        operation: dict[str, Any] = {"Key": dumped(key)}
        if values:
            operation["ExpressionAttributeValues"] = dumped(values)
        return {"Delete": self._conditional(operation, when)}

    def update(  # noqa: PLR0913 - an update expression has these parts
        self,
        key: Mapping[str, Any],
        to_set: Mapping[str, Any],
        *,
        remove: Sequence[str] = (),
        add: Mapping[str, Any] | None = None,
        discard: Mapping[str, Any] | None = None,
        when: str | None = None,
        values: Mapping[str, Any] | None = None,
    ) -> Op:
        """An update, on a condition with its own `values`; `discard` takes members out of sets."""
        clauses = (("SET", to_set), ("ADD", add or {}), ("DELETE", discard or {}))
        parts: list[str] = []
        all_values = dict(values or {})
        for word, changed in clauses:
            equals = " = " if word == "SET" else " "
            if changed:
                terms = (f"#{name}{equals}:{word}_{name}" for name in changed)
                parts.append(f"{word} {', '.join(terms)}")
                all_values |= {f":{word}_{name}": value for name, value in changed.items()}
        if remove:
            parts.append("REMOVE " + ", ".join(f"#{name}" for name in remove))
        names = (*to_set, *remove, *(add or {}), *(discard or {}))
        operation = {
            "Key": dumped(key),
            "UpdateExpression": " ".join(parts),
            "ExpressionAttributeNames": {f"#{name}": name for name in names},
            "ExpressionAttributeValues": dumped(all_values),
        }
        return {"Update": self._conditional(operation, when)}

    def _conditional(self, operation: dict[str, Any], when: str | None) -> dict[str, Any]:
        operation["TableName"] = self._table
        if when:
            operation["ConditionExpression"] = when
            operation["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
        return operation

    def write(self, operations: Sequence[Op], *, tries: int = CONFLICT_TRIES) -> None:
        """Write all of it or nothing: one call, a plain one where there is one operation.

        Raises:
            Cancelled: a condition did not hold.
        """
        for attempt in range(tries):
            try:
                self._write_once(operations)
            except _Contended:
                # Events of one payment come together and touch one item. The SDK does not retry
                # this; the other write is over in milliseconds.
                pause = min(0.01 * 2**attempt, LONGEST_PAUSE)
                time.sleep(random.uniform(0, pause))  # noqa: S311 - jitter, not a secret
            else:
                return
        raise Temporary("the table: too many writers on one item")

    def _write_once(self, operations: Sequence[Op]) -> None:
        if len(operations) > 1:
            self._call("transact_write_items", TransactItems=list(operations))
            return
        ((kind, arguments),) = operations[0].items()
        self._call(f"{kind.lower()}_item", **arguments)

    def _call(self, name: str, **arguments: Any) -> dict[str, Any]:  # noqa: ANN401 - as boto3 has it
        try:
            answer: dict[str, Any] = getattr(self._client, name)(**arguments)
        except ClientError as e:
            raise _translated(name, e) from e
        except BotoCoreError as e:
            raise Temporary(f"the table does not answer {name}: {type(e).__name__}") from e
        return answer


class _Contended(Exception):
    """Another transaction is on the same item at this moment."""


def _translated(name: str, error: ClientError) -> Exception:
    response: Mapping[str, Any] = error.response
    code = response.get("Error", {}).get("Code", "")
    if code == "ConditionalCheckFailedException":
        return Cancelled([{"Code": "ConditionalCheckFailed", "Item": response.get("Item")}])
    if code == "TransactionCanceledException":
        return _cancelled(name, response.get("CancellationReasons") or _reasons_said(error))
    if code in _CONFLICT_ERRORS:
        return _Contended()
    if code in _DENIED:
        return Permanent(f"the table refuses {name}: {code}")
    return Temporary(f"the table fails on {name}: {code}")


def _reasons_said(error: ClientError) -> list[Mapping[str, Any]]:
    """The reasons as the message names them; some that speak the protocol give no others."""
    message = str(error.response.get("Error", {}).get("Message", ""))
    named = message.rpartition("[")[2].partition("]")[0]
    return [{"Code": code.strip()} for code in named.split(",")]


def _cancelled(name: str, reasons: Sequence[Mapping[str, Any]]) -> Exception:
    codes = {str(reason.get("Code")) for reason in reasons}
    if "ConditionalCheckFailed" in codes:
        return Cancelled(reasons)
    if codes & _CONFLICTS:
        return _Contended()
    return Temporary(f"the table cancelled {name}: {', '.join(sorted(codes))}")
