"""Asking Stripe what it holds of the catalogue, and changing it. Each change can be repeated."""

from collections.abc import Iterator, Sequence
from typing import Any, cast

import stripe

from chalicelib.domain.catalogue import Catalogue
from ops.plans.comparing import Change, Found, Portal, PriceFound, Product, changes
from ops.plans.wanted import Price, Wanted, portal_features, wanted

DEPLOYMENT = "deployment"
"""The metadata key by which a portal configuration is known to be ours."""

MOST_KEYS = 10
"""Lookup keys that Stripe takes in one question."""


def look(client: stripe.StripeClient, want: Wanted) -> Found:
    """Ask Stripe what is there."""
    products = client.v1.products.list({"ids": list(want.names), "limit": 100})
    there = {
        product.id: Product(product.name, product.active, _id(product.default_price))
        for product in products.auto_paging_iter()
    }
    prices = {price.id: price for price in _of_keys(client, [p.lookup_key for p in want.prices])}
    for product_id in want.products:
        if product_id in there:
            listed = client.v1.prices.list({"product": product_id, "active": True, "limit": 100})
            prices |= {price.id: price for price in listed.auto_paging_iter()}
    return Found(
        products=there,
        prices=tuple(_found(price, want) for price in prices.values()),
        portal=_portal(client, want.deployment),
    )


def _of_keys(client: stripe.StripeClient, keys: Sequence[str]) -> Iterator[stripe.Price]:
    for start in range(0, len(keys), MOST_KEYS):
        some = list(keys[start : start + MOST_KEYS])
        listed = client.v1.prices.list({"lookup_keys": some, "active": True, "limit": 100})
        yield from listed.auto_paging_iter()


def _found(price: stripe.Price, want: Wanted) -> PriceFound:
    product, recurring = str(_id(price.product)), price.recurring
    plan = price.metadata.to_dict().get("plan", "")
    usage = recurring.usage_type if recurring else "once"
    packed = " packages" if price.transform_quantity else ""
    read = Price(
        lookup_key=price.lookup_key or "",
        product=product,
        amount=price.unit_amount,
        currency=price.currency,
        interval=recurring.interval if recurring else None,
        interval_count=recurring.interval_count if recurring else 1,
        plan=plan,
        tax_behavior=price.tax_behavior or "unspecified",
        model=f"{usage} {price.billing_scheme}{packed}",
    )
    return PriceFound(price.id, read, made_here=plan == want.plans.get(product))


def _id(named: Any) -> str | None:  # noqa: ANN401 - an id, or the object when it was expanded
    return named if named is None or isinstance(named, str) else str(named.id)


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
    ids = found.price_ids
    for change in todo:
        _carry_out(change, client, want, found, ids)
    return todo


def _carry_out(
    change: Change, client: stripe.StripeClient, want: Wanted, found: Found, ids: dict[str, str]
) -> None:
    """Do one of `changes`, in their order; `ids` learns the ids of new prices by lookup key."""
    name = change.name
    match change.what:
        case "create product":
            client.v1.products.create({"id": name, "name": want.names[name]})
        case "rename product":
            client.v1.products.update(name, {"name": want.names[name]})
        case "unarchive product" | "archive product":
            client.v1.products.update(name, {"active": change.what == "unarchive product"})
        case "create price" | "replace price":
            price = next(p for p in want.prices if p.lookup_key == name)
            _claim(client, price, want, found)
            ids[name] = _create_price(client, price)
        case "change default price":
            usual = next(p for p in want.prices if p.product == name)
            client.v1.products.update(name, {"default_price": ids[usual.lookup_key]})
        case "archive price":
            client.v1.prices.update(name, {"active": False})
        case "create portal" | "update portal":
            _write_portal(client, want, found.portal, ids)


def _claim(client: stripe.StripeClient, price: Price, want: Wanted, found: Found) -> None:
    """Mark what a person has put under our key, so that it is known when the key has left it."""
    there = found.by_key(price.lookup_key)
    if there and there.price.product in want.products and not there.made_here:
        plan = want.plans[there.price.product]
        client.v1.prices.update(there.id, {"metadata": {"plan": plan}})


def _create_price(client: stripe.StripeClient, price: Price) -> str:
    params: dict[str, Any] = {
        "product": price.product,
        "unit_amount": price.amount,
        "currency": price.currency,
        "recurring": {"interval": price.interval},
        "lookup_key": price.lookup_key,
        "transfer_lookup_key": True,
        "metadata": {"plan": price.plan},
    }
    if price.tax_behavior != "unspecified":
        params["tax_behavior"] = price.tax_behavior
    made = client.v1.prices.create(cast("stripe.params.PriceCreateParams", params))
    return made.id


def _write_portal(
    client: stripe.StripeClient, want: Wanted, portal: Portal | None, ids: dict[str, str]
) -> None:
    features = cast("Any", portal_features(want, ids))
    metadata = {DEPLOYMENT: want.deployment}
    if portal:
        client.v1.billing_portal.configurations.update(
            portal.id, {"features": features, "metadata": metadata}
        )
    else:
        client.v1.billing_portal.configurations.create({"features": features, "metadata": metadata})
