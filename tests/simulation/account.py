"""The Stripe account of a history: the stand-in, its own passing of time, and its deliveries."""

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chalicelib.domain.stripe_event import SUBSCRIBED
from sandbox.stripe import catalogue, configurations
from sandbox.stripe.state import Stripe

if TYPE_CHECKING:
    from collections.abc import Callable

MINUTE, HOUR, DAY = 60, 3600, 86_400
GIVES_UP = 3 * DAY
"""Seconds for which Stripe delivers an event again and again."""

ADD_ON, LEFT = "an add-on of somebody else's", "a plan that has left the shop"
FIRST_RETRY, LAST_RETRY = 20, 2 * HOUR


@dataclass(slots=True, eq=False)
class Delivery:
    """One event on its way."""

    event: str
    type: str
    about: str
    tenant_id: str | None
    body: bytes
    since: float
    attempts: int = 0
    delivered: bool = False


class Account:
    """Products and prices as they are pushed, and every event that the endpoint asked for.

    Attributes:
        on_delivery: told of what is to be delivered now.
        on_event: told of every event, delivered or not.
        deliveries: by event.
    """

    def __init__(self, world: Any, shop: Any, stage: str) -> None:
        self._world = world
        self._ids: Counter[str] = Counter()
        self._timer: float | None = None
        self.lost_until = 0.0
        self.dead_until = 0.0
        self.left_behind: set[str] = set()
        self.silent = False
        self.on_event: list[Callable[[dict[str, Any]], None]] = []
        self.deliveries: dict[str, Delivery] = {}
        self.stripe = Stripe(lambda: world.scheduler.now, new_id=self._new_id)
        self.ledger = self.stripe.ledger
        self.prices: dict[str, Any] = {}
        self._shop, self._stage = shop, stage
        for plan in shop.paid_plans:
            self._sells(plan.id, shop.product_id(stage, plan), plan.price)
            self.push(plan)
        self._sells(ADD_ON, "consulting", 500)
        self._sells(LEFT, f"{shop.deployment(stage)}-enterprise", 49_900)
        metadata = {"deployment": shop.deployment(stage)}
        configurations.create(self.ledger, {"features": {}, "metadata": metadata})
        self.ledger.tables["event"].clear()
        self.ledger.on_event.append(self._take)
        self.ledger.owed = self._owed

    def _sells(self, name: str, product_id: str, amount: int) -> None:
        catalogue.create_product(self.ledger, {"id": product_id, "name": name})
        self.prices[name] = catalogue.create_price(
            self.ledger,
            {
                "product": product_id,
                "unit_amount": amount,
                "currency": self._shop.product.currency,
                "recurring": {"interval": "month"},
            },
        )

    def push(self, plan: Any) -> None:
        """A new price takes the place of the old one, as `plans push` does it."""
        key, old = self._shop.lookup_key(self._stage, plan), self.prices[plan.id]
        self.prices[plan.id] = catalogue.create_price(
            self.ledger,
            {
                "product": old["product"],
                "unit_amount": old["unit_amount"],
                "currency": old["currency"],
                "recurring": {"interval": plan.interval},
                "lookup_key": key,
                "transfer_lookup_key": True,
            },
        )
        catalogue.update_price(self.ledger, {"active": False}, old["id"])

    def _new_id(self, prefix: str) -> str:
        """Told apart by whom they are for, so that one customer's do not shift another's."""
        strand = self._world.scheduler.current
        who = (strand.activity.tenant or "o") if strand else self._world.who
        self._ids[prefix + who] += 1
        return f"{prefix}{who}x{self._ids[prefix + who]:03}"

    def _owed(self, event_id: str) -> int:
        """How many endpoints have not taken it: ours, and one that somebody has left behind."""
        known = self.deliveries.get(event_id)
        return int(known is not None and not known.delivered) + int(event_id in self.left_behind)

    def wake(self) -> None:
        """See to it that what is due by itself happens at its moment."""
        due = self.stripe.next_due()
        now = self._world.scheduler.now
        if due is None or (self._timer is not None and now < self._timer <= due):
            return
        self._timer = max(float(due), now)
        self._world.scheduler.at(self._timer, self._pass_time)

    def _pass_time(self) -> None:
        self._timer = None
        self._world.who = "t"
        self.stripe.catch_up()
        self._world.watch.look()
        self.wake()

    def _take(self, event: dict[str, Any]) -> None:
        for tell in self.on_event:
            tell(event)
        if self._world.scheduler.now < self.dead_until:
            self.left_behind.add(event["id"])
        if event["type"] not in SUBSCRIBED:
            return
        tenant_id = self._world.tenant_of_event(event)
        body = json.dumps(event).encode()
        about = event["data"]["object"]["id"]
        made = Delivery(
            event["id"], event["type"], about, tenant_id, body, self._world.scheduler.now
        )
        self.deliveries[made.event] = made
        random = self._world.random(f"delivery of {made.event}")
        weather = self._world.outside.weather
        wait = random.expovariate(1.0) * 1.5
        if not self._world.outside.calm:
            if random.random() < weather.late:
                wait = random.choice((random.uniform(1, 10) * MINUTE, random.uniform(1, 30) * HOUR))
            if random.random() < weather.duplicate:
                again = wait + random.choice((0.0, random.expovariate(1.0), 5 * MINUTE, 3 * HOUR))
                self._later(made, again)
        self._later(made, wait)
        if wait > MINUTE or self.silent:
            self._look_for_it(made)

    def _later(self, delivery: Delivery, wait: float) -> None:
        def attempt() -> None:
            if self.silent:
                self._look_for_it(delivery)
            else:
                self._world.deliver(delivery)

        self._world.scheduler.at(self._world.scheduler.now + wait, attempt)

    def give_up(self) -> list[Delivery]:
        """Deliver nothing any more; what is owed can only be asked for."""
        self.silent = True
        owed = [d for d in self.deliveries.values() if not d.delivered]
        for delivery in owed:
            self._look_for_it(delivery)
        return owed

    def unseen(self) -> list[Delivery]:
        """What was neither delivered nor, where nothing is delivered any more, asked for."""
        return [d for d in self.deliveries.values() if not d.delivered and not self._asked_for(d)]

    def owes_for_good(self) -> bool:
        """Whether something is owed that will never be delivered."""
        return self.silent and bool(self.unseen())

    def _asked_for(self, delivery: Delivery) -> bool:
        if not self.silent:
            return False
        place = f"TENANT#{delivery.tenant_id}"
        return not delivery.tenant_id or any(
            pk == place and sk.endswith(f"#{delivery.event}") for pk, sk in self._world.table.items
        )

    def done(self, delivery: Delivery, *, accepted: bool) -> None:
        """What came of an attempt; one that failed is made again, later and later."""
        delivery.attempts += 1
        if accepted:
            delivery.delivered = True
        elif not delivery.delivered:
            wait = min(FIRST_RETRY * 4 ** (delivery.attempts - 1), LAST_RETRY)
            if self._world.scheduler.now + wait - delivery.since < GIVES_UP:
                self._later(delivery, wait)
            self._look_for_it(delivery)

    def _look_for_it(self, delivery: Delivery) -> None:
        """The sweep asks Stripe every minute; here it comes by when it would find something."""

        def look() -> None:
            if not delivery.delivered:
                self._world.schedule.wake(self._world.scheduler.now)

        self._world.scheduler.at(self._world.scheduler.now + MINUTE, look)
