"""Inside moto: a transaction's backup copies the items it touches, not the whole table.

moto keeps a deep copy of each table a transaction names, to roll back to. That costs more with
every item, and a sandbox that has seen a few hundred tenants would crawl. The copy is asked for
through `copy.deepcopy`, so `Table.__deepcopy__` is the one place to say what has to be copied:
the dictionaries on the way to the touched items, and those items.
"""

import copy
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from moto.dynamodb.models.table import Table

Touched = frozenset[tuple[str, str, str]]
"""Items as (table, hash key, range key)."""

_touched: ContextVar[Touched | None] = ContextVar("_touched", default=None)


@contextmanager
def touching(items: Iterable[tuple[str, str, str]]) -> Iterator[None]:
    """While this lasts, a table is copied as far as these items need it."""
    token = _touched.set(frozenset(items))
    try:
        yield
    finally:
        _touched.reset(token)


def install() -> None:
    """Put it into moto, once."""
    setattr(Table, "__deepcopy__", _snapshot)  # noqa: B010 - moto does not declare it


def _snapshot(table: Any, memo: dict[int, Any]) -> Any:  # noqa: ANN401 - moto's own
    twin: Any = Table.__new__(Table)
    memo[id(table)] = twin
    touched = _touched.get()
    if touched is None:
        twin.__dict__.update(copy.deepcopy(table.__dict__, memo))
        return twin
    ours = {(hash_key, range_key) for name, hash_key, range_key in touched if name == table.name}
    hashes = {hash_key for hash_key, _ in ours}
    items: defaultdict[Any, Any] = defaultdict(dict)
    for hash_key, partition in table.items.items():
        items[hash_key] = partition
        if hash_key.value in hashes:
            items[hash_key] = {
                key: copy.deepcopy(item) if (hash_key.value, key.value) in ours else item
                for key, item in partition.items()
            }
    twin.__dict__.update(table.__dict__)
    twin.items = items
    return twin
