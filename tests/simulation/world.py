"""One history's world: the real code, its outside in memory, and everybody who acts on it."""

import base64
import functools
import json
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any, Self
from unittest.mock import patch

import jwt
import stripe
from botocore.exceptions import BotoCoreError, ClientError

from app import app
from chalicelib import wiring
from chalicelib.config import Settings
from chalicelib.domain import catalogue_file, templates, tenant
from chalicelib.domain.catalogue import Catalogue
from chalicelib.domain.errors import Temporary, Waiting
from chalicelib.domain.labels import Labels
from chalicelib.domain.record import User
from chalicelib.entrypoints import metrics, webhooks
from chalicelib.gateways import cluster as cluster_gateway
from chalicelib.gateways import dynamodb as table_gateway
from chalicelib.gateways import side_by_side
from chalicelib.gateways.cluster import KubernetesCluster
from chalicelib.gateways.dynamodb import DynamoDb
from chalicelib.gateways.queue import SqsQueue
from chalicelib.gateways.stripe_api import StripeApi
from chalicelib.gateways.nudges import NudgeTable
from chalicelib.gateways.table import Table
from chalicelib.gateways.tokens import Tokens
from chalicelib.gateways.wire import loaded
from sandbox.kubernetes.authorization import ADMIN
from sandbox.kubernetes.cluster import Cluster
from sandbox.kubernetes.requests import parse
from sandbox.stripe.webhooks import signature
from tests.simulation import acts, oracle, watching
from tests.simulation.account import Account, Delivery
from tests.simulation.dynamodb import MemoryDynamoDb
from tests.simulation.history import START, History
from tests.simulation.outside import Outside
from tests.simulation.scheduler import Activity, Scheduler
from tests.simulation.sqs import MemorySqs
from tests.simulation.wires import KEY, TOKEN, ClusterWire, QueueWire, StripeWire, TableWire
from tests.simulation.worker import QUEUE, EventSource, Schedule

ISSUER = "https://issuer.test"
JWT_SECRET = "a shared secret of more than 32 bytes"
SECRET = "whsec_simulation"
API_TIMEOUT = 28
PATIENCE = 86_400
"""Seconds in which everything must come to rest once nothing disturbs it."""

SETTINGS = Settings.from_env(
    {
        "STAGE": "dev",
        "TABLE_NAME": "arm-engine-dev",
        "QUEUE_NAME": QUEUE,
        "SITE_URL": "https://shop.test",
        "CHECKOUT_SUCCESS_URL": "https://shop.test/ok?session_id={CHECKOUT_SESSION_ID}",
        "CHECKOUT_CANCEL_URL": "https://shop.test/no",
        "STRIPE_SECRET_KEY": KEY,
        "STRIPE_WEBHOOK_SECRET": SECRET,
        "JWT_ISSUER": ISSUER,
        "JWT_AUDIENCE": "client",
        "JWT_SECRET": JWT_SECRET,
        "KUBE_SERVER": "https://cluster.test",
        "KUBE_TOKEN": TOKEN,
    }
)
TEMPLATES = {
    "basic": """
apiVersion: apps/v1
kind: Deployment
metadata: {name: product}
spec:
  replicas: 2
  selector: {matchLabels: {app: product}}
  template:
    metadata: {labels: {app: product}}
    spec: {containers: [{name: product, image: "registry.test/product:{{plan}}"}]}
""",
    "pro": """
apiVersion: v1
kind: ConfigMap
metadata: {name: extras}
data: {tenant: "{{tenant}}"}
""",
}
"""An adopter's own objects, by plan: some run, and some leave with a change of plan."""


def _catalogue() -> Catalogue:
    text = Path(wiring.__file__).with_name("plans.toml").read_text("utf-8")
    found = catalogue_file.parse(text)
    plans = tuple(replace(p, folder=p.id if p.id in TEMPLATES else None) for p in found.plans)
    read = lambda folder: {"objects.yaml": TEMPLATES[folder]}  # noqa: E731 - one line of a test
    return templates.loaded(replace(found, plans=plans), read)


CATALOGUE = _catalogue()
PLAN_OF = {CATALOGUE.product_id("dev", plan): plan.id for plan in CATALOGUE.paid_plans}
TOKENS = Tokens(issuer=ISSUER, audience="client", jwks_url=None, secret=JWT_SECRET)


@functools.cache
def _token(name: str) -> str:
    claims = {
        "sub": name, "iss": ISSUER, "aud": "client", "exp": 4_000_000_000, "token_use": "id",
        "email": f"{name}@example.com",
    }  # fmt: skip
    return jwt.encode(claims, JWT_SECRET, "HS256")


