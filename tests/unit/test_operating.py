"""What an operator's commands work out by themselves: figures, and who needs a rollout."""

from dataclasses import replace

import pytest

from chalicelib.domain import tenant
from chalicelib.domain.record import Billing, Excess, Failure, FreeGrant, Hold, Record, User
from chalicelib.domain.subscription import Subscription
from chalicelib.domain.timeline import Line
from ops.operating.problems import problems
from ops.operating.revenue import Revenue, monthly
from ops.operating.rollout import outdated
from ops.operating.statistics import statistics
from ops.operating.words import in_order, said

NOW = 2_000_000
DAY = 24 * 3600
USER = User("https://issuer.example", "u-1", "ada@example.com")


def subscriber(plan="basic", status="active", **more):
    """Somebody who pays."""
    paid = Subscription(
        id="sub_1", status=status, created=NOW - 60, product_id=f"arm-engine-dev-{plan}"
    )
    usual = {"billing": Billing(subscription=paid), "phase": "running", "ready_since": NOW - 58}
    return Record(tenant_id=USER.tenant_id, user=USER, **(usual | more))


def applied(catalogue, record, plan="basic", *, suspended=False):
    """As a reconcile with this catalogue leaves it."""
    wanted = tenant.objects(catalogue, record.tenant_id, catalogue.plan(plan), suspended=suspended)
    return replace(record, applied=tenant.revision(wanted))


def test_who_has_what_the_catalogue_says_is_left_alone(catalogue):
    """So that a rollout that was stopped goes on where it was."""
    record = applied(catalogue, subscriber())
    assert not outdated(record, NOW, catalogue, "dev")
    assert outdated(replace(record, applied="of an older one"), NOW, catalogue, "dev")
    assert outdated(replace(record, applied=None), NOW, catalogue, "dev")


@pytest.mark.parametrize(
    "changed",
    [
        {"nudged": 2, "reconciled": 1},
        {"phase": None},
        {"phase": "deleting"},
        {"billing": Billing()},
    ],
    ids=["looked at anyway", "no namespace", "being deleted", "nobody pays"],
)
def test_who_needs_no_nudge(catalogue, changed):
    """Whatever stands in the cluster is not a rollout's business then."""
    assert not outdated(subscriber(applied="old", **changed), NOW, catalogue, "dev")


def test_the_suspended_are_compared_with_what_is_suspended(catalogue):
    """A hold changes what is wanted, not whether it is up to date."""
    held = subscriber(hold=Hold(reason="x", since=NOW), phase="suspended")
    assert not outdated(applied(catalogue, held, suspended=True), NOW, catalogue, "dev")
    assert outdated(applied(catalogue, held), NOW, catalogue, "dev")


def test_the_shop_in_figures(catalogue):
    """Each customer once, by what their page says."""
    on_free = Record(
        tenant_id="f", user=USER, free=FreeGrant(started_at=NOW - DAY), free_until=NOW + DAY,
        phase="running", ready_since=NOW,
    )  # fmt: skip
    failed = Failure(permanent=True, reason="refused", at=NOW)
    records = [
        subscriber(),
        subscriber("pro", ready_since=NOW - 50),
        subscriber(status="past_due", grace_until=NOW + DAY, nudged=1),
        subscriber(hold=Hold(reason="x", since=NOW)),
        subscriber(failure=failed, ready_since=None, phase=None, disputes=("dp_1",)),
        on_free,
        Record(tenant_id="n", user=USER),
    ]
    found = statistics(records, NOW, catalogue, "dev", Revenue(12345, 1))
    assert found.customers == 7
    assert found.by_status == {"active": 4, "none": 1, "past_due": 1, "provisioning": 1}
    assert found.by_plan == {"basic": 2, "free": 1, "pro": 1}
    assert (found.pending, found.failed, found.held, found.disputed) == (1, 1, 1, 1)
    assert (found.monthly_revenue, found.revenue_not_reckoned) == (12345, 1)
    waits = found.pay_to_ready
    assert (waits.customers, waits.median, waits.p99) == (4, 2, 10)


