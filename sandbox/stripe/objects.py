"""The shapes of Stripe's objects, as they are before anything happened to them."""

import copy
import functools
import json
from pathlib import Path
from typing import Any

Obj = dict[str, Any]

SHAPES = Path(__file__).with_name("shapes.json")


@functools.cache
def _shapes() -> dict[str, Obj]:
    read: dict[str, Obj] = json.loads(SHAPES.read_text())
    return read


def shape(kind: str) -> Obj:
    """A fresh object of this kind."""
    return copy.deepcopy(_shapes().get(kind, {"object": kind, "created": None, "metadata": {}}))


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
