"""What differs between the catalogue and Stripe, as changes in an order that is safe. Pure.

A price in use is never edited: another amount is a new price that takes over the lookup key, and
the old one stays with whoever pays it. Whatever stops a push, the next one finds what is left.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ops.plans.wanted import Price, Wanted, portal_features

What = Literal[
    "create product", "unarchive product", "rename product", "create price", "replace price",
    "create portal", "update portal", "change default price", "archive price", "archive product",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Product:
    """A product as it is there; `default_price` is a price's id."""

    name: str
    active: bool
    default_price: str | None


@dataclass(frozen=True, slots=True)
class PriceFound:
    """An active price as it is there; `made_here` is whether a push of ours made it."""

    id: str
    price: Price
    made_here: bool


@dataclass(frozen=True, slots=True)
class Portal:
    """A portal configuration: its features, with the prices' ids in them."""

    id: str
    features: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Found:
    """What is there of it: products by id, active prices of theirs or with our lookup keys."""

    products: Mapping[str, Product]
    prices: tuple[PriceFound, ...]
    portal: Portal | None

    def by_key(self, lookup_key: str) -> PriceFound | None:
        """The active price with this lookup key."""
        return next((p for p in self.prices if p.price.lookup_key == lookup_key), None)

    @property
    def price_ids(self) -> dict[str, str]:
        """The ids of active prices by their lookup keys."""
        return {p.price.lookup_key: p.id for p in self.prices if p.price.lookup_key}


@dataclass(frozen=True, slots=True)
class Change:
    """One thing to do; `name` is a product's id, a lookup key, a price's id, or the deployment."""

    what: What
    name: str


def changes(want: Wanted, found: Found) -> list[Change]:
    """What is missing or different, in the order in which it has to be done.

    What takes the place of something comes first, then the portal, which names prices; only then
    is archived what nothing leads to any more.
    """
    todo = [*_products(want, found), *_prices(want, found)]
    if found.portal is None:
        todo.append(Change("create portal", want.deployment))
    elif todo or _differs(portal_features(want, found.price_ids), found.portal.features):
        todo.append(Change("update portal", want.deployment))
    leaving = list(_leaving(want, found))
    for product_id, product in found.products.items():
        if product_id in want.products and any(p.id == product.default_price for p in leaving):
            todo.append(Change("change default price", product_id))
    todo += [Change("archive price", p.id) for p in leaving]
    todo += [
        Change("archive product", product_id)
        for product_id in want.withdrawn
        if product_id in found.products and found.products[product_id].active
    ]
    return todo


def _products(want: Wanted, found: Found) -> Iterator[Change]:
    for product_id, name in want.names.items():
        there = found.products.get(product_id)
        if there is None:
            if product_id in want.products:
                yield Change("create product", product_id)
            continue
        if product_id in want.products and not there.active:
            yield Change("unarchive product", product_id)
        if there.name != name:
            yield Change("rename product", product_id)


def _prices(want: Wanted, found: Found) -> Iterator[Change]:
    for price in want.prices:
        there = found.by_key(price.lookup_key)
        if there is None:
            yield Change("create price", price.lookup_key)
        elif there.price != price:
            yield Change("replace price", price.lookup_key)


def _leaving(want: Wanted, found: Found) -> Iterator[PriceFound]:
    """Prices of ours on what is sold that nothing may be sold at any more.

    One that is to be replaced; one whose lookup key was taken by a push that then died; one that
    the catalogue has dropped. What a person has made on our products, without a key of ours, is
    theirs; so is what stands on another product, once our key has left it.
    """
    right = {price.lookup_key: price for price in want.prices}
    for there in found.prices:
        key = there.price.lookup_key
        if there.price.product not in want.products:
            continue
        outdated = key in right and there.price != right[key]
        if outdated or key in want.retired or (not key and there.made_here):
            yield there


def _differs(want: object, there: object) -> bool:
    """Whether anything that is wanted is otherwise there; Stripe adds fields of its own."""
    if isinstance(want, Mapping):
        if not isinstance(there, Mapping):
            return True
        return any(_differs(value, there.get(key)) for key, value in want.items())
    if isinstance(want, list):
        if not isinstance(there, list) or len(want) != len(there):
            return True
        return any(_differs(one, other) for one, other in zip(_ordered(want), _ordered(there)))  # noqa: B905 - of one length
    return want != there


def _ordered(values: list[Any]) -> list[Any]:
    """Stripe keeps no promise about the order of a set."""
    return sorted(values, key=lambda v: str(v.get("product")) if isinstance(v, Mapping) else str(v))
