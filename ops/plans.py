"""What Stripe should hold of the catalogue, and what to change to get there.

Pure but for `look` and `carry_out`. A price in use is never edited: another amount is a new price
that takes over the lookup key, and the old one stays with whoever pays it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

import stripe

from chalicelib.domain.catalogue import Catalogue, Interval
from chalicelib.domain.errors import Misconfigured

What = Literal["create product", "rename product", "create price", "replace price",
               "create portal", "update portal"]  # fmt: skip
DEPLOYMENT = "deployment"
"""The metadata key by which a portal configuration is known to be ours."""

MOST_KEYS = 10
"""Lookup keys that Stripe takes in one question."""

MOST_PRODUCTS = 10
"""Products that Stripe takes in one portal configuration."""


@dataclass(frozen=True, slots=True)
class Price:
    """One price; `amount` in the smallest unit of `currency` per `interval`."""

    lookup_key: str
    product: str
    amount: int
    currency: str
    interval: Interval
    plan: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """All that should be there: product names by id, prices, and whose portal it is."""

    deployment: str
    products: Mapping[str, str]
    prices: tuple[Price, ...]


@dataclass(frozen=True, slots=True)
class Portal:
    """A portal configuration: its features, with the prices' ids in them."""

    id: str
    features: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Found:
    """What is there of it: names by product id, prices and their ids by lookup key."""

    products: Mapping[str, str]
    prices: Mapping[str, Price]
    price_ids: Mapping[str, str]
    portal: Portal | None


@dataclass(frozen=True, slots=True)
class Change:
    """One thing to do; `name` is a product's id, a lookup key or the deployment."""

    what: What
    name: str


def wanted(catalogue: Catalogue, stage: str) -> Wanted:
    """What Stripe should hold for a stage.

    Raises:
        Misconfigured: more plans are sold than the portal can offer.
    """
    if len(catalogue.paid_plans) > MOST_PRODUCTS:
        raise Misconfigured(
            f"plans.toml sells {len(catalogue.paid_plans)} plans, and Stripe's portal can offer "
            f"{MOST_PRODUCTS}: sell fewer"
        )
    return Wanted(
        deployment=catalogue.deployment(stage),
        products={
            catalogue.product_id(stage, plan): f"{catalogue.product.name} {plan.name}"
            for plan in catalogue.paid_plans
        },
        prices=tuple(
            Price(
                lookup_key=catalogue.lookup_key(stage, offer.plan, offer.interval),
                product=catalogue.product_id(stage, offer.plan),
                amount=offer.amount,
                currency=catalogue.product.currency,
                interval=offer.interval,
                plan=offer.plan.id,
            )
            for offer in catalogue.offers
        ),
    )


def changes(want: Wanted, found: Found) -> list[Change]:
    """What is missing or different, in the order in which it has to be done."""
    todo: list[Change] = []
    for product_id, name in want.products.items():
        if product_id not in found.products:
            todo.append(Change("create product", product_id))
        elif found.products[product_id] != name:
            todo.append(Change("rename product", product_id))
    for price in want.prices:
        there = found.prices.get(price.lookup_key)
        if there is None:
            todo.append(Change("create price", price.lookup_key))
        elif there != price:
            todo.append(Change("replace price", price.lookup_key))
    if found.portal is None:
        todo.append(Change("create portal", want.deployment))
    elif todo or _differs(portal_features(want, found.price_ids), found.portal.features):
        todo.append(Change("update portal", want.deployment))
    return todo


def portal_features(want: Wanted, price_ids: Mapping[str, str]) -> dict[str, Any]:
    """What a customer may do by themselves: another plan at quantity 1, an end with the period."""
    products = [
        {
            "product": product_id,
            "prices": [price_ids[p.lookup_key] for p in want.prices if p.product == product_id
                       and p.lookup_key in price_ids],
        }
        for product_id in want.products
    ]  # fmt: skip
    return {
        "customer_update": {"enabled": True, "allowed_updates": ["email", "address", "tax_id"]},
        "invoice_history": {"enabled": True},
        "payment_method_update": {"enabled": True},
        "subscription_cancel": {"enabled": True, "mode": "at_period_end"},
        "subscription_update": {
            "enabled": True,
            "default_allowed_updates": ["price"],  # not the quantity: one tenant, one subscription
            "proration_behavior": "create_prorations",
            "products": products,
        },
    }


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


