"""DynamoDB in memory, for the calls that the gateway makes. Held equal to moto by a contract test.

moto itself takes about a millisecond for a call, which a history of hundreds of them cannot afford.
Writers that meet each other (TransactionConflict) are injected where calls are interleaved.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from tests.simulation.expressions import Item, NotUnderstood, holds, updated

Key = tuple[str, str]
WRITES = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem"}
INDEX = ("due_shard", "due_at")


def error(operation: str, code: str, **more: Any) -> ClientError:
    """An error as boto3 raises it."""
    status = 500 if code == "InternalServerError" else 400
    response = {
        "Error": {"Code": code, "Message": f"the simulation: {code}"},
        "ResponseMetadata": {"HTTPStatusCode": status},
        **more,
    }
    return ClientError(response, operation)  # type: ignore[arg-type]  # an incomplete response


def cancelled(operations: Sequence[Any], reasons: Mapping[int, Mapping[str, Any]]) -> ClientError:
    """A transaction that was cancelled, with a reason for each write."""
    told = [dict(reasons.get(i, {"Code": "None"})) for i in range(len(operations))]
    return error("TransactWriteItems", "TransactionCanceledException", CancellationReasons=told)


class MemoryDynamoDb:
    """One table with keys `pk` and `sk` and the index `due`. Fits boto3's client where it is used.

    Attributes:
        items: by key, in DynamoDB's own typed form.
        due: the items of the index and their range keys.
        on_write: told of every item that was written: key, before and after.
    """

    def __init__(self) -> None:
        self.items: dict[Key, Item] = {}
        self.due: dict[Key, int] = {}
        self.on_write: list[Any] = []

    def get_item(self, *, Key: Item, **_: Any) -> dict[str, Any]:  # noqa: N803 - boto3's names
        """One item, or none."""
        found = self.items.get(_key(Key))
        return {"Item": found} if found is not None else {}

    def query(
        self,
        *,
        IndexName: str | None = None,  # noqa: N803
        KeyConditionExpression: str,  # noqa: N803
        ExpressionAttributeNames: Mapping[str, str] | None = None,  # noqa: N803
        ExpressionAttributeValues: Mapping[str, Any],  # noqa: N803
        Limit: int = 1000,  # noqa: N803
        ExclusiveStartKey: Item | None = None,  # noqa: N803
        **_: Any,
    ) -> dict[str, Any]:
        """A page of a partition, or of the index, in order; without its keys no item is in it."""
        names, values = ExpressionAttributeNames or {}, ExpressionAttributeValues
        if IndexName is None:
            return {
                "Items": [
                    item
                    for _, item in sorted(self.items.items())
                    if holds(KeyConditionExpression, item, names, values)
                ]
            }
        if IndexName != "due":
            raise NotUnderstood(IndexName)
        found = [
            self.items[key]
            for key in self.due
            if holds(KeyConditionExpression, self.items[key], names, values)
        ]
        found.sort(key=_place)
        if ExclusiveStartKey:
            found = [item for item in found if _place(item) > _place(ExclusiveStartKey)]
        page = {"Items": found[:Limit]}
        if len(found) > Limit:
            last = found[Limit - 1]
            page["LastEvaluatedKey"] = {name: last[name] for name in ("pk", "sk", *INDEX)}  # type: ignore[assignment]
        return page

    def scan(
        self,
        *,
        FilterExpression: str,  # noqa: N803 - boto3's names
        ExpressionAttributeNames: Mapping[str, str],  # noqa: N803
        ExpressionAttributeValues: Mapping[str, Any],  # noqa: N803
        **_: Any,
    ) -> dict[str, Any]:
        """Everything for which a condition holds, in one page."""
        names, values = ExpressionAttributeNames, ExpressionAttributeValues
        found = [i for i in self.items.values() if holds(FilterExpression, i, names, values)]
        return {"Items": found}

    def put_item(self, **arguments: Any) -> dict[str, Any]:
        """One put."""
        return self._single("Put", arguments)

    def update_item(self, **arguments: Any) -> dict[str, Any]:
        """One update; an item that is not there is made."""
        return self._single("Update", arguments)

    def delete_item(self, **arguments: Any) -> dict[str, Any]:
        """One delete."""
        return self._single("Delete", arguments)

    def transact_write_items(self, *, TransactItems: Sequence[Any], **_: Any) -> dict[str, Any]:  # noqa: N803
        """All of it or nothing."""
        reasons, writes = {}, []
        for i, operation in enumerate(TransactItems):
            ((kind, arguments),) = operation.items()
            key = _key(arguments.get("Key") or arguments["Item"])
            if any(key == other for other, _ in writes):
                raise error("TransactWriteItems", "ValidationException")
            if not self._allowed(key, arguments):
                reasons[i] = {"Code": "ConditionalCheckFailed", **self._old(key, arguments)}
            writes.append((key, (kind, arguments)))
        if reasons:
            raise cancelled(TransactItems, reasons)
        for key, (kind, arguments) in writes:
            self._write(kind, key, arguments)
        return {}

    def _single(self, kind: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        key = _key(arguments.get("Key") or arguments["Item"])
        if not self._allowed(key, arguments):
            raise error(
                WRITES[kind], "ConditionalCheckFailedException", **self._old(key, arguments)
            )
        self._write(kind, key, arguments)
        return {}

    def _allowed(self, key: Key, arguments: Mapping[str, Any]) -> bool:
        condition = arguments.get("ConditionExpression")
        return condition is None or holds(
            condition,
            self.items.get(key),
            arguments.get("ExpressionAttributeNames"),
            arguments.get("ExpressionAttributeValues"),
        )

    def _old(self, key: Key, arguments: Mapping[str, Any]) -> dict[str, Any]:
        wanted = arguments.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
        found = self.items.get(key)
        return {"Item": found} if wanted and found is not None else {}

    def _write(self, kind: str, key: Key, arguments: Mapping[str, Any]) -> None:
        before = self.items.get(key)
        if kind == "Delete":
            self.items.pop(key, None)
        elif kind == "Put":
            self.items[key] = dict(arguments["Item"])
        else:
            self.items[key] = updated(
                arguments["UpdateExpression"],
                before if before is not None else dict(arguments["Key"]),
                arguments.get("ExpressionAttributeNames"),
                arguments.get("ExpressionAttributeValues"),
            )
        after = self.items.get(key)
        if after is not None and all(name in after for name in INDEX):
            self.due[key] = int(after["due_at"]["N"])
        else:
            self.due.pop(key, None)
        for tell in self.on_write:
            tell(key, before, after)


def _key(item: Item) -> Key:
    return item["pk"]["S"], item["sk"]["S"]


def _place(item: Item) -> tuple[str, int, str, str]:
    return item["due_shard"]["S"], int(item["due_at"]["N"]), item["pk"]["S"], item["sk"]["S"]
