"""Disputes: what each of Stripe's words for one means for whoever paid."""

from dataclasses import replace

import pytest

from chalicelib.domain.decision import decide
from chalicelib.domain.disputes import verdict_of
from chalicelib.domain.record import Billing, Hold
from chalicelib.domain.subscription import Subscription, Truth

NOW = 1_800_000_000
SUB = Subscription(id="sub_1", status="active", created=1, product_id="arm-engine-dev-basic")
READY = {"phase": "running", "ready_since": 1, "billing": Billing(subscription=SUB)}


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        ("needs_response", "open"),
        ("under_review", "open"),
        ("appeal_needs_response", "open"),
        ("appeal_under_review", "open"),
        ("a_word_of_next_year", "open"),
        ("warning_needs_response", "inquiry"),
        ("warning_under_review", "inquiry"),
        ("warning_closed", "over"),
        ("won", "over"),
        ("prevented", "over"),
        ("lost", "lost"),
    ],
)
def test_what_each_status_means(status, verdict):
    """An inquiry withdraws no money; a word that we do not know is not taken for an end."""
    assert verdict_of(status) == verdict


def looked(record, catalogue, *, disputes=("dp_1",), opened=(), lost=(), subs=(SUB,), **facts):
    before = record(**(READY | {"disputes": disputes} | facts))
    truth = Truth(subscriptions=subs, open_disputes=opened, lost_disputes=lost)
    return decide(before, truth, NOW, catalogue, "dev")


def paused(by_us):
    kept = {"id": "sub_1", "status": "active", "created": 1, "product_id": "arm-engine-dev-basic"}
    return Subscription(**kept, collection_paused=True, paused_by_us=by_us)


def test_nothing_is_charged_while_a_dispute_stops_a_tenant(record, catalogue):
    """What we take away is not paid for; a second look pauses nothing twice."""
    decision = looked(record, catalogue, opened=("dp_1",))
    assert (decision.standing.stopped_by, decision.to_pause) == ("dispute", ("sub_1",))
    again = looked(record, catalogue, opened=("dp_1",), subs=(paused(by_us=True),))
    assert (again.to_pause, again.to_resume) == ((), ())


def test_our_pause_is_lifted_with_the_dispute_and_nobody_elses(record, catalogue):
    """The merchant's own pause is the merchant's to lift."""
    assert looked(record, catalogue, subs=(paused(by_us=True),)).to_resume == ("sub_1",)
    assert looked(record, catalogue, subs=(paused(by_us=False),)).to_resume == ()
    assert looked(record, catalogue, opened=("dp_1",), subs=(paused(by_us=False),)).to_pause == ()


def test_what_somebody_else_sold_is_not_ours_to_pause(record, catalogue):
    """A retainer of the same customer goes on being charged."""
    retainer = Subscription(id="sub_2", status="active", created=1, product_id="prod_retainer")
    decision = looked(record, catalogue, opened=("dp_1",), subs=(SUB, retainer))
    assert decision.to_pause == ("sub_1",)


def test_a_lost_dispute_puts_a_hold_that_charges_nothing(record, catalogue):
    """The verdict is kept: the service does not come back because the bank is done."""
    decision = looked(record, catalogue, lost=("dp_1",))
    assert decision.record.lost_disputes == ("dp_1",)
    assert (decision.standing.wanted, decision.standing.stopped_by) == ("suspended", "hold")
    assert decision.to_pause == ("sub_1",)
    assert "dp_1" in decision.record.hold.reason


def test_a_hold_that_an_operator_has_lifted_stays_lifted(record, catalogue):
    """One verdict is one hold."""
    decision = looked(record, catalogue, disputes=(), lost=("dp_1",), lost_disputes=("dp_1",))
    assert decision.record.hold is None
    assert decision.standing.wanted == "running"


def test_an_appeal_that_is_won_lifts_the_hold_of_the_lost_dispute(record, catalogue):
    """And no other: what an operator holds, an operator lifts."""
    hold = Hold(reason="the dispute dp_1 was lost", since=1, pause_billing=True, dispute_id="dp_1")
    lost = {"lost_disputes": ("dp_1",), "hold": hold}
    appealed = looked(record, catalogue, opened=("dp_1",), **lost)
    assert appealed.record.hold == hold
    won = looked(record, catalogue, **lost)
    assert (won.record.hold, won.record.lost_disputes) == (None, ())
    assert won.standing.wanted == "running"
    operators = lost | {"hold": Hold(reason="abuse", since=1)}
    assert looked(record, catalogue, **operators).record.hold is not None


def test_a_lost_dispute_ends_the_subscription_by_policy(record, catalogue):
    """Once: what was bought after the verdict is another matter."""
    ends = _with_policy(catalogue, dispute_lost="end")
    assert looked(record, ends, lost=("dp_1",)).to_cancel == "sub_1"
    judged = looked(record, ends, disputes=(), lost=("dp_1",), lost_disputes=("dp_1",))
    assert (judged.to_cancel, judged.record.hold) == (None, None)


def test_where_disputes_stop_nobody_nothing_is_paused(record, catalogue):
    """By setting, an open dispute changes nothing at all."""
    goes_on = _with_policy(catalogue, suspend_on_dispute=False)
    decision = looked(record, goes_on, opened=("dp_1",))
    assert (decision.standing.wanted, decision.to_pause) == ("running", ())


def test_a_hold_charges_on_unless_the_operator_says_so(record, catalogue):
    """Whether a held customer is charged is the operator's to say."""
    for pauses, ids in ((False, ()), (True, ("sub_1",))):
        hold = Hold(reason="abuse", since=1, pause_billing=pauses)
        assert looked(record, catalogue, disputes=(), hold=hold).to_pause == ids


def _with_policy(catalogue, **changed):
    return replace(catalogue, policy=replace(catalogue.policy, **changed))
