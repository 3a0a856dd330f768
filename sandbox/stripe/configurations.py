"""Portal configurations: what a customer may do by themselves, and the sessions that obey them."""

import copy
from typing import Any

from sandbox.stripe.errors import BAD_REQUEST, Refusal, malformed
from sandbox.stripe.ledger import Ledger
from sandbox.stripe.lists import page
from sandbox.stripe.metadata import merged
from sandbox.stripe.objects import Obj

URL = "/v1/billing_portal/configurations"
MOST_PRODUCTS = 10


def create(ledger: Ledger, params: Obj) -> Obj:
    """A configuration; the account's first is its default."""
    first = not ledger.tables["billing_portal.configuration"]
    made = ledger.add(
        "billing_portal.configuration",
        is_default=first,
        metadata=merged({}, params.get("metadata")),
        default_return_url=params.get("default_return_url") or None,
    )
    _set_features(ledger, made, params["features"])
    made["updated"] = made["created"]
    return made


def update(ledger: Ledger, params: Obj, configuration_id: str) -> Obj:
    """Another set of features, or none for whoever comes next."""
    found = ledger.get("billing_portal.configuration", configuration_id)
    _set_features(ledger, found, params.get("features", {}))
    if "active" in params:
        found["active"] = params["active"]
    found["metadata"] = merged(found["metadata"], params.get("metadata"))
    found["updated"] = ledger.now()
    return found


def retrieve(ledger: Ledger, _: Obj, configuration_id: str) -> Obj:
    """One configuration."""
    return ledger.get("billing_portal.configuration", configuration_id)


def list_all(ledger: Ledger, params: Obj) -> Obj:
    """All, or the active ones."""
    return page(ledger, "billing_portal.configuration", URL, params, ("active", "is_default"))


def _set_features(ledger: Ledger, configuration: Obj, features: Obj) -> None:
    products = features.get("subscription_update", {}).get("products") or []
    if len(products) > MOST_PRODUCTS:
        at = "features[subscription_update][products]"
        raise malformed(f"Array {at} exceeded maximum {MOST_PRODUCTS} allowed elements.", at)
    for i, product in enumerate(products):
        at = f"features[subscription_update][products][{i}]"
        ledger.get("product", product["product"], f"{at}[product]", BAD_REQUEST)
        for price_id in product["prices"]:
            price = ledger.get("price", price_id, f"{at}[prices]", BAD_REQUEST)
            if price["product"] != product["product"] or not price["active"]:
                raise Refusal(f"The price {price_id} cannot be offered.", param=f"{at}[prices]")
    for product in products:
        product.setdefault("adjustable_quantity", {"enabled": False, "maximum": None, "minimum": 1})
    for name, given in features.items():
        configuration["features"][name] = configuration["features"][name] | given


def open_portal(ledger: Ledger, params: Obj) -> Obj:
    """A page on which the customer manages their billing."""
    if "customer" not in params:
        ledger.customer("")
    ledger.customer(params["customer"])
    made = ledger.add(
        "billing_portal.session",
        configuration=_chosen(ledger, params.get("configuration"))["id"],
        customer=params["customer"],
        return_url=params.get("return_url"),
        locale=params.get("locale"),
    )
    made["url"] = f"{ledger.url}/p/session/{made['id']}"
    return made


def _chosen(ledger: Ledger, wanted: str | None) -> Obj:
    if wanted:
        found = ledger.get("billing_portal.configuration", wanted, "configuration", BAD_REQUEST)
        if not found["active"]:
            raise Refusal("The configuration is not active.", param="configuration")
        return found
    for found in ledger.all("billing_portal.configuration", is_default=True, active=True):
        return found
    raise Refusal(
        "No configuration provided and your test mode default configuration has not been created."
    )


def features_of(ledger: Ledger, session: Obj) -> dict[str, Any]:
    """What this session's customer may do."""
    found = ledger.tables["billing_portal.configuration"][session["configuration"]]
    return copy.deepcopy(dict(found["features"]))


def offered(features: Obj, price_id: str) -> bool:
    """Whether a customer may move to this price by themselves."""
    update = features["subscription_update"]
    return bool(
        update["enabled"]
        and "price" in update["default_allowed_updates"]
        and any(price_id in product["prices"] for product in update["products"] or [])
    )
