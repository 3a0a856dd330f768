"""Transports under the real gateways: no socket, and every call passes through `Outside`."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import stripe
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError
from urllib3.exceptions import ProtocolError

from chalicelib.gateways.kubernetes_http import KubernetesHttp, fixed
from sandbox.kubernetes.cluster import Cluster
from sandbox.kubernetes.requests import Answer, Request, as_json, parse, target_of
from sandbox.kubernetes.statuses import Refusal
from sandbox.stripe.idempotency import in_use
from sandbox.stripe.state import Stripe
from tests.simulation import dynamodb
from tests.simulation.outside import Outside
from tests.simulation.remembering import Remembering

TOKEN = "provisioner"
KEY = "sk_test_simulation"

READ = {
    "list": ("object", "url", "has_more", "data"),
    "customer": ("id", "object", "deleted", "metadata"),
    "price": ("id", "object", "product", "lookup_key"),
    "checkout.session": (
        "id", "object", "status", "url", "expires_at", "payment_status", "subscription", "customer",
        "metadata",
    ),
    "billing_portal.session": ("id", "object", "url"),
    "billing_portal.configuration": ("id", "object", "metadata", "active"),
    "event": ("id", "object", "type", "created", "data"),
    "dispute": ("id", "object", "status", "charge"),
    "charge": ("id", "object", "customer"),
    "subscription": (
        "id", "object", "status", "created", "items", "metadata", "cancel_at_period_end",
        "cancel_at", "pause_collection", "ended_at", "trial_start",
    ),
    "subscription_item": ("id", "object", "price", "current_period_end"),
}  # fmt: skip
"""What the gateway reads of an answer. The SDK turns every field into an object of its own, which
is most of what a call costs: the others are left out, and one that is needed fails loudly."""


class TableWire:
    """boto3's DynamoDB client, as far as the gateway calls it."""

    def __init__(self, outside: Outside, table: dynamodb.MemoryDynamoDb) -> None:
        self._outside = outside
        self._table = table

    def __getattr__(self, name: str) -> Callable[..., dict[str, Any]]:
        """A call of that name."""
        served = getattr(self._table, name)
        writes = name not in {"get_item", "query"}

        def call(**arguments: Any) -> dict[str, Any]:
            def fails(how: str) -> Exception:
                return _table_error(name, how, arguments)

            def effect() -> dict[str, Any]:
                return served(**arguments)

            # boto3 sends a lost call again. A transaction carries a token that makes the second
            # one nothing; a single conditional write meets its own effect.
            again = (dict) if name == "transact_write_items" else effect
            return self._outside.call("table", name, effect, fails, again=again, writes=writes)

        return call


def _table_error(name: str, how: str, arguments: Mapping[str, Any]) -> Exception:
    if how == "away":
        return EndpointConnectionError(endpoint_url="https://dynamodb.test")
    if how == "lost":
        return ReadTimeoutError(endpoint_url="https://dynamodb.test")
    if how == "throttled":
        return dynamodb.error(name, "ProvisionedThroughputExceededException")
    if "TransactItems" in arguments:
        return dynamodb.cancelled(arguments["TransactItems"], {0: {"Code": "TransactionConflict"}})
    return dynamodb.error(name, "TransactionConflictException")


class QueueWire:
    """boto3's SQS client, as far as the gateway calls it."""

    def __init__(self, outside: Outside, queue: Any) -> None:
        self._outside = outside
        self._queue = queue
        self.get_queue_url = queue.get_queue_url

    def __getattr__(self, name: str) -> Callable[..., dict[str, Any]]:
        """A call of that name; a lost one is sent again, as boto3 does."""
        served = getattr(self._queue, name)

        def call(**arguments: Any) -> dict[str, Any]:
            def effect() -> dict[str, Any]:
                return served(**arguments)

            return self._outside.call("queue", name, effect, _queue_error, again=effect)

        return call


def _queue_error(how: str) -> Exception:
    if how == "throttled":
        return dynamodb.error("SendMessage", "RequestThrottled")
    if how == "lost":
        return ReadTimeoutError(endpoint_url="https://sqs.test")
    return EndpointConnectionError(endpoint_url="https://sqs.test")


class _Answered(Exception):
    """The system answered, with a failure."""

    def __init__(self, answer: Any) -> None:
        super().__init__()
        self.answer = answer


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
                    raise _Answered((json.dumps(refusal.body()), refusal.status, {}))
                self._under_way.add(key)
                mine.append(key)
            answer = self._account.call(verb, parts.path, pairs, lowered)
            self._on_call(verb, parts.path)
            return answer

        def fails(how: str) -> Exception:
            if how != "throttled":
                return stripe.APIConnectionError(f"the simulation: {how}", should_retry=True)
            if key is not None and self._coin():
                return _Answered(self._broken(parts.path, pairs, lowered))
            body = {"error": {"type": "invalid_request_error", "message": "Too many requests"}}
            return _Answered((json.dumps(body), 429, {}))

        mine: list[str] = []
        try:
            answer = self._outside.call("stripe", _named(verb, parts.path), effect, fails)
        except _Answered as e:
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
    fields = READ.get(str(body.get("object")))
    if fields is None:
        return body
    return {name: pruned(body[name]) for name in fields if name in body}


def _named(method: str, path: str) -> str:
    """The call without ids."""
    parts = [p for p in path.removeprefix("/v1/").split("/") if "_" not in p or p in _COLLECTIONS]
    return f"{method} {'/'.join(parts)}"


_COLLECTIONS = frozenset({"billing_portal", "payment_intents", "invoice_payments"})


class ClusterWire(KubernetesHttp):
    """The cluster's transport: what the official client would send goes to the stand-in."""

    def __init__(self, outside: Outside, cluster: Cluster, on_call: Callable[[Request], None]):
        super().__init__(fixed("https://cluster.test", None, TOKEN))
        self._outside = outside
        self._cluster = Remembering(cluster)
        self._on_call = on_call

    def _api(self, _access: Any) -> Any:
        return self

    def call_api(
        self,
        method: str,
        url: str,
        header_params: Mapping[str, str],
        body: Any = None,
        **_: Any,
    ) -> "_Raw":
        """One request, sent again when its answer is lost, as the pool does."""
        raw = json.dumps(body).encode() if body is not None else b""
        line = url.removeprefix("https://cluster.test")
        request = parse(method, line, header_params, raw)

        def effect() -> Answer:
            self._on_call(request)
            return self._cluster.handle(request, line)

        target = target_of(request.path)
        verb = method if target is None or target.name else "LIST"
        name = f"{verb} {target.kind.plural if target else request.path}"
        try:
            answer = self._outside.call("cluster", name, effect, _cluster_error, again=effect)
        except _Answered as e:
            answer = e.answer
        return _Raw(answer.status, _Body(answer.body))


@dataclass(frozen=True, slots=True)
class _Body:
    data: bytes


@dataclass(frozen=True, slots=True)
class _Raw:
    status: int
    response: _Body


def _cluster_error(how: str) -> Exception:
    if how == "throttled":
        refusal = Refusal(429, "the simulation: too many requests", "TooManyRequests")
        return _Answered(as_json(refusal.code, refusal.body))
    return ProtocolError(f"the simulation: {how}")