def look(client: stripe.StripeClient, want: Wanted) -> Found:
    """Ask Stripe what is there."""
    keys = [price.lookup_key for price in want.prices]
    products = client.v1.products.list({"ids": list(want.products), "limit": 100})
    prices: dict[str, Price] = {}
    ids: dict[str, str] = {}
    for price in _priced(client, keys):
        if price.lookup_key and price.recurring:
            ids[price.lookup_key] = price.id
            prices[price.lookup_key] = Price(
                lookup_key=price.lookup_key,
                product=str(price.product),
                amount=price.unit_amount or 0,
                currency=price.currency,
                interval=cast("Interval", price.recurring.interval),
                plan=price.metadata.to_dict().get("plan", ""),
            )
    return Found(
        products={product.id: product.name for product in products.auto_paging_iter()},
        prices=prices,
        price_ids=ids,
        portal=_portal(client, want.deployment),
    )


def _priced(client: stripe.StripeClient, keys: Sequence[str]) -> Iterator[stripe.Price]:
    for start in range(0, len(keys), MOST_KEYS):
        some = list(keys[start : start + MOST_KEYS])
        listed = client.v1.prices.list({"lookup_keys": some, "active": True, "limit": 100})
        yield from listed.auto_paging_iter()


def _portal(client: stripe.StripeClient, deployment: str) -> Portal | None:
    found = client.v1.billing_portal.configurations.list({"active": True, "limit": 100})
    for configuration in found.auto_paging_iter():
        metadata = configuration.metadata.to_dict() if configuration.metadata else {}
        if metadata.get(DEPLOYMENT) == deployment:
            # Products in `features` are only sent when they are asked for.
            whole = client.v1.billing_portal.configurations.retrieve(
                configuration.id, {"expand": ["features.subscription_update.products"]}
            )
            return Portal(whole.id, whole.features.to_dict())
    return None


def push(client: stripe.StripeClient, catalogue: Catalogue, stage: str) -> list[Change]:
    """Bring Stripe in line with the catalogue; what was changed. A second time changes nothing."""
    want = wanted(catalogue, stage)
    found = look(client, want)
    todo = changes(want, found)
    ids = dict(found.price_ids)
    for change in todo:
        carry_out(change, client, want, found, ids)
    return todo


def carry_out(
    change: Change, client: stripe.StripeClient, want: Wanted, found: Found, ids: dict[str, str]
) -> None:
    """Do one of `changes`, in their order; `ids` learns the ids of new prices by lookup key."""
    if change.what == "create product":
        client.v1.products.create({"id": change.name, "name": want.products[change.name]})
    elif change.what == "rename product":
        client.v1.products.update(change.name, {"name": want.products[change.name]})
    elif change.what in {"create price", "replace price"}:
        price = next(p for p in want.prices if p.lookup_key == change.name)
        old = ids.get(change.name)
        ids[change.name] = _create_price(client, price)
        if old:
            client.v1.prices.update(old, {"active": False})
    else:
        features = cast("Any", portal_features(want, ids))
        metadata = {DEPLOYMENT: want.deployment}
        if found.portal:
            client.v1.billing_portal.configurations.update(
                found.portal.id, {"features": features, "metadata": metadata}
            )
        else:
            client.v1.billing_portal.configurations.create(
                {"features": features, "metadata": metadata}
            )


def _create_price(client: stripe.StripeClient, price: Price) -> str:
    made = client.v1.prices.create(
        {
            "product": price.product,
            "unit_amount": price.amount,
            "currency": price.currency,
            "recurring": {"interval": price.interval},
            "lookup_key": price.lookup_key,
            "transfer_lookup_key": True,
            "metadata": {"plan": price.plan},
        }
    )
    return made.id
