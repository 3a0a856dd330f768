"""The real app, handlers and gateways in one process, over the stand-ins' state machines."""

# ruff: noqa: D102 - the vocabulary of the tests beside it: the names say it
import re
import time
from types import SimpleNamespace
from urllib.parse import urlsplit

import boto3
import jwt
import stripe
from chalice.local import LambdaContext
from flask import Flask

from chalicelib import wiring
from chalicelib.domain.due import DUE_SHARDS
from chalicelib.domain.labels import Labels
from chalicelib.domain.stripe_event import SUBSCRIBED
from chalicelib.entrypoints import worker
from chalicelib.gateways.cluster import KubernetesCluster
from chalicelib.gateways.kubernetes_http import KubernetesHttp, fixed
from chalicelib.gateways.stripe_api import StripeApi
from ops import plans
from sandbox.kubernetes.authorization import ADMIN
from sandbox.kubernetes.cluster import Cluster
from sandbox.kubernetes.requests import parse
from sandbox.stripe.invoice_page import invoice_pages
from sandbox.stripe.pages import hosted_pages
from sandbox.stripe.portal import portal_pages
from sandbox.stripe.state import Stripe
from sandbox.stripe.transport import InMemory
from sandbox.worker import events
from tests.contract.known import ISSUER, JWT_SECRET, SETTINGS

DAY = 24 * 3600
PAYS = "4242424242424242"
FAILS_LATER = "4000000000000341"
IS_DISPUTED = "4000000000000259"
TOKEN = "provisioner"


class KubernetesInMemory(KubernetesHttp):
    """The cluster's transport, straight into the stand-in."""

    def __init__(self, cluster):
        super().__init__(fixed("https://cluster.test", None, TOKEN))
        self._cluster = cluster
        self.away = False

    def _connections(self, _access):
        return SimpleNamespace(request=self._send)

    def _send(self, method, url, headers, body):
        if self.away:
            raise ConnectionError
        parts = urlsplit(url)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        answer = self._cluster.handle(parse(method, target, headers, (body or "").encode()))
        return SimpleNamespace(status=answer.status, data=answer.body)


class World:
    """One shop and its outside. `offset` is what its clock is ahead of the wall clock."""

    def __init__(self, api, aws, catalogue):
        self.api, self.aws = api, aws
        self.offset = 0
        self.stripe = Stripe(self.now)
        self.ledger = self.stripe.ledger
        self.sdk = stripe.StripeClient("sk_test_1", http_client=InMemory(self.stripe)).v1
        plans.push(
            stripe.StripeClient("sk_test_1", http_client=InMemory(self.stripe)), catalogue, "dev"
        )
        self.cluster = Cluster({TOKEN: ADMIN}, clock=self.now)
        self.kubernetes = KubernetesInMemory(self.cluster)
        self.payments = StripeApi(
            "sk_test_1", deployment="arm-engine-dev", http_client=InMemory(self.stripe)
        )
        self.hosted = Flask("hosted")
        self.hosted.register_blueprint(hosted_pages(self.stripe))
        self.hosted.register_blueprint(portal_pages(self.stripe))
        self.hosted.register_blueprint(invoice_pages(self.stripe))
        self.deliver = lambda new: new
        self.delivered = set()
        self._told = len(self.ledger.tables["event"])
        self._sqs = boto3.client("sqs")
        self._table = boto3.resource("dynamodb").Table(SETTINGS["TABLE_NAME"])
        self._queue = self._sqs.get_queue_url(QueueName=SETTINGS["QUEUE_NAME"])["QueueUrl"]

    def now(self):
        return time.time() + self.offset

    def gateway(self):
        return KubernetesCluster(self.kubernetes, Labels.of(wiring.catalogue().product))

    def settle(self):
        """Deliver what happened, sweep, and work until nothing waits."""
        for _ in range(20):
            new = list(self.ledger.tables["event"].values())[self._told :]
            self._told += len(new)
            for event in self.deliver([e for e in new if e["type"] in SUBSCRIBED]):
                status, body = self.api.event(event)
                assert status == 200, body
                self.delivered.add(event["id"])
            self.sweep()
            worked = self.work()
            self.cluster.finish_deletions()
            if not worked and self._told == len(self.ledger.tables["event"]):
                return
        raise AssertionError("it never comes to rest")

    def lose_events(self):
        """Nothing is delivered from now on, and Stripe's list says so."""
        self.delivered.update(self.ledger.tables["event"])
        self.deliver = lambda _: []
        self.ledger.owed = lambda event_id: int(event_id not in self.delivered)

    def sweep(self):
        worker.on_schedule(events.of_schedule("sweep", "eu-central-1"), LambdaContext("s", 256))

    def work(self):
        worked = 0
        while got := self._sqs.receive_message(
            QueueUrl=self._queue, MessageSystemAttributeNames=["All"]
        ).get("Messages"):
            event = events.of_message(got[0], SETTINGS["QUEUE_NAME"], "eu-central-1")
            event["Records"][0]["attributes"]["ApproximateReceiveCount"] = "5"
            worker.on_tenant_message(event, LambdaContext("worker", 512))
            self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=got[0]["ReceiptHandle"])
            worked += 1
        return worked

    def advance(self, seconds):
        """Time goes on; what falls due on the way happens on its day."""
        self.settle()
        target = int(self.now()) + seconds
        for _ in range(500):
            due = [t for t in (self.stripe.next_due(), self._next_due()) if t is not None]
            moment = min([target, *(t for t in due if t > int(self.now()))])
            self.offset += max(0, moment + 1 - int(self.now()))
            self.stripe.catch_up()
            self.settle()
            if moment >= target:
                return
        raise AssertionError("time stands still")

    def _next_due(self):
        found = [
            item
            for shard in range(DUE_SHARDS)
            for item in self._table.query(
                IndexName="due",
                KeyConditionExpression="due_shard = :s",
                ExpressionAttributeValues={":s": str(shard)},
                Limit=1,
            )["Items"]
        ]
        return min((int(item["due_at"]) for item in found), default=None)

    def customer(self, name="ada", **claims):
        return Customer(self, name, claims)

    def namespaces(self):
        """The cluster's own word: by tenant."""
        return {ns.tenant_id: ns for ns in self.gateway().namespaces()}


