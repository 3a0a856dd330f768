"""The shapes of Stripe's objects, as they are before anything happened to them."""

import functools
import json
from pathlib import Path
from typing import Any, TypeVar

Obj = dict[str, Any]
T = TypeVar("T")

SHAPES = Path(__file__).with_name("shapes.json")


@functools.cache
def _shapes() -> dict[str, Obj]:
    read: dict[str, Obj] = json.loads(SHAPES.read_text())
    return read


def shape(kind: str) -> Obj:
    """A fresh object of this kind."""
    return copied(_shapes().get(kind, {"object": kind, "created": None, "metadata": {}}))


def copied(value: T) -> T:
    """A copy of JSON, all the way down; `copy.deepcopy` takes five times as long."""
    if isinstance(value, dict):
        return {key: copied(inner) for key, inner in value.items()}  # type: ignore[return-value]
    if isinstance(value, list | tuple):
        return [copied(inner) for inner in value]  # type: ignore[return-value]
    return value


def listing(url: str, data: list[Obj], *, has_more: bool = False) -> Obj:
    """A page of a list."""
    return {"object": "list", "url": url, "has_more": has_more, "data": data}


def item(item_id: str, subscription_id: str, price: Obj, quantity: int, start: int) -> Obj:
    """A line of a subscription; since 2025 it is what has the period."""
    return shape("subscription_item") | {
        "id": item_id,
        "created": start,
        "price": price,
        "quantity": quantity,
        "subscription": subscription_id,
        "current_period_start": start,
        "current_period_end": start,
    }