@dataclass(slots=True)
class Customer:
    """Somebody who buys: what their browser knows, and what they were told."""

    name: str
    tenant_id: str
    namespace: str
    runs: int = 0
    asked: int = 0
    tabs: list[str] = field(default_factory=list)
    readings: list[tuple[float, float, dict[str, Any]]] = field(default_factory=list)


class World:
    """Everything of one history, and what was seen to be wrong in it."""

    def __init__(self, history: History, *, telling: bool = False) -> None:
        self.history = history
        self.scheduler = Scheduler(START)
        self.scheduler.on_switch = lambda: getattr(app, "current_request", None)
        self.scheduler.restore = lambda request: setattr(app, "current_request", request)
        self.outside = Outside(self.scheduler, history.weather)
        self.who = "t"
        self.story: list[tuple[float, str]] | None = [] if telling else None
        self.broken: list[str] = []
        self.by_hand: set[str] = set()
        self.ghosts: set[str] = set()
        self.foreign: set[str] = set()
        self.put_right: list[Callable[[], None]] = []
        self.live: set[Activity] = set()
        self.sent: dict[int, set[str]] = {}
        self._ids = 0
        self.customers: dict[str, Customer] = {}
        for name in history.names:
            tenant_id = User(ISSUER, name).tenant_id
            self.customers[name] = Customer(
                name, tenant_id, tenant.namespace_of(CATALOGUE, tenant_id)
            )
        self._names = {c.tenant_id: c.name for c in self.customers.values()}
        self.table = MemoryDynamoDb()
        self.table.on_write.append(self._written)
        self.queue = MemorySqs(lambda: self.scheduler.now)
        self.queue.on_send = self._took_message
        self.cluster = Cluster({TOKEN: ADMIN}, self._terminating, lambda: self.scheduler.now)
        self.account = Account(self, CATALOGUE, "dev")
        self.watch = watching.Watch(self)
        self.account.on_event.append(self._event)
        self.queue_wire = QueueWire(self.outside, self.queue)
        db = DynamoDb("arm-engine-dev", TableWire(self.outside, self.table))
        self.records, self.nudges = Table(db), NudgeTable(db)
        self.sqs = SqsQueue(QUEUE, self.queue_wire)  # type: ignore[arg-type]
        wire = StripeWire(self.outside, self.account.stripe, self._asked_stripe, self.ghosts)
        self.payments = StripeApi(KEY, http_client=wire, deployment=CATALOGUE.deployment("dev"))
        self.kubernetes = KubernetesCluster(
            ClusterWire(self.outside, self.cluster, self.watch.asked_the_cluster),
            Labels.of(CATALOGUE.product),
        )
        self.source = EventSource(self, self.queue)
        self.schedule = Schedule(self, self._next_due)

    # What the real code gets in place of its factories.

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """The real entry points over this world, and its time as everybody's time."""
        with (
            patch.multiple(
                wiring,
                settings=lambda: SETTINGS,
                _parameters=lambda: None,
                catalogue=lambda: CATALOGUE,
                records=lambda: self.records,
                nudges=lambda: self.nudges,
                queue=lambda: self.sqs,
                payments=lambda: self.payments,
                cluster=lambda: self.kubernetes,
                tokens=lambda: TOKENS,
                clock=lambda: self._clock,
                new_id=self.new_id,
            ),
            patch.object(time, "time", lambda: self.scheduler.now),
            patch.object(time, "sleep", self.scheduler.sleep),
            patch.object(table_gateway, "random", self),
            patch.object(cluster_gateway, "ThreadPoolExecutor", self._pool),
            patch.object(side_by_side, "ThreadPoolExecutor", self._pool),
            patch.object(webhooks, "time", time),
            patch.object(metrics, "_write", lambda *_: None),  # standard output is the story's
            # The SDK words a log line for every call, whether or not anybody logs.
            patch.object(stripe._util, "logfmt", lambda _: ""),
            self._logged(),
        ):
            yield

    @contextmanager
    def _logged(self) -> Iterator[None]:
        if self.story is None:
            before = logging.root.manager.disable
            logging.disable(logging.CRITICAL)
            try:
                yield
            finally:
                logging.disable(before)
            return
        logger, handler = logging.getLogger("arm"), _Teller(self)
        logger.addHandler(handler)
        propagates, logger.propagate = logger.propagate, False
        try:
            yield
        finally:
            logger.removeHandler(handler)
            logger.propagate = propagates

    def _pool(self, **_: Any) -> "_Pool":
        return _Pool(self)

    def _clock(self) -> float:
        """Each process's clock is off by a little of its own."""
        strand, skew = self.scheduler.current, self.history.weather.skew
        if strand is None or not skew or self.outside.calm:
            return self.scheduler.now
        return self.scheduler.now + (strand.activity.skew * 2 - 1) * skew

    def uniform(self, low: float, high: float) -> float:
        """In place of `random.uniform` for the table's jitter."""
        strand = self.scheduler.current
        return strand.activity.random.uniform(low, high) if strand else low

    def new_id(self) -> str:
        """An id that only this history has."""
        self._ids += 1
        strand = self.scheduler.current
        who = (strand and strand.activity.tenant) or "o"
        return f"{who}{self._ids:04}"

    # Random numbers and activities.

    def random(self, key: str) -> Random:
        """A stream of its own for everything that has a name."""
        digest = sha256(f"{self.history.seed} {key}".encode()).digest()
        return Random(int.from_bytes(digest[:8], "big"))  # noqa: S311 - a simulation

    def start(
        self,
        kind: str,
        name: str | None,
        key: str,
        work: Callable[[], Any],
        *,
        limit: float | None = None,
        then: Callable[[Activity], None] | None = None,
    ) -> Activity:
        """Begin an activity now; it may die on the way."""
        random = self.random(f"{kind} {name} {key}")
        activity = Activity(
            self.scheduler,
            kind,
            name,
            random,
            work,
            then=lambda a: self._over(a, then),
            limit=limit,
        )
        activity.skew = random.random()
        self.live.add(activity)
        self.outside.doom(activity)
        activity.start()
        return activity

    def _over(self, activity: Activity, then: Callable[[Activity], None] | None) -> None:
        self.live.discard(activity)
        self.outside.forget(activity)
        if activity.killed:
            self.tell(f"the {activity.kind} process is gone")
        elif activity.error is not None and not isinstance(activity.error, Temporary | Waiting):
            expected = isinstance(activity.error, BotoCoreError | ClientError)
            if not expected:
                self.wrong(f"the {activity.kind} raised {activity.error!r}")
        if then:
            then(activity)
        self.sent.pop(id(activity), None)
        self.schedule.wake()

    def insist(self, kind: str, who: Customer, work: Callable[[], None]) -> None:
        """What a person does again until it has worked."""

        def then(activity: Activity) -> None:
            if activity.killed or activity.error is not None:
                self.scheduler.at(self.scheduler.now + 60, lambda: self.insist(kind, who, work))

        who.asked += 1
        self.start(kind, who.name, f"insisting {who.asked}", work, then=then)

    # Requests.

    def ask(
        self,
        who: Customer,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        then: Callable[[int | None, Any], None] = lambda *_: None,
    ) -> None:
        """A request of a signed-in customer; None for a status if no answer came."""
        headers = {
            "authorization": f"Bearer {_token(who.name)}",
            "content-type": "application/json",
        }
        event = _event(method, path, headers, json.dumps(body) if body is not None else None)

        def over(activity: Activity) -> None:
            if activity.killed or activity.result is None:
                then(None, None)
                return
            status, answer = activity.result["statusCode"], json.loads(activity.result["body"])
            code = answer.get("error", {}).get("code") if status >= 400 else ""
            self.tell(f"{who.name} is answered {status} {code}".rstrip())
            self.watch.answered(path, status, answer)
            then(status, answer)

        who.asked += 1
        key = f"{path} {who.asked}"
        self.start("api", who.name, key, lambda: app(event, None), limit=API_TIMEOUT, then=over)

    def read_status(self, who: Customer) -> None:
        """Look at the dashboard, and judge what is read."""
        began = self.scheduler.now

        def then(status: int | None, answer: Any) -> None:
            if status == 200:
                who.readings.append((began, self.scheduler.now, answer))
                self.tell(f"{who.name} reads: {answer['status']} ({answer['planId']})")
                self.watch.has_read(who, began, answer)

        self.ask(who, "GET", "/api/subscriptions/status", None, then)

    def deliver(self, delivery: Delivery) -> None:
        """One attempt of Stripe's to deliver an event."""
        if self.account.lost_until > self.scheduler.now and not self.outside.calm:
            self.account.done(delivery, accepted=False)
            return
        headers = {
            "stripe-signature": signature(delivery.body, SECRET, int(self.scheduler.now)),
            "content-type": "application/json",
        }
        raw = base64.b64encode(delivery.body).decode()
        event = _event("POST", "/api/payments/webhook", headers, raw, encoded=True)

        def over(activity: Activity) -> None:
            status = None if activity.killed else activity.result["statusCode"]
            if status == 200:
                self.watch.acknowledged(delivery, self.sent.get(id(activity), set()))
            elif status == 500:
                self.wrong(f"the webhook answers 500 to {delivery.type}")
            self.account.done(delivery, accepted=status == 200)

        name = self._names.get(delivery.tenant_id or "")
        self.tell(f"Stripe delivers {delivery.type} {delivery.event}")
        key = f"{delivery.event} {delivery.attempts}"
        self.start("webhook", name, key, lambda: app(event, None), limit=API_TIMEOUT, then=over)

    # What the outside tells.

    def _event(self, event: dict[str, Any]) -> None:
        self.watch.dirty = True
        self.tell(f"at Stripe: {event['type']} {event['id']}")

    def _asked_stripe(self, method: str, path: str) -> None:
        self.watch.asked_stripe(method, path)
        if method != "GET":
            self.account.wake()

    def _took_message(self, group: str) -> None:
        strand = self.scheduler.current
        if strand is not None:
            self.sent.setdefault(id(strand.activity), set()).add(group)

    def _written(self, key: Any, before: Any, after: Any) -> None:
        if key[1] == "RECORD":
            self.watch.written(key[0].removeprefix("TENANT#"), before, after)
        self.schedule.wake()

    def _next_due(self) -> float | None:
        return min(self.table.due.values(), default=None)

    def _terminating(self, action: Callable[[], None]) -> None:
        strand = self.scheduler.current
        random = strand.activity.random if strand else self.random("terminating")
        lasts = random.choice((0.5, 2.0, 5.0, 5.0, 30.0, 200.0))
        self.scheduler.at(self.scheduler.now + lasts, action)

    def cluster_call(
        self, method: str, path: str, body: bytes = b"", content_type: str = "application/json"
    ) -> Any:
        """Somebody else's request to the API server."""
        headers = {"authorization": f"Bearer {TOKEN}", "content-type": content_type}
        return self.cluster.handle(parse(method, path, headers, body)).json

    def namespace(self, tenant_id: str) -> Any:
        """A tenant's namespace as it stands."""
        found = self.cluster_call(
            "GET", f"/api/v1/namespaces/{tenant.namespace_of(CATALOGUE, tenant_id)}"
        )
        return found if found["kind"] == "Namespace" else None

    def owner_of(self, obj: Any) -> str | None:
        """Whose an object of Stripe's is: by its customer, who may be deleted."""
        return self.watch.owner_of_customer(obj.get("customer"))

    def disputes_of(self, tenant_id: str) -> list[Any]:
        """The open disputes about a tenant's payments."""
        charges = self.account.ledger.tables["charge"]
        return [
            d
            for d in self.account.ledger.all("dispute")
            if d["status"] in oracle.OPEN and self.owner_of(charges[d["charge"]]) == tenant_id
        ]

    def tenant_of_event(self, event: Any) -> str | None:
        """Whom an event is about."""
        obj = event["data"]["object"]
        if obj["object"] == "dispute":
            obj = self.account.ledger.tables["charge"][obj["charge"]]
        customer = obj["id"] if obj["object"] == "customer" else obj.get("customer")
        return self.watch.owner_of_customer(customer)

    def name_of(self, tenant_id: str) -> str | None:
        """A customer's name."""
        return self._names.get(tenant_id)

    def item(self, tenant_id: str) -> dict[str, Any] | None:
        """A tenant's record as it stands in the table."""
        found = self.table.items.get((f"TENANT#{tenant_id}", "RECORD"))
        return None if found is None else loaded(found)

    def make_old(self, tenant_id: str) -> None:
        """Take from a record what an older version of the code did not write."""
        key = (f"TENANT#{tenant_id}", "RECORD")
        found = self.table.items.get(key)
        if found is not None:
            absent = {"attempts", "customer_generation", "schema"}
            self.table.items[key] = {
                name: value
                for name, value in found.items()
                if not (name in absent and value in ({"N": "0"}, {"N": "1"}) and name != "version")
                or (name != "schema" and value != {"N": "0"})
            }

    # What is said and what is wrong.

    def tell(self, text: str) -> None:
        """A line of the story, if anybody listens."""
        if self.story is not None:
            self.story.append((self.scheduler.now, text))

    def wrong(self, text: str) -> None:
        """Something that must never be."""
        at = datetime.fromtimestamp(self.scheduler.now, UTC).strftime("%Y-%m-%d %H:%M:%S")
        self.broken.append(f"{at}: {text}")
        self.tell(f"WRONG: {text}")

    # The run.

    def run(self) -> None:
        """Live through the history, let the dust settle, and look."""
        with self.in_place():
            try:
                for act in self.history.acts:
                    self.scheduler.run(START + act.at)
                    if self.broken:
                        return
                    self.who = act.who
                    self.tell(str(act))
                    acts.carry_out(self, act)
                    self.watch.look()
                    self.account.wake()
                self.scheduler.run(self.scheduler.now + 30)
                self._calm_down()
                self._look()
                if self.history.later and not self.broken:
                    self.scheduler.run(self.scheduler.now + self.history.later)
                    self._look()
                if not self.broken:
                    self._probe()
            finally:
                self._end()

    def _calm_down(self) -> None:
        self.tell("from now on nothing goes wrong")
        self.outside.heal()
        for act in self.put_right:
            act()
        self.queue.redrive()
        for delivery in self.account.deliveries.values():
            if not delivery.delivered:
                self.deliver(delivery)
        self.watch.look()
        self.account.wake()
        self._come_to_rest()
        for customer in self.customers.values():
            failure = (self.item(customer.tenant_id) or {}).get("failure")
            if failure and failure["permanent"]:
                acts.operator_asks_for_a_look(self, customer)

    def _look(self) -> None:
        self._come_to_rest()
        self.watch.at_rest()

    def _come_to_rest(self) -> None:
        until = self.scheduler.now + PATIENCE
        while not self.broken and (disturbed := self._disturbed()):
            moment = self.scheduler.next_moment()
            if moment is None or moment > until:
                self.wrong(f"it never comes to rest: {disturbed}")
                return
            self.scheduler.run(moment)

    def _disturbed(self) -> str | None:
        if self.live:
            return "something is still running"
        if self.queue.messages:
            return f"{len(self.queue.messages)} messages in the queue"
        late = [d.type for d in self.account.deliveries.values() if not d.delivered]
        if late:
            return f"events that were never delivered: {', '.join(late)}"
        for (pk, sk), item in self.table.items.items():
            if sk == "PENDING":
                return f"{pk} is still kept"
            if sk == "RECORD":
                nudged, reconciled = (
                    int(item.get(n, {"N": "0"})["N"]) for n in ("nudged", "reconciled")
                )
                if nudged > reconciled:
                    name = self._names[pk.removeprefix("TENANT#")]
                    return f"{name} is pending: nudged {nudged}, reconciled {reconciled}"
                due = int(item.get("due_at", {"N": "9" * 12})["N"])
                if due <= self.scheduler.now:
                    return f"{pk} is due since {self.scheduler.now - due:.0f} s"
        return None

    def _probe(self) -> None:
        """In the end everybody can buy who has nothing, whatever happened before."""
        for customer in self.customers.values():
            answers: list[Any] = []
            for _ in range(3):
                if answers and answers[-1] == 200:
                    break
                path = "/api/subscriptions/create-checkout-session"
                self.ask(
                    customer, "POST", path, {"planId": "basic"},
                    lambda status, body, a=answers: a.append(
                        status if status != 409 else body["error"]["code"]
                    ),
                )  # fmt: skip
                self.scheduler.run(self.scheduler.now + 30)
                self._come_to_rest()
            self.watch.could_buy(customer, answers)

    def _end(self) -> None:
        for activity in list(self.live):
            activity.killed = True
            activity.ended = True
            for strand in activity._strands:
                strand.kill()


class _Pool:
    """`ThreadPoolExecutor`, on the scheduler."""

    def __init__(self, world: World) -> None:
        self._world = world

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def map(self, work: Callable[[Any], Any], items: Any) -> list[Any]:
        strand = self._world.scheduler.current
        if strand is None:
            return [work(item) for item in items]
        return strand.activity.side_by_side([functools.partial(work, item) for item in items])


class _Teller(logging.Handler):
    """What the code logs, as lines of the story."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    def emit(self, record: logging.LogRecord) -> None:
        known = {"outcome", "status", "reason", "type", "code", "nudged", "sent_again", "applied"}
        said = [f"{n} {v}" for n, v in sorted(vars(record).items()) if n in known and v is not None]
        tenant_id = getattr(record, "tenant", None)
        who = self._world.name_of(tenant_id) if tenant_id else ""
        self._world.tell(f"    {record.getMessage()} {who or ''} {', '.join(said)}".rstrip())


def _event(
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