def test_no_customers_no_waits(catalogue):
    """An empty shop has figures, too."""
    found = statistics([], NOW, catalogue, "dev", Revenue(0, 0))
    assert (found.customers, found.pay_to_ready.median, found.pay_to_ready.p99) == (0, None, None)


def paying(amount, interval="month", count=1, **more):
    """An active subscription of one item, as Stripe has it."""
    recurring = {"interval": interval, "interval_count": count, "usage_type": "licensed"}
    price = {"product": "ours", "unit_amount": amount, "recurring": recurring | more}
    return {"pause_collection": None, "items": {"data": [{"price": price, "quantity": 1}]}}


@pytest.mark.parametrize(
    ("subscription", "cents"),
    [
        (paying(2900), 2900),
        (paying(2900, "month", 3), 966),
        (paying(12000, "year"), 1000),
        (paying(24000, "year", 2), 1000),
        (paying(700, "week"), 3041),
        (paying(1400, "week", 2), 3041),
        (paying(100, "day"), 3041),
    ],
)
def test_every_interval_is_reckoned_by_the_month(subscription, cents):
    """A day is the 365th part of a year, a month its twelfth; whole cents, rounded down."""
    assert monthly([subscription], {"ours"}) == Revenue(cents, 0)


def test_what_cannot_be_reckoned_is_counted():
    """Tiers, metered use, an interval of tomorrow: the rest is still summed up."""
    odd = [paying(None), paying(5, usage_type="metered"), paying(5, "fortnight")]
    assert monthly([*odd, paying(2900)], {"ours"}) == Revenue(2900, 3)


def test_parts_of_a_cent_several_and_none():
    """Stripe has no whole amount then; a quantity of nothing brings nothing."""
    partly, several, none = paying(None), paying(2900), paying(2900)
    partly["items"]["data"][0]["price"]["unit_amount_decimal"] = "150.5"
    several["items"]["data"][0]["quantity"] = 2
    none["items"]["data"][0]["quantity"] = 0
    assert monthly([partly, several, none], {"ours"}) == Revenue(150 + 5800, 0)


def test_only_what_is_ours_and_runs_is_revenue():
    """Other products of the account, and what is paused, are neither summed up nor counted."""
    paused = paying(2900) | {"pause_collection": {"behavior": "void"}}
    assert monthly([paused, paying(None) | paused], {"ours"}) == Revenue(0, 0)
    assert monthly([paying(2900)], {"another"}) == Revenue(0, 0)


def test_what_bears_the_same_second_is_told_cause_first():
    """Stripe's clock has whole seconds; what came of an event is not told before it."""
    lines = [
        Line(created=NOW, id="a", kind="decision", text="basic: active"),
        Line(created=NOW, id="b", kind="cluster", text="objects applied"),
        Line(created=NOW, id="c", kind="event", text="invoice.paid"),
        Line(created=NOW - 1, id="d", kind="decision", text="before"),
    ]
    assert [line.id for line in in_order(lines)] == ["d", "c", "b", "a"]
    assert said(lines[2]) == "an invoice was paid (invoice.paid, c)"


def test_what_a_person_must_see_is_told_from_the_record_alone():
    """What failed for good, and what is over a quota; not an outage of some minutes."""
    assert problems(subscriber(), NOW) == []
    failed = Failure(permanent=True, reason="the namespace is a stranger's", at=NOW)
    excess = Excess(over={"pods": "50", "limits.cpu": "4"}, fit_until=NOW + DAY)
    assert problems(subscriber(failure=failed, excess=excess), NOW) == [
        "failed for good: the namespace is a stranger's",
        "over its quota: limits.cpu by 4, pods by 50",
    ]
    away = Failure(permanent=False, reason="HTTP 503", at=NOW, since=NOW - 600)
    waits = subscriber(failure=away, nudged=2, reconciled=1)
    assert problems(waits, NOW) == []
    assert problems(waits, NOW + 3600) == ["pending for 70 minutes: HTTP 503"]
