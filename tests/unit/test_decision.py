"""The policy: each line of the design's table, and the laws that hold for any history."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.decision import decide, standing_of
from chalicelib.domain.record import Billing, Checkout, FreeGrant, Hold, Record, User
from chalicelib.domain.subscription import CheckoutSession, Item, Subscription, Truth

NOW = 1_800_000_000
DAY = 24 * 3600
OURS = "arm-engine-dev-basic"
READY = {"ready_since": NOW - DAY, "phase": "running", "applied": "abc"}


def sub(status="active", **facts):
    usual = {"id": "sub_1", "created": NOW - DAY, "product_id": OURS}
    return Subscription(status=status, **(usual | facts))


def billed(status="active", **facts):
    return {"billing": Billing(subscription=sub(status, **facts))}


def checkout(**facts):
    usual = {"plan_id": "pro", "nonce": "n-1", "params": {}, "started_at": NOW - 60}
    return Checkout(**(usual | facts))


OPEN = checkout(session_id="cs_1", expires_at=NOW + DAY)
GRANT = {"free": FreeGrant(started_at=NOW - DAY), "free_until": NOW + DAY}
ENDED = {"free": FreeGrant(started_at=NOW - 9 * DAY, ended_at=NOW - DAY), "free_until": NOW + DAY}

TABLE = [
    # what is known                                    status          active  plan     wanted
    ({}, "none", False, None, "absent"),
    (billed("trialing"), "provisioning", True, "basic", "running"),
    (billed("active"), "provisioning", True, "basic", "running"),
    (billed("active") | READY, "active", True, "basic", "running"),
    (billed("paused") | READY, "past_due", False, "basic", "suspended"),
    (billed("active", collection_paused=True) | READY, "active", True, "basic", "running"),
    (billed("past_due") | READY | {"grace_until": NOW + 1}, "past_due", True, "basic", "running"),
    (billed("past_due") | READY | {"grace_until": NOW}, "past_due", False, "basic", "suspended"),
    (billed("unpaid") | READY | {"grace_until": NOW + 1}, "past_due", False, "basic", "suspended"),
    (GRANT, "provisioning", True, "free", "running"),
    (GRANT | READY, "active", True, "free", "running"),
    (GRANT | READY | billed("canceled", ended_at=NOW - 5), "active", True, "free", "running"),
    (GRANT | READY | billed("active"), "active", True, "basic", "running"),
    ({"checkout": OPEN}, "none", False, None, "absent"),
    ({"checkout": OPEN, "paid_session": "cs_1"}, "provisioning", False, "pro", "as it was"),
    ({"checkout": OPEN, "paid_session": "cs_0"}, "none", False, None, "absent"),
    (ENDED | READY, "canceled", False, "free", "suspended"),
    (
        billed("canceled", ended_at=NOW - 2) | READY | {"retention_until": NOW + 1},
        "canceled", False, "basic", "suspended",
    ),
    (
        billed("canceled", ended_at=NOW - 2) | READY | {"retention_until": NOW},
        "canceled", False, "basic", "absent",
    ),
    (billed("active") | READY | {"hold": Hold(reason="abuse", since=1)},
     "active", False, "basic", "suspended"),
    (billed("active") | READY | {"phase": "deleting"}, "canceled", False, "basic", "absent"),
    (billed("active") | READY | {"disputes": ("dp_1",)}, "active", False, "basic", "suspended"),
    (billed("active", product_id="somebody-elses"), "provisioning", True, None, "as it was"),
    (billed("past_due", product_id="arm-engine-dev-gold") | READY | {"grace_until": NOW + 1},
     "past_due", True, None, "as it was"),
    (billed("past_due", product_id="arm-engine-dev-gold") | READY | {"grace_until": NOW},
     "past_due", False, None, "suspended"),
    (billed("unpaid", product_id="arm-engine-dev-gold") | READY,
     "past_due", False, None, "suspended"),
    (billed("canceled", product_id="arm-engine-dev-gold", ended_at=NOW - 2) | READY
     | {"retention_until": NOW}, "canceled", False, None, "absent"),
    (billed("active", product_id="arm-engine-dev-gold") | READY | {"hold": Hold(reason="r", since=1)},
     "active", False, None, "suspended"),
    (billed("past_due", product_id="arm-engine-dev-pro", paid_product_id=OURS) | READY
     | {"grace_until": NOW + 1}, "past_due", True, "basic", "running"),
    (billed("past_due", product_id=OURS, paid_product_id="arm-engine-dev-pro") | READY
     | {"grace_until": NOW + 1}, "past_due", True, "basic", "running"),
    (billed("active", product_id="arm-engine-dev-pro", paid_product_id=OURS) | READY,
     "active", True, "pro", "running"),
]  # fmt: skip


@pytest.mark.parametrize(("facts", "status", "active", "plan", "wanted"), TABLE)
def test_each_line_of_the_table(catalogue, record, facts, status, active, plan, wanted):
    """The first line of the table that fits says status, entitlement, plan and namespace."""
    standing = standing_of(record(**facts), NOW, catalogue, "dev")
    assert (standing.status, standing.active) == (status, active)
    assert (standing.plan_id, standing.wanted) == (plan, wanted)


@pytest.mark.parametrize("status", ["incomplete", "incomplete_expired"])
def test_an_unstarted_subscription_displaces_nothing(catalogue, record, status):
    """A purchase that never came to a payment leaves Free standing."""
    truth = Truth(subscriptions=(sub(status),))
    decision = decide(record(**GRANT, **READY), truth, NOW, catalogue, "dev")
    assert decision.standing.plan_id == "free"
    assert decision.record.billing.incomplete == (status == "incomplete")


def test_the_healthiest_of_two_counts_and_the_other_is_reported(catalogue, record):
    """Two live subscriptions: the healthy one is the truth, the other is named."""
    truth = Truth(
        subscriptions=(
            sub("past_due", id="sub_old", created=1),
            sub("active", id="sub_new", created=2),
            sub("canceled", id="sub_gone", created=3),
        )
    )
    billing = decide(record(), truth, NOW, catalogue, "dev").record.billing
    assert billing.subscription.id == "sub_new"
    assert billing.duplicates == ("sub_old",)


def test_of_two_equally_healthy_the_oldest_counts(catalogue, record):
    """A second purchase does not move a customer off the first."""
    truth = Truth(subscriptions=(sub(id="sub_b", created=2), sub(id="sub_a", created=1)))
    decision = decide(record(), truth, NOW, catalogue, "dev")
    assert decision.record.billing.subscription.id == "sub_a"


def test_grace_starts_once_and_is_kept(catalogue, record):
    """A failed renewal sets the deadline; looking again does not move it."""
    truth = Truth(subscriptions=(sub("past_due"),))
    first = decide(record(), truth, NOW, catalogue, "dev").record
    again = decide(first, truth, NOW + 3 * DAY, catalogue, "dev").record
    assert first.grace_until == NOW + 7 * DAY == again.grace_until


def test_grace_ends_with_the_payment(catalogue, record):
    """Once paid, the next failure gets a full grace of its own."""
    paid = decide(
        record(grace_until=NOW - DAY), Truth(subscriptions=(sub(),)), NOW, catalogue, "dev"
    )
    assert paid.record.grace_until is None


def test_retention_counts_from_the_end_that_stripe_names(catalogue, record):
    """However late we look, the data are kept for thirty days after the end."""
    truth = Truth(subscriptions=(sub("canceled", ended_at=NOW - 10 * DAY),))
    decision = decide(record(**READY), truth, NOW, catalogue, "dev")
    assert decision.record.retention_until == NOW + 20 * DAY
    assert decision.record.due_at == NOW + 20 * DAY


def test_subscribing_again_forgets_the_retention(catalogue, record):
    """A live subscription means that nothing is counted down any more."""
    truth = Truth(subscriptions=(sub("canceled", id="sub_0", ended_at=NOW - DAY), sub()))
    decision = decide(record(retention_until=NOW + DAY), truth, NOW, catalogue, "dev")
    assert decision.record.retention_until is None


def test_a_deleted_customer_ends_its_subscription_and_makes_way_for_a_new_one(catalogue, record):
    """The record keeps what was, as ended now, and the next customer is a new generation."""
    before = record(customer_id="cus_1", checkout=OPEN, **billed("active"), **READY)
    gone = decide(before, Truth(customer_gone=True), NOW, catalogue, "dev").record
    assert (gone.customer_id, gone.customer_generation, gone.checkout) == (None, 1, None)
    assert (gone.subscription.status, gone.retention_until) == ("canceled", NOW + 30 * DAY)
    later = decide(gone, Truth(), NOW + 31 * DAY, catalogue, "dev")
    assert later.standing.wanted == "absent"


@pytest.mark.parametrize(
    ("open_checkout", "truth", "kept"),
    [
        (OPEN, Truth(), True),
        (OPEN, Truth(subscriptions=(sub(nonce="n-1"),)), False),
        (OPEN, Truth(subscriptions=(sub("incomplete", nonce="n-1"),)), False),
        (OPEN, Truth(subscriptions=(sub(nonce="n-0"),)), True),
        (OPEN, Truth(session=CheckoutSession(id="cs_1", status="expired", url=None, expires_at=1)), False),
        (OPEN, Truth(session=CheckoutSession(id="cs_1", status="complete", url=None, expires_at=1)), True),
        (checkout(), Truth(), True),
        (checkout(started_at=NOW - DAY), Truth(), False),
    ],
)  # fmt: skip
def test_when_a_recorded_checkout_is_resolved(catalogue, record, open_checkout, truth, kept):
    """It is cleared by its own subscription or its expiry, so that it never blocks a later one."""
    decision = decide(record(checkout=open_checkout), truth, NOW, catalogue, "dev")
    assert bool(decision.record.checkout) == kept


def test_free_runs_out_once(catalogue, record):
    """The grant ends at its time, and the count goes down with that one decision."""
    before = record(free=FreeGrant(started_at=NOW - 30 * DAY), free_until=NOW, **READY)
    first = decide(before, Truth(), NOW, catalogue, "dev")
    again = decide(first.record, Truth(), NOW + 5, catalogue, "dev")
    assert first.record.free.ended_at == NOW
    assert first.record.retention_until == NOW + 30 * DAY
    assert again.record.free == first.record.free


def test_a_plan_that_is_not_ours_is_a_problem_with_a_remedy(catalogue, record):
    """A live subscription to a foreign product is told to the operator, not guessed at."""
    truth = Truth(subscriptions=(sub(product_id="prod_foreign"),))
    decision = decide(record(), truth, NOW, catalogue, "dev")
    assert "prod_foreign" in decision.problem
    assert "plans.toml" in decision.problem


RETAINER = sub(id="sub_2", created=NOW - 9 * DAY, product_id="prod_retainer")


def test_what_was_paid_for_is_a_plan_of_ours(catalogue, record):
    """An add-on that stood alone in it for a while was not the plan that an upgrade is dearer than."""
    paid = decide(record(**READY), Truth(subscriptions=(sub(),)), NOW, catalogue, "dev").record
    alone = sub(items=(Item(product_id="prod_addon"),), product_id=None)
    addon = decide(paid, Truth(subscriptions=(alone,)), NOW, catalogue, "dev").record
    assert addon.subscription.paid_product_id == OURS
    declined = sub("past_due", product_id="arm-engine-dev-pro")
    again = decide(addon, Truth(subscriptions=(declined,)), NOW, catalogue, "dev")
    assert (again.standing.plan_id, again.standing.wanted) == ("basic", "running")


def test_what_somebody_else_sold_is_no_second_subscription(catalogue, record):
    """A consulting retainer of the same customer, older and as healthy, changes nothing."""
    truth = Truth(subscriptions=(sub(), RETAINER))
    decision = decide(record(**READY), truth, NOW, catalogue, "dev")
    assert decision.record.billing.subscription == sub(paid_product_id=OURS)
    assert decision.record.billing.duplicates == ()
    assert decision.standing.wanted == "running"
    assert "prod_retainer" in decision.problem


@pytest.mark.parametrize(
    "past", [{}, {"free": FreeGrant(started_at=1, ended_at=NOW - 40 * DAY), "free_until": 2}]
)
@pytest.mark.parametrize("status", ["active", "trialing", "past_due", "unpaid", "paused"])
def test_nothing_is_deleted_while_something_lives_that_cannot_be_read(
    catalogue, record, past, status
):
    """Ours has ended and nothing runs any more; the data stay while somebody is charged for what we do not know."""
    ended = sub("canceled", ended_at=NOW - 31 * DAY)
    unread = replace(RETAINER, status=status)
    found = (unread,) if past else (ended, unread)
    decision = decide(record(**READY, **past), Truth(subscriptions=found), NOW, catalogue, "dev")
    assert (decision.standing.status, decision.standing.wanted) == ("canceled", "suspended")
    over = Truth(subscriptions=(*found[:-1], replace(unread, status="canceled", ended_at=NOW - 1)))
    later = decide(decision.record, over, NOW + 31 * DAY, catalogue, "dev")
    assert later.standing.wanted == "absent"


@pytest.mark.parametrize(
    "past", [{}, {"free": FreeGrant(started_at=1, ended_at=NOW - 40 * DAY), "free_until": 2}]
)
def test_nothing_is_deleted_while_a_bank_is_at_a_first_payment(catalogue, record, past):
    """Whoever buys again within the retention finds their data, however long the bank takes."""
    under_way = sub("incomplete", id="sub_2")
    ended = () if past else (sub("canceled", ended_at=NOW - 31 * DAY),)
    truth = Truth(subscriptions=(*ended, under_way))
    decision = decide(record(**READY, **past), truth, NOW, catalogue, "dev")
    assert decision.standing.wanted == "suspended"
    failed = Truth(subscriptions=(*ended, replace(under_way, status="incomplete_expired")))
    assert decide(decision.record, failed, NOW, catalogue, "dev").standing.wanted == "absent"


times = st.one_of(st.none(), st.integers(NOW - 40 * DAY, NOW + 40 * DAY))
subscriptions = st.lists(
    st.builds(
        Subscription,
        id=st.sampled_from(["sub_1", "sub_2", "sub_3"]),
        status=st.sampled_from(
            ["active", "trialing", "past_due", "unpaid", "paused", "canceled", "incomplete",
             "incomplete_expired"]
        ),
        created=st.integers(NOW - 40 * DAY, NOW),
        product_id=st.sampled_from([OURS, "arm-engine-dev-pro", "other", None]),
        nonce=st.sampled_from([None, "n-1", "n-2"]),
        collection_paused=st.booleans(),
        paused_by_us=st.booleans(),
        items=st.lists(
            st.builds(
                Item,
                product_id=st.sampled_from([OURS, "arm-engine-dev-pro", "prod_addon"]),
                quantity=st.sampled_from([1, 1, 0, 5, None]),
            ),
            max_size=3,
        ).map(tuple),
        ended_at=times,
    ),
    max_size=3,
    unique_by=lambda s: s.id,
)  # fmt: skip
records = st.builds(
    Record,
    tenant_id=st.just("0123456789abcdef"),
    user=st.just(User(issuer="i", subject="s")),
    billing=st.builds(
        Billing, subscription=st.one_of(st.none(), subscriptions.map(lambda s: s[0] if s else None))
    ),
    free=st.one_of(
        st.none(), st.builds(FreeGrant, started_at=st.integers(NOW - 40 * DAY, NOW), ended_at=times)
    ),
    free_until=times,
    checkout=st.one_of(st.none(), st.just(OPEN), st.just(checkout())),
    paid_session=st.sampled_from([None, "cs_1"]),
    ready_since=times,
    phase=st.sampled_from([None, "running", "suspended", "deleting"]),
    grace_until=times,
    retention_until=times,
)


@given(record=records, found=subscriptions)
def test_looking_twice_at_the_same_moment_changes_nothing(catalogue, record, found):
    """A decision is a fact about the truth, so deciding again from it gives the same."""
    truth = Truth(subscriptions=tuple(found))
    once = decide(record, truth, NOW, catalogue, "dev")
    twice = decide(once.record, truth, NOW, catalogue, "dev")
    assert twice.record == once.record
    assert twice.standing == once.standing


@given(record=records, found=subscriptions, order=st.randoms(use_true_random=False))
def test_the_order_in_which_stripe_lists_does_not_matter(catalogue, record, found, order):
    """Nothing is decided by position."""
    shuffled = list(found)
    order.shuffle(shuffled)
    for n, each in enumerate(shuffled):
        items = list(each.items)
        order.shuffle(items)
        shuffled[n] = replace(each, items=tuple(items))
    one = decide(record, Truth(subscriptions=tuple(found)), NOW, catalogue, "dev")
    other = decide(record, Truth(subscriptions=tuple(shuffled)), NOW, catalogue, "dev")
    assert one.record == other.record


@given(record=records, found=subscriptions)
def test_a_paid_tenant_is_never_to_be_removed(catalogue, record, found):
    """While anything that is paid for is listed, no tenant that was not claimed is deleted."""
    decision = decide(record, Truth(subscriptions=tuple(found)), NOW, catalogue, "dev")
    paid = any(s.is_entitled for s in found)
    if paid and record.phase != "deleting" and decision.standing.status != "none":
        assert decision.standing.wanted != "absent"


@given(record=records, found=subscriptions)
def test_a_deadline_is_always_ahead(catalogue, record, found):
    """`due_at` never lies in the past, or the sweep would find the same tenant for ever."""
    decision = decide(record, Truth(subscriptions=tuple(found)), NOW, catalogue, "dev")
    assert decision.record.due_at is None or decision.record.due_at > NOW


@given(record=records, found=subscriptions)
def test_whoever_is_active_has_a_running_tenant_wanted(catalogue, record, found):
    """Entitled and running go together, but for a hold, a dispute and a foreign product."""
    decision = decide(record, Truth(subscriptions=tuple(found)), NOW, catalogue, "dev")
    if decision.standing.wanted == "running":
        assert decision.standing.active
    if decision.standing.active and decision.standing.plan_id:
        assert decision.standing.wanted == "running"


def test_a_nudge_in_between_loses_no_deadline(record):
    """The earliest deadline still ahead is the one that is due; passed ones stay as facts."""
    known = record(grace_until=NOW - 5, retention_until=NOW + 50, free_until=NOW + 20)
    assert known.next_deadline(NOW) == NOW + 50
    granted = replace(known, free=FreeGrant(started_at=1))
    assert granted.next_deadline(NOW) == NOW + 20
