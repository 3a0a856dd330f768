"""The policy: what a tenant's record, and Stripe's word, mean for its status and its namespace."""

from dataclasses import dataclass, replace
from typing import Literal

from chalicelib.domain.catalogue import FREE, Catalogue
from chalicelib.domain.duplicates import next_resolution
from chalicelib.domain.record import Billing, Record
from chalicelib.domain.subscription import Subscription, Truth, the_one_that_counts

DAY = 24 * 3600

Status = Literal["active", "provisioning", "canceled", "past_due", "none"]
Wanted = Literal["running", "suspended", "absent", "as it was"]


@dataclass(frozen=True, slots=True)
class Standing:
    """What holds for a tenant at one moment.

    Attributes:
        status: what the page says.
        active: whether the customer is entitled to a running tenant.
        plan_id: the plan that this is about; None where there is none, or it is not ours.
        wanted: what the namespace should be.
    """

    status: Status
    active: bool
    plan_id: str | None
    wanted: Wanted


@dataclass(frozen=True, slots=True)
class Decision:
    """What follows from looking: the next record, where it stands, and what needs doing.

    Attributes:
        record: facts and deadlines brought up to date; the cluster's part is as it was.
        free_ended: the Free grant ran out, so the count of grants goes down with this write.
        problem: why no tenant can be made of this, for operators; None when all is well.
    """

    record: Record
    standing: Standing
    free_ended: bool
    problem: str | None


def decide(record: Record, truth: Truth, now: int, catalogue: Catalogue, stage: str) -> Decision:
    """Bring the record up to date with Stripe's word and say what is wanted."""
    known = _with_free_run_out(_with_truth(record, truth, now, catalogue, stage), now)
    known = _with_deadlines(known, now, catalogue)
    standing = standing_of(known, now, catalogue, stage)
    return Decision(
        record=replace(known, due_at=known.next_deadline(now)),
        standing=standing,
        free_ended=known.free != record.free,
        problem=_problem(known, standing),
    )


def standing_of(record: Record, now: int, catalogue: Catalogue, stage: str) -> Standing:
    """The table of the design: the first line that fits holds."""
    billed = _by_billing(record, now, catalogue, stage)
    if record.hold:
        # A deletion that was claimed before is carried out all the same: it cannot be half undone.
        wanted: Wanted = "absent" if record.phase == "deleting" else "suspended"
        return replace(billed, active=False, wanted=wanted)
    if record.phase == "deleting":
        return Standing("canceled", active=False, plan_id=billed.plan_id, wanted="absent")
    if record.disputes and catalogue.policy.suspend_on_dispute and billed.wanted == "running":
        return replace(billed, active=False, wanted="suspended")
    if billed.wanted in {"running", "suspended"} and billed.plan_id is None:
        return replace(billed, wanted="as it was")
    return billed


def _by_billing(record: Record, now: int, catalogue: Catalogue, stage: str) -> Standing:
    plan_id = _plan_id(record, catalogue, stage)
    subscription = record.subscription
    if subscription and subscription.is_live:
        return _by_live(subscription, record, now, plan_id)
    if record.free_stands(now):
        return Standing(_running(record), active=True, plan_id=FREE, wanted="running")
    if record.paid_mark and record.checkout:
        plan_id = record.checkout.plan_id
        return Standing("provisioning", active=False, plan_id=plan_id, wanted="as it was")
    if _ended_at(record, now) is not None:
        if _free_ended_last(record):
            plan_id = FREE
        kept = record.retention_until is None or now < record.retention_until
        # A bank may take days over a first payment: whoever comes back in time keeps their data.
        wanted: Wanted = "suspended" if kept or record.billing.incomplete else "absent"
        return Standing("canceled", active=False, plan_id=plan_id, wanted=wanted)
    return Standing("none", active=False, plan_id=None, wanted="absent")


def _by_live(subscription: Subscription, record: Record, now: int, plan_id: str | None) -> Standing:
    if subscription.is_entitled:
        return Standing(_running(record), active=True, plan_id=plan_id, wanted="running")
    in_grace = record.grace_until is None or now < record.grace_until
    if subscription.status == "past_due" and not subscription.is_paused and in_grace:
        return Standing("past_due", active=True, plan_id=plan_id, wanted="running")
    return Standing("past_due", active=False, plan_id=plan_id, wanted="suspended")


def _running(record: Record) -> Status:
    """A plan change does not fall back to provisioning: only the first time is one set up."""
    return "active" if record.ready_since is not None else "provisioning"


