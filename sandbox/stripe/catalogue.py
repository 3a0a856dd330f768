"""Products and prices."""

from typing import Any

from sandbox.stripe.errors import BAD_REQUEST, Refusal, malformed
from sandbox.stripe.ledger import Ledger
from sandbox.stripe.lists import page
from sandbox.stripe.metadata import merged
from sandbox.stripe.objects import Obj

MOST_KEYS = 10


def create_product(ledger: Ledger, params: Obj) -> Obj:
    """A product, under the caller's id when there is one."""
    product_id = params.get("id")
    if product_id in ledger.tables["product"]:
        raise Refusal(f"Product already exists: {product_id}", code="resource_already_exists")
    fields: dict[str, Any] = {
        key: params[key] for key in ("name", "description", "active", "url") if key in params
    }
    fields["metadata"] = merged({}, params.get("metadata"))
    made = ledger.add("product", product_id, **fields)
    made["updated"] = made["created"]
    ledger.emit("product.created", made)
    if "default_price_data" in params:
        price = create_price(ledger, params["default_price_data"] | {"product": made["id"]})
        made["default_price"] = price["id"]
    return made


def retrieve_product(ledger: Ledger, _: Obj, product_id: str) -> Obj:
    """One product."""
    return ledger.get("product", product_id)


def update_product(ledger: Ledger, params: Obj, product_id: str) -> Obj:
    """Its name, its metadata, whether it is sold."""
    product = ledger.get("product", product_id)
    fields: dict[str, Any] = {
        key: params[key]
        for key in ("name", "description", "active", "url", "default_price")
        if key in params
    }
    if "metadata" in params:
        fields["metadata"] = merged(product["metadata"], params["metadata"])
    if "default_price" in fields:
        fields["default_price"] = _default(ledger, product_id, fields["default_price"])
    ledger.change("product.updated", product, **fields)
    product["updated"] = ledger.now()
    return product


def _default(ledger: Ledger, product_id: str, price_id: str) -> str | None:
    """An active price of the product's own, or none at all."""
    if not price_id:
        return None
    price = ledger.get("price", price_id, "default_price", BAD_REQUEST)
    if price["product"] != product_id or not price["active"]:
        raise Refusal(
            f"The price {price_id} cannot be the default of {product_id}: it must be active, and "
            "belong to the product.",
            param="default_price",
        )
    return price_id


def list_products(ledger: Ledger, params: Obj) -> Obj:
    """All, or those that are named or active."""
    ids = params.get("ids")
    return page(
        ledger, "product", "/v1/products", params, ("active",), lambda p: not ids or p["id"] in ids
    )


def create_price(ledger: Ledger, params: Obj) -> Obj:
    """A price; a lookup key stands on one active price at a time."""
    product_id = params.get("product") or _new_product(ledger, params)
    ledger.get("product", product_id, "product", BAD_REQUEST)
    if "unit_amount" not in params:
        raise Refusal("Missing required param: unit_amount.", param="unit_amount")
    lookup_key = params.get("lookup_key")
    if lookup_key:
        _take_lookup_key(ledger, lookup_key, transfer=params.get("transfer_lookup_key", False))
    recurring = params.get("recurring")
    made = ledger.add(
        "price",
        active=params.get("active", True),
        currency=params["currency"].lower(),
        lookup_key=lookup_key,
        metadata=merged({}, params.get("metadata")),
        nickname=params.get("nickname"),
        product=product_id,
        recurring={
            "interval": recurring["interval"],
            "interval_count": recurring.get("interval_count", 1),
            "meter": None,
            "trial_period_days": None,
            "usage_type": recurring.get("usage_type", "licensed"),
        }
        if recurring
        else None,
        tax_behavior=params.get("tax_behavior", "unspecified"),
        type="recurring" if recurring else "one_time",
        unit_amount=params["unit_amount"],
        unit_amount_decimal=str(params["unit_amount"]),
    )
    ledger.emit("price.created", made)
    return made


def _new_product(ledger: Ledger, params: Obj) -> str:
    if "product_data" not in params:
        raise Refusal("You must specify either `product` or `product_data`.", param="product")
    return str(create_product(ledger, params["product_data"])["id"])


def _take_lookup_key(ledger: Ledger, key: str, *, transfer: bool) -> None:
    for holder in list(ledger.all("price", lookup_key=key)):
        if not transfer:
            raise Refusal(
                f"A price (`{holder['id']}`) already uses that lookup key.", param="lookup_key"
            )
        ledger.change("price.updated", holder, lookup_key=None)


def retrieve_price(ledger: Ledger, _: Obj, price_id: str) -> Obj:
    """One price."""
    return ledger.get("price", price_id, "price")


def update_price(ledger: Ledger, params: Obj, price_id: str) -> Obj:
    """Everything but the amount."""
    price = ledger.get("price", price_id, "price")
    if params.get("active") is False:
        _refuse_default(ledger, price)
    fields: dict[str, Any] = {
        key: params[key] for key in ("active", "nickname", "tax_behavior") if key in params
    }
    if "metadata" in params:
        fields["metadata"] = merged(price["metadata"], params["metadata"])
    is_default = ledger.tables["product"][price["product"]]["default_price"] == price_id
    if is_default and not fields.get("active", True):
        raise Refusal(
            "This price cannot be archived because it is the default price of its product."
        )
    key = params.get("lookup_key")
    if key is not None and key != price["lookup_key"]:
        if key:
            _take_lookup_key(ledger, key, transfer=params.get("transfer_lookup_key", False))
        fields["lookup_key"] = key or None
    ledger.change("price.updated", price, **fields)
    return price


def _refuse_default(ledger: Ledger, price: Obj) -> None:
    if ledger.get("product", price["product"])["default_price"] == price["id"]:
        raise Refusal(
            "This price cannot be archived because it is the default price of its product."
        )


def list_prices(ledger: Ledger, params: Obj) -> Obj:
    """By lookup keys, product, and whether they are active."""
    keys = params.get("lookup_keys")
    if keys and len(keys) > MOST_KEYS:
        raise malformed(
            f"Array lookup_keys exceeded maximum {MOST_KEYS} allowed elements.", "lookup_keys"
        )
    return page(
        ledger,
        "price",
        "/v1/prices",
        params,
        ("active", "product", "currency", "type"),
        lambda p: not keys or p["lookup_key"] in keys,
    )
