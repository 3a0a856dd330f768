"""Test clocks: a time of their own for a few customers."""

from sandbox.stripe import customers
from sandbox.stripe.errors import Refusal
from sandbox.stripe.ledger import Ledger
from sandbox.stripe.lists import page
from sandbox.stripe.objects import Obj
from sandbox.stripe.periods import DAY

KIND, URL = "test_helpers.test_clock", "/v1/test_helpers/test_clocks"
KEPT = 30 * DAY


def create(ledger: Ledger, params: Obj) -> Obj:
    """A clock that stands still."""
    made = ledger.add(
        KIND,
        deletes_after=ledger.now() + KEPT,
        frozen_time=params["frozen_time"],
        name=params.get("name"),
    )
    ledger.emit("test_helpers.test_clock.created", made)
    return made


def retrieve(ledger: Ledger, _: Obj, clock_id: str) -> Obj:
    """One clock, `advancing` or `ready`."""
    return ledger.get(KIND, clock_id)


def list_all(ledger: Ledger, params: Obj) -> Obj:
    """All clocks."""
    return page(ledger, KIND, URL, params)


def advance(ledger: Ledger, params: Obj, clock_id: str) -> Obj:
    """Begin to move it on; what falls due on the way happens before it is `ready` again."""
    clock = ledger.get(KIND, clock_id)
    if clock["status"] != "ready":
        raise Refusal("The test clock is not ready: wait until it has advanced.")
    target = params["frozen_time"]
    if target <= clock["frozen_time"]:
        raise Refusal(
            "The frozen time must be after the test clock's current frozen time.",
            param="frozen_time",
        )
    clock |= {
        "status": "advancing",
        "status_details": {"advancing": {"target_frozen_time": target}},
    }
    ledger.emit("test_helpers.test_clock.advancing", clock)
    return clock


def delete(ledger: Ledger, _: Obj, clock_id: str) -> Obj:
    """Gone, with the customers that lived by it."""
    clock = ledger.get(KIND, clock_id)
    for customer in list(ledger.all("customer", test_clock=clock_id)):
        with ledger.at(clock["frozen_time"]):
            customers.delete(ledger, {}, customer["id"])
    del ledger.tables[KIND][clock_id]
    ledger.emit("test_helpers.test_clock.deleted", clock)
    return {"id": clock_id, "object": KIND, "deleted": True}