def _plan_id(record: Record, catalogue: Catalogue, stage: str) -> str | None:
    subscription = record.subscription
    if subscription is None or subscription.product_id is None:
        return None
    plan = catalogue.plan_of_product(stage, subscription.product_id)
    return plan.id if plan else None


def _with_truth(record: Record, truth: Truth, now: int, catalogue: Catalogue, stage: str) -> Record:
    everything = _all_known(record, truth, now)
    subscriptions = [s for s in everything if s.is_sold_by(catalogue.deployment(stage))]
    counted = the_one_that_counts(subscriptions)
    if counted is None and record.free is None:
        # Nothing of ours ever stood: what somebody made by hand is told to the operator.
        counted = the_one_that_counts(everything)
    billing = Billing(
        subscription=counted,
        duplicates=tuple(sorted(s.id for s in subscriptions if s.is_live and s != counted)),
        incomplete=any(s.status == "incomplete" for s in subscriptions),
    )
    trials = [s.trialed_at for s in subscriptions if s.trialed_at is not None]
    known = replace(
        record,
        billing=billing,
        checkout=None if _is_resolved(record, truth, now) else record.checkout,
        disputes=record.disputes if truth.open_disputes is None else truth.open_disputes,
        trialed_at=record.trialed_at
        if record.trialed_at is not None
        else min(trials, default=None),
        resolution=next_resolution(record, subscriptions, counted, now, catalogue.policy),
    )
    if truth.customer_gone:
        # The next customer is a new one.
        generation = record.customer_generation + 1
        return replace(known, customer_id=None, customer_generation=generation, checkout=None)
    return known


def _all_known(record: Record, truth: Truth, now: int) -> tuple[Subscription, ...]:
    """Stripe's list, and the last one of a customer that is no more: its data are still kept.

    Deleting a customer ends its subscriptions at once.
    """
    known = record.subscription
    if known is None or any(known.id == s.id for s in truth.subscriptions):
        return truth.subscriptions
    if known.is_live:
        known = replace(known, status="canceled", ended_at=now)
    return (*truth.subscriptions, known) if known.has_ended else truth.subscriptions


def _is_resolved(record: Record, truth: Truth, now: int) -> bool:
    """Whether the recorded checkout has become a subscription, or can become none any more."""
    checkout, session = record.checkout, truth.session
    if checkout is None or checkout.became_one_of(truth.subscriptions, session):
        return True
    if session is not None:
        return session.status == "expired" or session.customer_gone
    return checkout.session_id is None and now >= checkout.ends_at


def _with_free_run_out(record: Record, now: int) -> Record:
    free = record.free
    if (
        free
        and free.ended_at is None
        and record.free_until is not None
        and now >= record.free_until
    ):
        return replace(record, free=replace(free, ended_at=record.free_until))
    return record


def _with_deadlines(record: Record, now: int, catalogue: Catalogue) -> Record:
    subscription = record.subscription
    grace_until = None
    if subscription and subscription.payment_failed:
        grace_until = record.grace_until or now + catalogue.policy.grace_days * DAY
    ended_at = _ended_at(record, now)
    retention_until = ended_at and ended_at + catalogue.policy.retention_days * DAY
    return replace(
        record,
        grace_until=grace_until,
        retention_until=retention_until,
        retry_at=None,
        attempts=0,
    )


def _ended_at(record: Record, now: int) -> int | None:
    """When the last thing that gave a tenant ended; None while one stands, or none ever did."""
    subscription = record.subscription
    if (subscription and subscription.is_live) or record.free_stands(now):
        return None
    ends = (_subscription_end(record), _free_end(record))
    return max((end for end in ends if end is not None), default=None)


def _free_ended_last(record: Record) -> bool:
    free, paid = _free_end(record), _subscription_end(record)
    return free is not None and (paid is None or free >= paid)


def _subscription_end(record: Record) -> int | None:
    subscription = record.subscription
    if subscription is None or not subscription.has_ended:
        return None
    return subscription.ended_at or subscription.created


def _free_end(record: Record) -> int | None:
    free = record.free
    return None if free is None else free.ended_at or record.free_until or free.started_at


def _problem(record: Record, standing: Standing) -> str | None:
    subscription = record.subscription
    if subscription is None or standing.plan_id is not None or standing.wanted == "absent":
        return None
    return (
        f"subscription {subscription.id} is for product {subscription.product_id}, "
        "which is not in plans.toml: add the plan, or move the subscription to a price of ours"
    )
