"""The SDK's transport onto the Stripe stand-in: every call passes through `Outside`."""

import functools
import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import stripe

from sandbox.stripe.idempotency import in_use
from sandbox.stripe.objects import shape
from sandbox.stripe.state import Stripe
from tests.simulation.outside import Answered, Outside

READ = {
    "list": ("object", "url", "has_more", "data"),
    "customer": ("id", "object", "deleted", "metadata"),
    "price": ("id", "object", "product", "lookup_key", "active"),
    "item": ("id", "object", "price"),
    "checkout.session": (
        "id", "object", "status", "url", "expires_at", "payment_status", "subscription", "customer",
        "metadata", "line_items",
    ),
    "billing_portal.session": ("id", "object", "url"),
    "billing_portal.configuration": ("id", "object", "metadata", "active"),
    "event": ("id", "object", "type", "created", "data"),
    "dispute": ("id", "object", "status", "charge"),
    "charge": ("id", "object", "customer", "metadata"),
    "invoice": ("id", "object", "customer", "metadata", "parent", "amount_remaining",
                "collection_method"),
    "payment_intent": ("id", "object", "customer", "metadata"),
    "subscription": (
        "id", "object", "status", "customer", "created", "items", "metadata", "cancel_at_period_end",
        "cancel_at", "pause_collection", "ended_at", "trial_start",
    ),
    "subscription_item": ("id", "object", "price", "current_period_end", "quantity"),
}  # fmt: skip
"""What the gateway reads of an answer. The SDK turns every field into an object of its own, which
is most of what a call costs: the others are left out, and whoever reads one of those is told."""

_READ_FIELD = stripe.StripeObject.__getattr__


class LeftOut(Exception):
    """A field that Stripe sends and the simulation does not: it belongs into `READ`."""


def read_field(obj: Any, name: str) -> Any:
    """In place of `StripeObject.__getattr__`: a field that is left out here is not one that is null."""
    try:
        return _READ_FIELD(obj, name)
    except AttributeError:
        kind = obj._data.get("object")
        if not name.startswith("_") and name in _left_out(kind if isinstance(kind, str) else ""):
            raise LeftOut(f"{kind}.{name} is read, and not in READ") from None
        raise


@functools.cache
def _left_out(kind: str) -> frozenset[str]:
    return frozenset(shape(kind)) - set(READ[kind]) if kind in READ else frozenset()


class StripeWire(stripe.HTTPClient):
    """The SDK's transport onto the stand-in; the SDK retries by itself, under the same key."""

    name = "simulation"

    def __init__(
        self,
        outside: Outside,
        account: Stripe,
        on_call: Callable[[str, str], None],
        ghosts: set[str],
    ) -> None:
        """`ghosts` gets the ids of what was made by calls that were answered with a failure."""
        super().__init__()
        self._ghosts = ghosts
        self._under_way: set[str] = set()
        self._outside = outside
        self._account = account
        self._on_call = on_call

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        post_data: Any = None,
        **_: Any,
    ) -> tuple[str, int, Mapping[str, str]]:
        """One request."""
        parts = urlsplit(url)
        pairs = parse_qsl(parts.query, keep_blank_values=True)
        pairs += parse_qsl(post_data or "", keep_blank_values=True)
        lowered = {name.lower(): value for name, value in headers.items()}
        verb = method.upper()

        key = lowered.get("idempotency-key") if verb == "POST" else None

        def effect() -> Any:
            if key is not None:
                if key in self._under_way:
                    refusal = in_use(key)
                    raise Answered((json.dumps(refusal.body()), refusal.status, {}))
                self._under_way.add(key)
                mine.append(key)
            answer = self._account.call(verb, parts.path, pairs, lowered)
            self._on_call(verb, parts.path)
            return answer

        def fails(how: str) -> Exception:
            if how != "throttled":
                return stripe.APIConnectionError(f"the simulation: {how}", should_retry=True)
            if key is not None and self._coin():
                return Answered(self._broken(parts.path, pairs, lowered))
            body = {"error": {"type": "invalid_request_error", "message": "Too many requests"}}
            return Answered((json.dumps(body), 429, {}))

        mine: list[str] = []
        try:
            answer = self._outside.call("stripe", _named(verb, parts.path), effect, fails)
        except Answered as e:
            body, status, more = e.answer
            return body, status, more
        finally:
            self._under_way.difference_update(mine)
        return json.dumps(pruned(answer.body)), answer.status, answer.headers

    def _coin(self) -> bool:
        return self._outside.toss()

    def _broken(self, path: str, pairs: Any, headers: Mapping[str, str]) -> Any:
        """A 500 that Stripe repeats under its key; what was asked for may have been done."""
        if self._coin():
            made = self._account.call("POST", path, pairs, {})
            self._ghosts.add(str(made.body.get("id")))
        self._account.trouble.set({"errors": 1})
        answer = self._account.call("POST", path, pairs, headers)
        self._on_call("POST", path)
        return json.dumps(answer.body), answer.status, answer.headers

    def close(self) -> None:
        """Nothing is open."""


def pruned(body: Any) -> Any:
    """What the gateway reads of an answer."""
    if isinstance(body, list):
        return [pruned(each) for each in body]
    if not isinstance(body, dict):
        return body
    kind = body.get("object")
    fields = READ.get(kind, body) if isinstance(kind, str) else body
    return {name: pruned(body[name]) for name in fields if name in body}


def _named(method: str, path: str) -> str:
    """The call without ids."""
    parts = [p for p in path.removeprefix("/v1/").split("/") if "_" not in p or p in _COLLECTIONS]
    return f"{method} {'/'.join(parts)}"


_COLLECTIONS = frozenset({"billing_portal", "payment_intents", "invoice_payments"})
