"""DynamoDB's writers in each other's way.

DynamoDB cancels one of two transactions that are on an item at the same moment, and refuses a
plain write to an item that a transaction is on. moto would interleave them. Here every call to
DynamoDB is served alone, and what arrives while another is still being served counts as being at
the same moment. A repeated `ClientRequestToken` answers as the first time, which moto ignores.
"""

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256

from sandbox.aws import moto_tables
from sandbox.aws.wire import Answer, Body, Call, Handler, refused

Item = tuple[str, str, str]
"""An item as (table, pk, sk); the sandbox's table has string keys of these names."""

TOKEN_LIFE = 600
"""Seconds that DynamoDB remembers a ClientRequestToken."""

WRITES = frozenset({"PutItem", "UpdateItem", "DeleteItem"})
CONFLICT = "Transaction is ongoing for the item"


class Conflicts:
    """Goes before moto's DynamoDB.

    Attributes:
        rate: the share of writes, 0..1, that are refused as if somebody else were on their item.
    """

    def __init__(self, inner: Handler) -> None:
        moto_tables.install()
        self.rate = 0.0
        self._inner = inner
        self._served_alone = threading.RLock()
        self._books = threading.Lock()
        self._in_transactions: Counter[Item] = Counter()
        self._in_writes: Counter[Item] = Counter()
        self._tokens: dict[str, tuple[float, str, Answer]] = {}

    def __call__(self, call: Call) -> Answer:
        """Serve one call."""
        if call.action == "TransactWriteItems":
            return self._transaction(call)
        if call.action in WRITES:
            return self._write(call)
        with self._served_alone:
            return self._inner(call)

    def _transaction(self, call: Call) -> Answer:
        items = [_item(next(iter(op.values()))) for op in call.body.get("TransactItems", [])]
        fingerprint = sha256(
            json.dumps(call.body.get("TransactItems"), sort_keys=True).encode()
        ).hexdigest()
        token = call.body.get("ClientRequestToken")
        with self._on(items, self._in_transactions) as taken:
            if taken or self._unlucky():
                return _cancelled(items, taken or items[:1])
            with self._served_alone, moto_tables.touching(items):
                known = self._known(token, fingerprint)
                if known:
                    return known
                answer = self._inner(call)
                if token and answer.ok:
                    self._tokens[token] = (time.monotonic(), fingerprint, answer)
                return answer

    def _write(self, call: Call) -> Answer:
        item = _item(call.body)
        with self._on([item], self._in_writes) as taken:
            if taken or self._unlucky():
                return refused("TransactionConflictException", CONFLICT)
            with self._served_alone:
                return self._inner(call)

    @contextmanager
    def _on(self, items: Sequence[Item], book: Counter[Item]) -> Iterator[Sequence[Item]]:
        """Be on these items; yields those that somebody else's transaction is on already.

        A transaction also gives way to a plain write; two plain writes only wait for each other.
        """
        with self._books:
            held = set(self._in_transactions)
            if book is self._in_transactions:
                held |= set(self._in_writes)
            taken = [item for item in items if item in held]
            entered = [] if taken else items
            book.update(entered)
        try:
            yield taken
        finally:
            with self._books:
                book.subtract(entered)
                for item in entered:
                    if not book[item]:
                        del book[item]

    def _unlucky(self) -> bool:
        return self.rate > 0 and random.random() < self.rate  # noqa: S311 - a fault, no secret

    def _known(self, token: str | None, fingerprint: str) -> Answer | None:
        now = time.monotonic()
        for old in [t for t, (at, _, _) in self._tokens.items() if now - at > TOKEN_LIFE]:
            del self._tokens[old]
        if token is None or token not in self._tokens:
            return None
        _, first, answer = self._tokens[token]
        if first == fingerprint:
            return answer
        return refused(
            "IdempotentParameterMismatchException", "The token was used with other parameters."
        )


def _item(operation: Body) -> Item:
    key = operation.get("Key") or operation.get("Item") or {}
    pk, sk = (str(next(iter(key.get(name, {"S": ""}).values()))) for name in ("pk", "sk"))
    return str(operation.get("TableName")), pk, sk


def _cancelled(items: Sequence[Item], taken: Sequence[Item]) -> Answer:
    conflict = {"Code": "TransactionConflict", "Message": CONFLICT}
    reasons = [conflict if item in taken else {"Code": "None"} for item in items]
    codes = ", ".join(reason["Code"] for reason in reasons)
    return refused(
        "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]",
        CancellationReasons=reasons,
    )
