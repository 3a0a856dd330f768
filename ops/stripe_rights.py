"""What a restricted key of Stripe's must be allowed to, by the names in Stripe's dashboard.

One key serves the functions, the deploy and the operator. A test records every call of a whole life
and holds this table to it, and docs/going-live.md to this table.
"""

from collections.abc import Iterable, Mapping
from typing import Literal

Level = Literal["Read", "Write"]

PERMISSIONS: Mapping[str, str] = {
    "billing_portal": "Customer portal",
    "charges": "Charges and Refunds",
    "checkout": "Checkout Sessions",
    "customers": "Customers",
    "disputes": "Disputes",
    "events": "Events",
    "invoice_payments": "Invoices",
    "invoices": "Invoices",
    "prices": "Prices",
    "products": "Products",
    "refunds": "Charges and Refunds",
    "subscriptions": "Subscriptions",
    "webhook_endpoints": "Webhook Endpoints",
}
"""The permission that covers a resource, by the first part of the resource's path."""

RIGHTS: Mapping[str, Level] = {
    "Charges and Refunds": "Write",
    "Checkout Sessions": "Write",
    "Customer portal": "Write",
    "Customers": "Write",
    "Disputes": "Read",
    "Events": "Read",
    "Invoices": "Write",
    "Prices": "Write",
    "Products": "Write",
    "Subscriptions": "Write",
    "Webhook Endpoints": "Write",
}
"""All that is needed; Write has Read in it."""


def needed(calls: Iterable[tuple[str, str]]) -> Mapping[str, Level]:
    """The permissions that calls take, each a method and a path."""
    found: dict[str, Level] = {}
    for method, path in calls:
        name = PERMISSIONS[path.removeprefix("/v1/").split("/")[0]]
        if method != "GET" or name not in found:
            found[name] = "Read" if method == "GET" else "Write"
    return found
