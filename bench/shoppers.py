"""Customers of the stand-ins, as far as a measurement needs them."""

import base64
import json
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urljoin
from uuid import uuid4

import boto3
import stripe
import urllib3

from chalicelib.domain.record import tenant_id_of
from chalicelib.gateways.user_pool import UserPool

PASSWORD = "correct horse battery"  # noqa: S105 - made up
REGION = "us-east-1"


class Shopper:
    """Somebody signed in, by the user pool of the sandbox's AWS, reached without TLS."""

    def __init__(self, env: Mapping[str, str], aws: str) -> None:
        self._env = env
        session = boto3.Session("sandbox", "sandbox", region_name=REGION)
        self.table = session.resource("dynamodb", endpoint_url=aws).Table(env["TABLE_NAME"])
        pool = UserPool(
            env["USER_POOL_CLIENT_ID"],
            pool_id=env["JWT_ISSUER"].rpartition("/")[2],
            client_secret=env["USER_POOL_CLIENT_SECRET"],
            client=session.client("cognito-idp", endpoint_url=aws),
        )
        email = f"ada-{uuid4().hex[:8]}@example.com"
        pool.sign_up(email, PASSWORD)
        mail = urllib3.request("GET", f"{aws}/sandbox/mail?to={email}").json()
        pool.confirm(email, mail[0]["code"])
        self.token = str(pool.log_in(email, PASSWORD)["token"])
        self.tenant_id = tenant_id_of(env["JWT_ISSUER"], claims_of(self.token)["sub"])
        self.key = {"pk": f"TENANT#{self.tenant_id}", "sk": "RECORD"}

    def record(self) -> dict[str, Any]:
        """The record's item, as it stands."""
        return self.table.get_item(Key=self.key, ConsistentRead=True)["Item"]

    def put(self, item: Mapping[str, Any]) -> None:
        """Put a record back as it was."""
        self.table.put_item(Item=dict(item))

    def forget(self) -> None:
        """Be somebody who has not been here before."""
        self.table.delete_item(Key=self.key)

    def message(self) -> dict[str, Any]:
        """What the queue hands to the worker for this tenant."""
        record = {
            "messageId": "m", "receiptHandle": "r", "eventSource": "aws:sqs", "awsRegion": REGION,
            "body": json.dumps({"v": 1, "tenantId": self.tenant_id}), "messageAttributes": {},
            "attributes": {"ApproximateReceiveCount": "1"}, "md5OfBody": "",
            "eventSourceARN": f"arn:aws:sqs:{REGION}:123456789012:{self._env['QUEUE_NAME']}",
        }  # fmt: skip
        return {"Records": [record]}

    def asks_for_checkout(self) -> dict[str, Any]:
        """The button, pressed: what API Gateway hands to the API."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        path = "/api/subscriptions/create-checkout-session"
        return request(path, json.dumps({"planId": "basic"}), headers)

    def webhook(self, secret: str) -> dict[str, Any]:
        """A new event of Stripe's about this customer, signed now."""
        body = json.dumps(event_of(self.tenant_id))
        signature = stripe.WebhookSignature.generate_signature_header(body, secret)
        return request("/api/payments/webhook", body, {"stripe-signature": signature})


def event_of(tenant_id: str) -> dict[str, Any]:
    """An event about a subscription, about as long as Stripe's are."""
    file = Path(__file__).parents[1] / "sandbox/stripe/shapes.json"
    shapes = json.loads(file.read_text("utf-8"))
    items = {"object": "list", "data": [shapes["subscription_item"]] * 3}
    shape = {**shapes["subscription"], "items": items}
    metadata = {"tenant_id": tenant_id, "deployment": "arm-engine-dev"}
    subscription = {**shape, "object": "subscription", "customer": "cus_1", "metadata": metadata}
    return {
        "id": f"evt_{uuid4().hex}", "object": "event", "type": "customer.subscription.updated",
        "created": int(time.time()), "livemode": False, "api_version": None,
        "data": {"object": subscription},
    }  # fmt: skip


def request(path: str, body: str, headers: Mapping[str, str]) -> dict[str, Any]:
    """What API Gateway hands to a function for a POST."""
    return {
        "requestContext": {"resourcePath": path, "httpMethod": "POST", "requestId": "r"},
        "headers": dict(headers), "multiValueHeaders": {k: [v] for k, v in headers.items()},
        "pathParameters": {}, "stageVariables": None, "multiValueQueryStringParameters": None,
        "body": body, "isBase64Encoded": False,
    }  # fmt: skip


def pay(url: str) -> None:
    """Fill in the hosted page."""
    page = urllib3.request("GET", url).data.decode()
    action = re.search(r'<form[^>]*action="([^"]*)"', page)
    target = urljoin(url, action[1]) if action and action[1] else url
    form = {"card_number": "4242424242424242", "exp": "12/34", "cvc": "123"}
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    urllib3.request("POST", target, body=urlencode(form), headers=headers, redirect=False)


def claims_of(token: str) -> dict[str, Any]:
    """What a token says; nothing is verified here."""
    claims = token.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    return found