class Customer:
    """Somebody signed in, and what they do."""

    def __init__(self, world, name, more):
        self.world = world
        claims = {
            "sub": name, "iss": ISSUER, "aud": "client", "exp": time.time() + 600,
            "token_use": "id", "email": f"{name}@example.com",
        }  # fmt: skip
        self._token = jwt.encode(claims | more, JWT_SECRET, "HS256")
        self.user = wiring.tokens().user(self._token)
        self.tenant_id = self.user.tenant_id

    def call(self, method, path, body=None):
        return self.world.api.call(method, f"/api/subscriptions/{path}", body, token=self._token)

    def checkout(self, plan="basic"):
        return self.call("POST", "create-checkout-session", {"planId": plan})

    def open(self, plan="basic"):
        status, body = self.checkout(plan)
        assert status == 200, body
        return body["checkoutUrl"]

    def refused(self, plan="basic"):
        status, body = self.checkout(plan)
        assert status == 409, body
        return body["error"]["code"]

    def pay(self, url, card=PAYS, **more):
        form = {"card_number": card, "exp": "12/40", "cvc": "123"} | more
        return self.world.hosted.test_client().post(urlsplit(url).path, data=form).status_code

    def buy(self, plan="basic", card=PAYS, **more):
        assert self.pay(self.open(plan), card, **more) == 303
        self.world.settle()
        return self.subscription

    def portal(self, action, **form):
        status, body = self.call("POST", "create-portal-session")
        assert status == 200, body
        path = urlsplit(body["portalUrl"]).path
        client = self.world.hosted.test_client()
        page = client.get(path)
        assert page.status_code == 200
        if plan := form.pop("plan", None):
            key = f"arm-engine-dev-{plan}"
            (price,) = self.world.ledger.all("price", lookup_key=key)
            assert re.search(price["id"], page.text), "the portal does not offer it"
            form["price"] = price["id"]
        form = {"subscription": self.subscription["id"], "action": action} | form
        assert client.post(path, data=form).status_code == 303
        self.world.settle()

    @property
    def status(self):
        code, body = self.call("GET", "status")
        assert code == 200
        return body

    @property
    def short(self):
        """Status, entitlement, plan and the tenant's state."""
        now = self.status
        return now["status"], now["active"], now["planId"], now["tenant"]["state"]

    @property
    def record(self):
        return wiring.records().read(self.tenant_id)

    @property
    def customer_id(self):
        return self.record.customer_id

    @property
    def subscriptions(self):
        ids = [c for c in [*self.world.ledger.tables["customer"], *self.world.ledger.deleted]
               if self.world._table.get_item(Key={"pk": f"CUSTOMER#{c}", "sk": "TENANT"})
               .get("Item", {}).get("tenant_id") == self.tenant_id]  # fmt: skip
        return [
            s for s in self.world.ledger.tables["subscription"].values() if s["customer"] in ids
        ]

    @property
    def subscription(self):
        return self.subscriptions[-1]

    @property
    def lines(self):
        found = self.world.aws.items(f"TENANT#{self.tenant_id}")
        return [item["text"] for (_, sk), item in sorted(found.items()) if sk.startswith("LINE#")]
