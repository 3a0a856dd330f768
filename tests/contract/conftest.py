"""AWS in memory (moto's own state machines), the real app over it, and a signed-in customer."""

import json
import os
import time
from collections import Counter

import boto3
import jwt
import pytest
import stripe
from chalice.test import Client
from moto import mock_aws

import app
from chalicelib import wiring
from sandbox import seed
from tests.conftest import forget
from tests.contract.known import ISSUER, JWT_SECRET, SECRET, SETTINGS
from tests.serving import part


def deployed(monkeypatch):
    """The environment of a deployment, and nothing else of the kind."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "STRIPE_", "JWT_", "KUBE")):
            monkeypatch.delenv(name)
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def settings(monkeypatch):
    """The environment of a deployment, and nothing cached from another."""
    deployed(monkeypatch)
    forget()
    yield monkeypatch
    forget()


@pytest.fixture
def aws(settings):
    """The table and the queue, empty; counts every call by its name."""
    with mock_aws():
        boto3.client("dynamodb").create_table(
            TableName=SETTINGS["TABLE_NAME"],
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[
                {"AttributeName": "pk", "AttributeType": "S"},
                {"AttributeName": "sk", "AttributeType": "S"},
                {"AttributeName": "due_shard", "AttributeType": "S"},
                {"AttributeName": "due_at", "AttributeType": "N"},
            ],
            GlobalSecondaryIndexes=[
                {
                    "IndexName": "due",
                    "KeySchema": [
                        {"AttributeName": "due_shard", "KeyType": "HASH"},
                        {"AttributeName": "due_at", "KeyType": "RANGE"},
                    ],
                    "Projection": {"ProjectionType": "ALL"},
                }
            ],
        )
        queue = boto3.client("sqs").create_queue(
            QueueName=SETTINGS["QUEUE_NAME"], Attributes={"FifoQueue": "true"}
        )
        yield Aws(queue["QueueUrl"])


class Aws:
    """What the tests look at: calls made, messages waiting, items stored."""

    def __init__(self, queue_url):
        self._queue_url = queue_url
        self.calls = Counter()
        for client in (wiring._db()._client, wiring.queue()._client):
            client.meta.events.register("before-call", self._count)
        wiring.queue()._url  # noqa: B018 - once per container, so not counted per event

    def _count(self, model, **_):
        self.calls[model.name] += 1

    def messages(self):
        """The keys that wait in the queue, taken off it."""
        sqs, keys = boto3.client("sqs"), []
        while got := sqs.receive_message(QueueUrl=self._queue_url).get("Messages"):
            keys.append(json.loads(got[0]["Body"]))
            sqs.delete_message(QueueUrl=self._queue_url, ReceiptHandle=got[0]["ReceiptHandle"])
        return keys

    def forget(self, tenant_id):
        """Take everything away that the table knows of a tenant."""
        table = boto3.resource("dynamodb").Table(SETTINGS["TABLE_NAME"])
        for (pk, sk), item in self.items().items():
            if tenant_id in pk or item.get("tenant_id") == tenant_id:
                table.delete_item(Key={"pk": pk, "sk": sk})

    def items(self, prefix=""):
        """All items, by their keys."""
        found = boto3.resource("dynamodb").Table(SETTINGS["TABLE_NAME"]).scan()["Items"]
        return {(i["pk"], i["sk"]): i for i in found if i["pk"].startswith(prefix)}


class Api:
    """The app as API Gateway calls it."""

    def __init__(self, http):
        self._http = http

    def call(self, method, path, body=None, headers=None, token=None):
        """Status and body, read as JSON."""
        headers = {"Content-Type": "application/json"} | (headers or {})
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if isinstance(body, dict):
            body = json.dumps(body).encode()
        answer = self._http.request(method, path, headers=headers, body=body or b"")
        return answer.status_code, json.loads(answer.body) if answer.body else None

    def event(self, event, secret=SECRET, at=None):
        """Deliver an event as Stripe does."""
        payload = json.dumps(event)
        header = stripe.WebhookSignature.generate_signature_header(payload, secret, at)
        return self.call(
            "POST", "/api/payments/webhook", payload.encode(), {"Stripe-Signature": header}
        )


@pytest.fixture
def api(aws):
    """The real app, with the table and the queue behind it."""
    with Client(app.app, stage_name="none") as client:  # the settings are the fixture's
        yield Api(client.http)


@pytest.fixture
def token():
    """A maker of ID tokens, right in all that is not given."""

    def make(key=JWT_SECRET, algorithm="HS256", **claims):
        usual = {
            "sub": "u-1", "iss": ISSUER, "aud": "client", "exp": time.time() + 600,
            "token_use": "id", "email": "ada@example.com",
        }  # fmt: skip
        claims = {k: v for k, v in (usual | claims).items() if v is not None}
        return jwt.encode(claims, key, algorithm)

    return make


@pytest.fixture(scope="session")
def aws_server():
    """The sandbox's AWS as it runs: a process of its own, which `mock_aws` here cannot empty."""
    with part("aws") as url:
        yield url


@pytest.fixture(scope="session")
def session():
    """Credentials that are good for nothing else."""
    return boto3.Session("sandbox", "sandbox", region_name="us-east-1")


@pytest.fixture(scope="session")
def resources(aws_server, session):
    """Table, queues and pool, as the sandbox makes them."""
    return seed.on_aws("arm-engine-dev", "arm-engine-dev-tenants.fifo", session, aws_server)
