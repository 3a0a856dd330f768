"""Events on their way to the endpoints: signed, retried, in no promised order."""

import heapq
import hmac
import itertools
import json
import threading
import time
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import requests

from sandbox.stripe.faults import Trouble
from sandbox.stripe.ledger import Ledger
from sandbox.stripe.objects import Obj

WORKERS = 4
TIMEOUT = 10
LONGEST_WAIT = 30
"""Seconds between attempts at most; Stripe's grow to hours, and end after three days."""

DELIVERED = range(200, 300)


@dataclass(slots=True)
class Delivery:
    """One event for one endpoint."""

    event: str
    type: str
    endpoint: str
    url: str
    body: bytes
    attempts: int = 0
    status: int | None = None
    delivered: bool = False
    due: float = 0
    under_way: bool = False

    def seen(self) -> dict[str, Any]:
        """What `GET /sandbox/deliveries` tells of it."""
        names = ("event", "type", "endpoint", "url", "attempts", "status", "delivered")
        return {name: getattr(self, name) for name in names}


class Deliveries:
    """A few threads that deliver what is due."""

    def __init__(self, ledger: Ledger, trouble: Trouble) -> None:
        self._ledger = ledger
        self._trouble = trouble
        self._all: list[Delivery] = []
        self._of: dict[str, list[Delivery]] = {}
        self._queue: list[tuple[float, int, Delivery]] = []
        self._order = itertools.count()
        self._changed = threading.Condition()
        self._stopped = False
        ledger.on_event.append(self.take)
        ledger.owed = self.owed

    def start(self) -> None:
        """Deliver in the background."""
        for _ in range(WORKERS):
            threading.Thread(target=self._work, daemon=True).start()

    def stop(self) -> None:
        """Deliver nothing any more."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def take(self, event: Obj) -> None:
        """Put an event on its way to whoever wants it."""
        wanting = [
            endpoint
            for endpoint in self._ledger.tables["webhook_endpoint"].values()
            if endpoint["status"] == "enabled"
            and {"*", event["type"]} & set(endpoint["enabled_events"])
        ]
        event["pending_webhooks"] = len(wanting)
        body = json.dumps(event, indent=2).encode()
        with self._changed:
            for endpoint in wanting:
                made = Delivery(event["id"], event["type"], endpoint["id"], endpoint["url"], body)
                self._all.append(made)
                self._of.setdefault(event["id"], []).append(made)
                self._put(made, self._trouble.holds_it_back())

    def owed(self, event_id: str) -> int:
        """How many endpoints that are still there do not have an event yet."""
        return sum(
            1
            for each in self._of.get(event_id, ())
            if not each.delivered and each.endpoint in self._ledger.secrets
        )

    def seen(self) -> list[dict[str, Any]]:
        """All deliveries, oldest first."""
        with self._changed:
            return [each.seen() for each in self._all]

    def settle(self, patience: float) -> None:
        """Try all that is owed now, and wait until each was tried again."""
        with self._changed:
            tries = {id(d): d.attempts for d in self._all if not d.delivered}
            waiting = [d for d in self._all if not d.delivered]
            for each in waiting:
                if not each.under_way and each.attempts:
                    self._put(each, 0)
            self._changed.wait_for(
                lambda: (
                    all(
                        d.delivered or (d.attempts > tries[id(d)] and not d.under_way)
                        for d in waiting
                    )
                    or self._stopped
                ),
                patience + self._trouble.faults.delay,
            )

    def _put(self, delivery: Delivery, wait: float) -> None:
        delivery.due = time.monotonic() + wait
        heapq.heappush(self._queue, (delivery.due, next(self._order), delivery))
        self._changed.notify_all()

    def _work(self) -> None:
        with requests.Session() as http:
            http.trust_env = False  # no proxy between two parts on loopback
            while (delivery := self._next()) is not None:
                status = self._send(http, delivery)
                with self._changed:
                    self._note(delivery, status)

    def _next(self) -> Delivery | None:
        with self._changed:
            while not self._stopped:
                if not self._queue:
                    self._changed.wait()
                elif (wait := self._queue[0][0] - time.monotonic()) > 0:
                    self._changed.wait(wait)
                else:
                    due, _, delivery = heapq.heappop(self._queue)
                    if due != delivery.due or delivery.under_way:
                        continue  # it was put forward meanwhile
                    delivery.under_way = True
                    return delivery
            return None

    def _send(self, http: requests.Session, delivery: Delivery) -> int | None:
        secret = self._ledger.secrets.get(delivery.endpoint, "")
        if self._trouble.loses_it():
            return None
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
            "Stripe-Signature": signature(delivery.body, secret, int(time.time())),
        }
        try:
            answer = http.post(
                delivery.url,
                data=delivery.body,
                headers=headers,
                timeout=TIMEOUT,
                allow_redirects=False,
            )
        except requests.RequestException:
            return None
        return answer.status_code

    def _note(self, delivery: Delivery, status: int | None) -> None:
        delivery.under_way = False
        delivery.attempts += 1
        delivery.status = status
        if status in DELIVERED:
            first = not delivery.delivered
            delivery.delivered = True
            if first and self._trouble.repeats_it():
                self._put(delivery, 0)
        elif not delivery.delivered and delivery.endpoint in self._ledger.secrets:
            self._put(delivery, min(2 ** (delivery.attempts - 1), LONGEST_WAIT))
        self._changed.notify_all()


def signature(body: bytes, secret: str, at: int) -> str:
    """The Stripe-Signature header, by the wall clock."""
    signed = hmac.new(secret.encode(), b"%d." % at + body, sha256).hexdigest()
    return f"t={at},v1={signed}"
