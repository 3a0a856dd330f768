"""Every transition has its cause, those that only time makes too."""

from dataclasses import replace
from typing import get_args

import pytest

from chalicelib.domain.catalogue import FREE
from chalicelib.domain.decision import decide, standing_of
from chalicelib.domain.record import Billing, Checkout, FreeGrant, Hold
from chalicelib.domain.subscription import Subscription, Truth
from chalicelib.domain.transitions import WORDS, Cause, cause_of

NOW = 1_800_000_000
DAY = 24 * 3600
OURS = "arm-engine-dev-basic"
READY = {"phase": "running", "ready_since": NOW - 90 * DAY}
GRANT = {"free": FreeGrant(started_at=NOW - 30 * DAY), "free_until": NOW}
OPEN = Checkout(plan_id="basic", nonce="n", params={}, started_at=NOW - 60, session_id="cs_1")


def sub(status="active", **facts):
    return Subscription(
        **({"id": "sub_1", "status": status, "created": 1, "product_id": OURS} | facts)
    )


def knows(status="active", **facts):
    return {"billing": Billing(subscription=sub(status, **facts))} | READY


def truth(*subs, **facts):
    return Truth(subscriptions=subs, **facts)


HELD = Hold(reason="abuse", since=1)
BANK = Hold(reason="lost", since=1, dispute_id="dp_1")
CASES = [
    # what stood on the record, and when  what changes on it  what Stripe says now     cause
    ({}, -DAY, {}, truth(sub()), "purchase"),
    (knows() | {"ready_since": None}, -DAY, {"ready_since": NOW}, truth(sub()), "ready"),
    (knows(), -DAY, {}, truth(sub("past_due")), "payment_failed"),
    (knows("past_due") | {"grace_until": NOW - 1}, -DAY, {}, truth(sub("past_due")), "grace_over"),
    (knows("past_due") | {"grace_until": NOW + 9}, -DAY, {}, truth(sub("unpaid")), "payment_failed"),
    (knows("unpaid") | {"grace_until": 1}, -DAY, {}, truth(sub()), "payment_recovered"),
    (knows("trialing"), -DAY, {}, truth(sub("paused")), "paused"),
    (knows("paused"), -DAY, {}, truth(sub()), "resumed"),
    (knows(), -DAY, {}, truth(sub(product_id="arm-engine-dev-pro")), "plan_changed"),
    (knows(), -DAY, {}, truth(sub(product_id="arm-engine-dev-gold")), "not_in_catalogue"),
    (knows(), -DAY, {}, truth(sub("canceled", ended_at=NOW)), "subscription_ended"),
    (knows() | {"customer_id": "cus_1"}, -DAY, {}, truth(customer_gone=True), "customer_deleted"),
    (knows("canceled", ended_at=NOW - 30 * DAY) | {"retention_until": NOW}, -DAY, {},
     truth(sub("canceled", ended_at=NOW - 30 * DAY)), "retention_over"),
    (GRANT | READY, -DAY, {}, truth(), "free_ended"),
    (GRANT | READY, -DAY, {"free": FreeGrant(started_at=1, ended_at=NOW - 5)}, truth(), "free_ended"),
    ({}, -DAY, {"free": FreeGrant(started_at=NOW - 1), "free_until": NOW + DAY}, truth(), "free_started"),
    (knows(), -DAY, {"hold": HELD}, truth(sub()), "hold"),
    (knows() | {"hold": HELD}, -DAY, {"hold": None}, truth(sub()), "hold_lifted"),
    (knows() | {"disputes": ("dp_1",)}, -DAY, {}, truth(sub(), open_disputes=()), "dispute_settled"),
    (knows(), -DAY, {"disputes": ("dp_1",)}, truth(sub(), open_disputes=("dp_1",)), "dispute_opened"),
    (knows(), -DAY, {"disputes": ("dp_1",)}, truth(sub(), open_disputes=(), lost_disputes=("dp_1",)), "dispute_lost"),
    ({}, -DAY, {"checkout": OPEN, "paid_session": "cs_1"}, truth(), "payment_received"),
    ({"checkout": OPEN, "paid_session": "cs_1"}, -DAY, {"checkout": None}, truth(), "checkout_closed"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("stood", "when", "change", "says", "cause"), CASES, ids=[c[-1] for c in CASES]
)
def test_each_transition_has_its_cause(catalogue, record, stood, when, change, says, cause):
    """What stood at the last conclusion, and what stands now, tell why."""
    first = record(**stood)
    before = replace(first, **change)
    decision = decide(before, says, NOW, catalogue, "dev")
    old = standing_of(first, NOW + when, catalogue, "dev")
    assert old != decision.standing
    assert cause_of(old, decision.standing, before, decision.record) == cause


def test_every_cause_has_words():
    """A timeline is read by people."""
    assert WORDS.keys() == set(get_args(Cause))
    assert all(WORDS.values())
    assert FREE == "free"
