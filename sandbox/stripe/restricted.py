"""Restricted keys: what each may not do, and how Stripe says so."""

import re

from sandbox.stripe.errors import Refusal
from sandbox.stripe.ledger import Ledger

FORBIDDEN = 403
ACCOUNT = "acct_sandbox"
PREFIXES = ("rk_test_",)

_NAMES = {
    "billing_portal": "customer_portal",
    "invoice_payments": "invoice",
    "invoiceitems": "invoiceitem",
    "prices": "plan",
    "promotion_codes": "promotion_code",
    "subscription_items": "subscription",
    "subscription_schedules": "subscription_schedule",
    "test_helpers": "test_clock",
    "webhook_endpoints": "webhook",
}
"""Where the permission is not called as the path is, without its plural."""


def permission(method: str, path: str) -> str:
    """What a key must have been given for a request, by Stripe's name for it."""
    first, *rest = path.removeprefix("/v1/").split("/")
    name = "checkout_session" if first == "checkout" and rest else first.removesuffix("s")
    return f"rak_{_NAMES.get(first, name)}_{'read' if method == 'GET' else 'write'}"


def refuse_what_is_not_given(ledger: Ledger, key: str | None, method: str, path: str) -> None:
    """Refuse a request that the key has no permission for.

    Raises:
        Refusal: 403, with the permission that is missing.
    """
    missing = permission(method, path)
    if key is None or missing not in ledger.lacks.get(key, ()):
        return
    raise Refusal(
        f"The provided key '{PREFIXES[0]}***' does not have the required permissions for this "
        f"endpoint on account '{ACCOUNT}'. Having the '{missing}' permission would allow this "
        "request to continue.",
        status=FORBIDDEN,
        executed=False,
    )


def key_of(authorization: str | None) -> str | None:
    """The key of a request: `Bearer KEY`."""
    found = re.fullmatch(r"[Bb]earer\s+(\S+)", authorization or "")
    return found[1] if found else None
