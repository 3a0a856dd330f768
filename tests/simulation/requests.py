"""Requests to the real app, as API Gateway hands them to Lambda: customers' and Stripe's."""

import base64
import json
from collections.abc import Callable
from typing import Any

from app import app
from sandbox.stripe.webhooks import signature
from tests.simulation.account import Delivery
from tests.simulation.deployment import SECRET, token
from tests.simulation.scheduler import Activity

World = Any
API_TIMEOUT = 28
"""Seconds; API Gateway waits no longer."""


def ask(
    world: World,
    who: Any,
    method: str,
    path: str,
    body: dict[str, Any] | None = None,
    then: Callable[[int | None, Any], None] = lambda *_: None,
) -> None:
    """A request of a signed-in customer; None for a status if no answer came."""
    headers = {
        "authorization": f"Bearer {token(who.name)}",
        "content-type": "application/json",
    }
    event = http_event(method, path, headers, json.dumps(body) if body is not None else None)

    def over(activity: Activity) -> None:
        if activity.killed or activity.result is None:
            then(None, None)
            return
        status, answer = activity.result["statusCode"], json.loads(activity.result["body"])
        code = answer.get("error", {}).get("code") if status >= 400 else ""
        world.tell(f"{who.name} is answered {status} {code}".rstrip())
        world.watch.answered(path, status, answer)
        then(status, answer)

    who.asked += 1
    key = f"{path} {who.asked}"
    world.start("api", who.name, key, lambda: app(event, None), limit=API_TIMEOUT, then=over)


def read_status(world: World, who: Any) -> None:
    """Look at the dashboard, and judge what is read."""
    began = world.scheduler.now

    def then(status: int | None, answer: Any) -> None:
        if status == 200:
            world.tell(f"{who.name} reads: {answer['status']} ({answer['planId']})")
            world.watch.has_read(who, began, answer)

    ask(world, who, "GET", "/api/subscriptions/status", None, then)


def deliver(world: World, delivery: Delivery) -> None:
    """One attempt of Stripe's to deliver an event."""
    if world.account.lost_until > world.scheduler.now and not world.outside.calm:
        world.account.done(delivery, accepted=False)
        return
    headers = {
        "stripe-signature": signature(delivery.body, SECRET, int(world.scheduler.now)),
        "content-type": "application/json",
    }
    raw = base64.b64encode(delivery.body).decode()
    event = http_event("POST", "/api/payments/webhook", headers, raw, encoded=True)

    def over(activity: Activity) -> None:
        status = None if activity.killed else activity.result["statusCode"]
        if status == 200:
            world.watch.acknowledged(delivery, world.sent.get(id(activity), set()))
        elif status == 500:
            world.wrong(f"the webhook answers 500 to {delivery.type}")
        world.account.done(delivery, accepted=status == 200)

    name = world.name_of(delivery.tenant_id or "")
    world.tell(f"Stripe delivers {delivery.type} {delivery.event}")
    key = f"{delivery.event} {delivery.attempts}"
    world.start("webhook", name, key, lambda: app(event, None), limit=API_TIMEOUT, then=over)


def http_event(
    method: str, path: str, headers: dict[str, str], body: str | None, *, encoded: bool = False
) -> dict[str, Any]:
    """A request as API Gateway hands it to Lambda."""
    return {
        "resource": path,
        "path": path,
        "httpMethod": method,
        "headers": headers,
        "multiValueHeaders": {},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {"resourcePath": path, "httpMethod": method, "requestId": "r"},
        "body": body,
        "isBase64Encoded": encoded,
    }
