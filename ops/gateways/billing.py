"""Stripe as an operator needs it: one event again, whose subscription, one customer whole."""

import json
from collections.abc import Callable
from typing import Any, TypeVar

import stripe

from chalicelib.domain import stripe_event
from chalicelib.domain.errors import Permanent, Temporary
from chalicelib.domain.stripe_event import StripeEvent
from chalicelib.gateways.stripe_errors import key_refused

T = TypeVar("T")
TIMEOUT = 20
SERVER_ERROR = 500
_ACTIVE: Any = {"status": "active", "limit": 100}


class Billing:
    """Raises Temporary and Permanent; None where Stripe does not know what was asked for."""

    def __init__(
        self,
        secret_key: str,
        *,
        api_base: str | None,
        http_client: stripe.HTTPClient | None = None,
    ) -> None:
        self._client = stripe.StripeClient(
            secret_key,
            base_addresses={"api": api_base} if api_base else {},
            max_network_retries=2,
            http_client=http_client or stripe.RequestsClient(timeout=TIMEOUT),
        ).v1

    def event(self, event_id: str) -> StripeEvent | None:
        """An event, as the webhook would have read it."""
        found = _call(lambda: self._client.events.retrieve(event_id))
        if found is None:
            return None
        return stripe_event.parse(json.dumps(found.to_dict(), default=str).encode())

    def customer_of(self, subscription_id: str) -> str | None:
        """Whose subscription this is."""
        found = _call(lambda: self._client.subscriptions.retrieve(subscription_id))
        if found is None:
            return None
        return found.customer if isinstance(found.customer, str) else found.customer.id

    def has_customer(self, customer_id: str) -> bool:
        """Whether Stripe has this customer, and has not deleted them."""
        found = _call(lambda: self._client.customers.retrieve(customer_id))
        return found is not None and not found.to_dict().get("deleted")

    def everything(self, customer_id: str) -> dict[str, Any]:
        """A customer as Stripe has them, with subscriptions, invoices and charges."""
        about: Any = {"customer": customer_id, "limit": 100}
        customer = _call(lambda: self._client.customers.retrieve(customer_id))
        if customer is None or customer.to_dict().get("deleted"):
            return {"id": customer_id, "deleted": True}
        lists: dict[str, Callable[[], Any]] = {
            "subscriptions": lambda: self._client.subscriptions.list(about | {"status": "all"}),
            "invoices": lambda: self._client.invoices.list(about),
            "charges": lambda: self._client.charges.list(about),
        }
        return {
            "customer": customer.to_dict(),
            **{name: _every(listed) for name, listed in lists.items()},
        }

    def active_subscriptions(self) -> list[dict[str, Any]]:
        """All that are active, whatever they are of."""
        return _every(lambda: self._client.subscriptions.list(_ACTIVE))

    def delete_customer(self, customer_id: str) -> None:
        """Delete a customer, which ends their subscriptions at once; one that is gone is fine."""
        _call(lambda: self._client.customers.delete(customer_id))


def _every(listed: Callable[[], Any]) -> list[dict[str, Any]]:
    found = _call(lambda: list(listed().auto_paging_iter()))
    return [item.to_dict() for item in found or []]


def _call(request: Callable[[], T]) -> T | None:
    """Stripe's answer; its errors in our words, without its messages, which quote input."""
    try:
        return request()
    except (stripe.APIConnectionError, stripe.RateLimitError) as e:
        raise Temporary(f"Stripe does not answer: {type(e).__name__}") from e
    except stripe.InvalidRequestError as e:
        if e.code == "resource_missing":
            return None
        raise Permanent(f"Stripe refuses: {e.code or type(e).__name__}") from e
    except (stripe.AuthenticationError, stripe.PermissionError) as e:
        raise Permanent(key_refused(e)) from e
    except stripe.StripeError as e:
        if (e.http_status or SERVER_ERROR) >= SERVER_ERROR:
            raise Temporary(f"Stripe fails: HTTP {e.http_status}") from e
        raise Permanent(f"Stripe refuses: {type(e).__name__}") from e
