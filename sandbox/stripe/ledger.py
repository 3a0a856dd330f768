"""Everything that the stand-in knows: objects by kind and id, and what happened to them."""

import secrets
import string
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sandbox.stripe.errors import BAD_REQUEST, NOT_FOUND, missing
from sandbox.stripe.objects import Obj, copied, shape

ALPHABET = string.ascii_letters + string.digits

PREFIXES = {
    "customer": "cus_",
    "product": "prod_",
    "price": "price_",
    "checkout.session": "cs_test_",
    "subscription": "sub_",
    "subscription_item": "si_",
    "invoice": "in_",
    "line_item": "il_",
    "payment_intent": "pi_",
    "payment_method": "pm_",
    "charge": "ch_",
    "dispute": "du_",
    "coupon": "",
    "promotion_code": "promo_",
    "refund": "re_",
    "invoice_payment": "inpay_",
    "event": "evt_",
    "webhook_endpoint": "we_",
    "billing_portal.session": "bps_",
    "billing_portal.configuration": "bpc_",
    "invoiceitem": "ii_",
    "subscription_schedule": "sub_sched_",
    "balance_transaction": "txn_",
    "test_helpers.test_clock": "clock_",
}


def random_id(prefix: str) -> str:
    """As long as Stripe's."""
    return prefix + "".join(secrets.choice(ALPHABET) for _ in range(24))


@dataclass(frozen=True, slots=True)
class Pending:
    """A change of a subscription that is made once its invoice is paid.

    Attributes:
        items: id (None for a new one), price and quantity of each item as it shall be.
    """

    invoice: str
    items: tuple[tuple[str | None, Obj, int], ...]


class Ledger:
    """The tables, a clock, and a lock that whoever reads or writes them holds.

    Attributes:
        cause: the request that events are recorded as caused by.
        deleted: what is left of a customer.
        pending: by subscription, the change that waits for the payment of its invoice.
        lacks: by restricted key, the permissions that it has not been given.
        secrets: what the deliveries to each webhook endpoint are signed with.
        owed: how many endpoints still wait for an event.
        orders: what each checkout session will turn into when it is paid.
        announced: the subscriptions whose trial's end was announced.
        settling: invoices that a bank has not paid yet: when it will answer, and whether it pays.
        discounts: the coupon of each subscription that has one.
        dunning_end: cancel, unpaid or past_due, for a subscription whose last retry failed.
        behaviours: what a payment method does when it is charged; card numbers are not kept.
    """

    def __init__(
        self, now: Callable[[], float], new_id: Callable[[str], str] = random_id, url: str = ""
    ) -> None:
        self._now = now
        self._new_id = new_id
        self.url = url
        self.lock = threading.RLock()
        self.tables: dict[str, dict[str, Obj]] = {kind: {} for kind in PREFIXES}
        self.behaviours: dict[str, str] = {}
        self.deleted: dict[str, Obj] = {}
        self.pending: dict[str, Pending] = {}
        self.lacks: dict[str, frozenset[str]] = {}
        self._at: int | None = None
        self.secrets: dict[str, str] = {}
        self.owed: Callable[[str], int] = lambda _: 0
        self.orders: dict[str, dict[str, Any]] = {}
        self.announced: set[str] = set()
        self.settling: dict[str, tuple[int, bool]] = {}
        self.discounts: dict[str, Obj] = {}
        self.dunning_end = "cancel"
        self.cause: dict[str, str | None] = {"id": None, "idempotency_key": None}
        self.on_event: list[Callable[[Obj], None]] = []

    def now(self) -> int:
        """Epoch seconds: by the sandbox's clock, or by the test clock that this is about."""
        return int(self._now()) if self._at is None else self._at

    @contextmanager
    def at(self, moment: int | None) -> Iterator[None]:
        """Take this moment for now; None leaves the sandbox's clock."""
        before, self._at = self._at, moment
        try:
            yield
        finally:
            self._at = before

    def clock_of(self, customer_id: str | None) -> str | None:
        """The test clock that a customer lives by; None for the sandbox's own."""
        found = self.tables["customer"].get(customer_id or "")
        return found["test_clock"] if found else None

    def time_of(self, customer_id: str | None) -> int | None:
        """What a customer's test clock shows; None for one who lives by the sandbox's."""
        clock = self.clock_of(customer_id)
        return int(self.tables["test_helpers.test_clock"][clock]["frozen_time"]) if clock else None

    def new_id(self, prefix: str) -> str:
        """An id that nothing else has."""
        return self._new_id(prefix)

    def add(self, kind: str, object_id: str | None = None, /, **fields: Any) -> Obj:  # noqa: ANN401 - JSON
        """A new object in its shape, with what is known of it."""
        made = shape(kind)
        made["id"] = object_id or self.new_id(PREFIXES[kind])
        if "created" in made:
            made["created"] = self.now()
        made.update(fields)
        self.tables[kind][made["id"]] = made
        return made

    def get(self, kind: str, object_id: str, param: str = "id", status: int = NOT_FOUND) -> Obj:
        """The object, or Stripe's refusal that there is none."""
        found = self.tables[kind].get(object_id)
        if found is None:
            raise missing(kind, object_id, param, status)
        return found

    def find(self, object_id: str) -> Obj | None:
        """Whatever has this id."""
        found = next((t[object_id] for t in self.tables.values() if object_id in t), None)
        return found or self.deleted.get(object_id)

    def all(self, kind: str, **fields: object) -> Iterator[Obj]:
        """Newest first, those with these values."""
        for found in reversed(list(self.tables[kind].values())):
            if all(found.get(key) == value for key, value in fields.items()):
                yield found

    def emit(self, kind: str, obj: Obj, previous: Obj | None = None) -> Obj:
        """Record that something happened, with the object as it is now."""
        data: dict[str, Any] = {"object": copied(obj)}
        if previous is not None:
            data["previous_attributes"] = previous
        event = self.add("event", type=kind, data=data, request=dict(self.cause))
        for tell in self.on_event:
            tell(event)
        return event

    def change(self, kind: str, obj: Obj, **fields: Any) -> None:  # noqa: ANN401 - JSON
        """Set fields, and record an `….updated` when that changed something."""
        previous = {key: obj.get(key) for key, value in fields.items() if obj.get(key) != value}
        if previous:
            obj.update(fields)
            self.emit(kind, obj, copied(previous))

    def new_customer(self, **fields: Any) -> Obj:  # noqa: ANN401 - JSON
        """A customer, with a number for their invoices."""
        made = self.add("customer", **fields)
        made["invoice_prefix"] = made["id"][-8:].upper()
        self.emit("customer.created", made)
        return made

    def customer(self, customer_id: str) -> Obj:
        """Whom a parameter names; one that was deleted is unknown."""
        return self.get("customer", customer_id, "customer", BAD_REQUEST)
