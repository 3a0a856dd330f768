"""Whole lives over the real processes, each ended by three words that agree."""

import os
import random
import signal
import time

import pytest

from tests.journeys.conftest import HIDDEN, await_ready, start, stop
from tests.journeys.shop import PAYS, Customer, Sandbox, until

FAILS_LATER = "4000000000000341"
NEW_CARD = {"card_number": PAYS, "exp": "12/40", "cvc": "123"}
IN_FLIGHT = HIDDEN + 50
"""Seconds: what a dead worker held comes back after the visibility timeout."""

pytestmark = pytest.mark.usefixtures("hidden_for_less")

HEALTHY = {
    "stripe": {"drop": 0, "duplicate": 0, "shuffle": False, "delay": 0, "outage": 0},
    "aws": {"transaction_conflicts": 0, "outage": 0},
    "kubernetes": {"outage": 0},
}


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    """One of their own: its clock is moved by months."""
    ready_file = tmp_path_factory.mktemp("life") / "ready.json"
    process = start(ready_file, "--port", "0")
    try:
        await_ready(process, ready_file)
        yield Sandbox(process, ready_file)
    finally:
        if process.poll() is None:
            code, said = stop(process)
            assert code == 0, said


@pytest.fixture
def customer(sandbox):
    """Somebody new; whatever was broken for them works again afterwards."""
    yield Customer(sandbox).sign_in()
    for part, healed in HEALTHY.items():
        sandbox.faults(part, **healed)


def test_pay_fail_to_renew_grace_suspended_pay_and_back(sandbox, customer):
    """A card that fails on renewal: forgiven for a week, then suspended; a new card, and back."""
    customer.buy("basic", FAILS_LATER)
    customer.becomes("active")
    sandbox.advance(31)
    customer.agreed("past_due", ("past_due", True), ("basic", False))
    assert customer.status()["paymentProblem"]["actBy"]
    sandbox.advance(7)
    customer.agreed("past_due", ("past_due", False), ("basic", True))
    customer.portal("card", **NEW_CARD)
    customer.agreed("active", ("active", True), ("basic", False))


def test_cancel_retention_deleted_and_subscribed_again(sandbox, customer):
    """Ended with its period, kept for thirty days, deleted; and then everything from the start."""
    customer.buy("pro")
    customer.becomes("active")
    customer.portal("cancel")
    until(lambda: customer.status()["cancelAtPeriodEnd"], "the end to be shown")
    sandbox.advance(32)
    customer.agreed("canceled", ("canceled", False), ("pro", True))
    sandbox.advance(31)
    customer.agreed("canceled", ("canceled", False), None, patience=40)
    customer.buy("basic")
    customer.agreed("active", ("active", True), ("basic", False))


def test_everything_twice_and_backwards_and_then_silence(sandbox, customer):
    """Stripe's worst delivery, and then none at all: the sweep asks for what was missed."""
    sandbox.faults("stripe", duplicate=1, shuffle=True)
    customer.buy("basic")
    customer.agreed("active", ("active", True), ("basic", False))
    sandbox.faults("stripe", drop=1, duplicate=0, shuffle=False)
    sandbox.stripe(f"subscriptions/{customer.subscriptions()[0]['id']}", method="DELETE")
    customer.agreed("canceled", ("canceled", False), ("basic", True), patience=40)


@pytest.mark.parametrize(
    ("part", "fault"),
    [
        ("aws", {"outage": 3, "services": ["dynamodb"]}),
        ("aws", {"outage": 3, "services": ["sqs"]}),
        ("stripe", {"outage": 3}),
        ("kubernetes", {"outage": 3}),
    ],
    ids=["table", "queue", "stripe", "cluster"],
)
def test_one_thing_is_away_for_a_while(sandbox, customer, part, fault):
    """It goes away the moment after the payment; it comes back, and so does everything else."""
    url = customer.checkout("basic").json()["checkoutUrl"]
    sandbox.faults("stripe", delay=0.3)
    assert customer.pay(url).status_code == 303
    sandbox.faults(part, **fault)
    time.sleep(3)
    until(lambda: customer.call("GET", "/api/subscriptions/status").status_code == 200, "the api")
    customer.agreed("active", ("active", True), ("basic", False), patience=IN_FLIGHT)


@pytest.mark.parametrize("part", ["api", "worker"])
def test_a_part_is_killed_at_a_random_moment(sandbox, customer, part):
    """SIGKILL somewhere between the payment and the tenant; what starts again finishes."""
    url = customer.checkout("basic").json()["checkoutUrl"]
    moment = random.uniform(0, 0.4)  # noqa: S311 - any moment is as good as another
    assert customer.pay(url).status_code == 303
    time.sleep(moment)
    killed = sandbox.ready["pids"][part]
    os.kill(killed, signal.SIGKILL)
    until(lambda: sandbox.ready["pids"][part] != killed, f"another {part}")
    until(lambda: customer.call("GET", "/api/subscriptions/status").status_code == 200, "the api")
    customer.agreed("active", ("active", True), ("basic", False), patience=IN_FLIGHT)
