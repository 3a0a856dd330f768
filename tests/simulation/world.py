"""One history's world: the real code, its outside in memory, and everybody who acts on it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from random import Random
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from app import app
from chalicelib.domain import tenant
from chalicelib.domain.errors import Temporary, Waiting
from chalicelib.domain.record import User
from chalicelib.gateways.cluster import KubernetesCluster
from chalicelib.gateways.dynamodb import DynamoDb
from chalicelib.gateways.nudges import NudgeTable
from chalicelib.gateways.queue import SqsQueue
from chalicelib.gateways.stripe_api import StripeApi
from chalicelib.gateways.table import Table
from chalicelib.gateways.wire import loaded
from sandbox.kubernetes import kinds
from sandbox.kubernetes.cluster import Cluster
from sandbox.kubernetes.requests import parse
from tests.simulation import requests, watching
from tests.simulation.account import Account, Delivery
from tests.simulation.aws_wires import QueueWire, TableWire
from tests.simulation.cluster_wire import ClusterWire
from tests.simulation.deployment import (
    ADMIN_TOKEN,
    CATALOGUE,
    ISSUER,
    LABELS,
    QUEUE,
    STRIPE_KEY,
    TABLE,
    USERS,
    bounds,
)
from tests.simulation.dynamodb import MemoryDynamoDb
from tests.simulation.history import START, History
from tests.simulation.outside import Outside
from tests.simulation.scheduler import Activity, Scheduler
from tests.simulation.sqs import MemorySqs
from tests.simulation.stripe_wire import StripeWire
from tests.simulation.worker import EventSource, Schedule


@dataclass(slots=True)
class Customer:
    """Somebody who buys: what their browser knows, and what they were told."""

    name: str
    tenant_id: str
    namespace: str
    runs: int = 0
    asked: int = 0
    tabs: list[str] = field(default_factory=list)


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
        self.paused_by_hand: set[str] = set()
        self.put_right: list[Callable[[], None]] = []
        self.audits = 0
        self.live: set[Activity] = set()
        self.sent: dict[int, set[str]] = {}
        self._ids = 0
        self.customers: dict[str, Customer] = {}
        for name in history.names:
            tenant_id = User(ISSUER, name).tenant_id
            self.customers[name] = Customer(
                name, tenant_id, tenant.namespace_of(CATALOGUE, tenant_id)
            )
        self.names = {c.tenant_id: c.name for c in self.customers.values()}
        self.table = MemoryDynamoDb()
        self.table.on_write.append(self._written)
        self.queue = MemorySqs(lambda: self.scheduler.now)
        self.queue.on_send = self._took_message
        taken = any(a.what == "somebody_takes_the_namespace" for a in history.acts)
        self.cluster = self._cluster(bounded=taken)
        self.account = Account(self, CATALOGUE, "dev")
        self.watch = watching.Watch(self)
        self.account.on_event.append(self._event)
        self.queue_wire = QueueWire(self.outside, self.queue)
        db = DynamoDb(TABLE, TableWire(self.outside, self.table))
        self.records, self.nudges = Table(db), NudgeTable(db)
        self.sqs = SqsQueue(QUEUE, self.queue_wire)  # type: ignore[arg-type]
        wire = StripeWire(self.outside, self.account.stripe, self._asked_stripe, self.ghosts)
        self.payments = StripeApi(
            STRIPE_KEY, http_client=wire, deployment=CATALOGUE.deployment("dev")
        )
        self.kubernetes = KubernetesCluster(
            ClusterWire(self.outside, self.cluster, self.watch.asked_the_cluster, bounded=taken),
            LABELS,
        )
        self.source = EventSource(self, self.queue)
        self.schedule = Schedule(self, self._next_due)

    def _cluster(self, *, bounded: bool) -> Cluster:
        """A cluster; with the bounds that an administrator has set, if they matter."""
        cluster = Cluster(USERS, self._terminating, lambda: self.scheduler.now)
        if bounded:
            with cluster._store.lock:
                for kind, obj in bounds():
                    cluster._store.put(kind, obj)
        return cluster

    def clock(self) -> float:
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

    def deliver(self, delivery: Delivery) -> None:
        """One attempt of Stripe's."""
        requests.deliver(self, delivery)

    def _event(self, event: dict[str, Any]) -> None:
        self.watch.dirty = True
        if event["type"] == "invoice.paid":
            self.watch.charged(event["data"]["object"])
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
        elif key == ("SWEEP", "CURSOR"):
            self.watch.swept(before, after)
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
        headers = {"authorization": f"Bearer {ADMIN_TOKEN}", "content-type": content_type}
        return self.cluster.handle(parse(method, path, headers, body)).json

    def stored(self, kind: str, name: str, namespace: str = "") -> Any:
        """An object as it stands in the cluster, without asking for it; None if it does not."""
        return self.cluster._store.get(kinds.by_name(kind), namespace, name)

    def all_stored(self, kind: str, namespace: str) -> list[Any]:
        """All objects of a kind in a namespace."""
        return self.cluster._store.all(kinds.by_name(kind), namespace)

    def namespace(self, tenant_id: str) -> Any:
        """A tenant's namespace as it stands."""
        return self.stored("Namespace", tenant.namespace_of(CATALOGUE, tenant_id))

    def owner_of(self, obj: Any) -> str | None:
        """Whose an object of Stripe's is: by its customer, who may be deleted."""
        return self.watch.owner_of_customer(obj.get("customer"))

    def disputes_of(self, tenant_id: str) -> list[Any]:
        """All disputes about a tenant's payments."""
        charges = self.account.ledger.tables["charge"]
        return [
            d
            for d in self.account.ledger.all("dispute")
            if self.owner_of(charges[d["charge"]]) == tenant_id
        ]

    def tenant_of_event(self, event: Any) -> str | None:
        """Whom an event is about."""
        obj = event["data"]["object"]
        if obj["object"] == "dispute":
            obj = self.account.ledger.tables["charge"][obj["charge"]]
        customer = obj["id"] if obj["object"] == "customer" else obj.get("customer")
        return self.watch.owner_of_customer(customer)

    def tabs(self, tenant_id: str) -> list[str]:
        """The checkout sessions whose address a customer has been given."""
        return next(c.tabs for c in self.customers.values() if c.tenant_id == tenant_id)

    def name_of(self, tenant_id: str) -> str | None:
        """A customer's name."""
        return self.names.get(tenant_id)

    def item(self, tenant_id: str) -> dict[str, Any] | None:
        """A tenant's record as it stands in the table."""
        found = self.table.items.get((f"TENANT#{tenant_id}", "RECORD"))
        return None if found is None else loaded(found)

    def tell(self, text: str) -> None:
        """A line of the story, if anybody listens."""
        if self.story is not None:
            self.story.append((self.scheduler.now, text))

    def wrong(self, text: str) -> None:
        """Something that must never be."""
        at = datetime.fromtimestamp(self.scheduler.now, UTC).strftime("%Y-%m-%d %H:%M:%S")
        self.broken.append(f"{at}: {text}")
        self.tell(f"WRONG: {text}")
