"""The policy: what a tenant's record, and Stripe's word, mean for its status and its namespace."""

from dataclasses import dataclass, replace

from chalicelib.domain import knowing
from chalicelib.domain.catalogue import FREE, Catalogue
from chalicelib.domain.knowing import DAY
from chalicelib.domain.record import Record
from chalicelib.domain.standing import Standing, Status, Wanted
from chalicelib.domain.subscription import Subscription, Truth

__all__ = ["DAY", "Decision", "Standing", "Status", "Wanted", "decide", "standing_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What follows from looking: the next record, where it stands, and what needs doing.

    Attributes:
        record: facts and deadlines brought up to date; the cluster's part is as it was.
        free_ended: the Free grant ran out, so the count of grants goes down with this write.
        problem: what a person has to see about what is charged; None when all is well.
        cannot_be_served: it is paid for, nothing stands, and no plan says what to give.
        to_pause: subscriptions of which nothing is to be charged while we stop their tenant.
        to_resume: subscriptions that we paused and that are to be charged again.
        to_cancel: the subscription that a lost dispute ends, by policy.
        to_settle: ended subscriptions whose open invoices bring no service any more.
        sells_nothing: whatever could be bought would be suspended at once.
    """

    record: Record
    standing: Standing
    free_ended: bool = False
    problem: str | None = None
    cannot_be_served: bool = False
    to_pause: tuple[str, ...] = ()
    to_resume: tuple[str, ...] = ()
    to_cancel: str | None = None
    to_settle: tuple[str, ...] = ()
    sells_nothing: bool = False


def decide(record: Record, truth: Truth, now: int, catalogue: Catalogue, stage: str) -> Decision:
    """Bring the record up to date with Stripe's word and say what is wanted."""
    known = knowing.with_free_run_out(knowing.with_truth(record, truth, now, catalogue, stage), now)
    known = knowing.with_deadlines(known, now, catalogue)
    standing = standing_of(known, now, catalogue, stage)
    is_disputed = bool(known.disputes) and catalogue.policy.suspend_on_dispute
    deployment = catalogue.deployment(stage)
    to_pause, to_resume = _collection(known, truth, deployment, is_disputed=is_disputed)
    new_verdict = set(known.lost_disputes) - set(record.lost_disputes)
    ends = catalogue.policy.dispute_lost == "end"
    return Decision(
        record=replace(known, due_at=known.next_deadline(now)),
        standing=standing,
        free_ended=known.free != record.free,
        problem="; ".join(known.billing.unread) or None,
        cannot_be_served=standing.active and standing.plan_id is None and known.phase != "running",
        to_pause=to_pause,
        to_resume=to_resume,
        to_cancel=_to_cancel(known, deployment) if new_verdict and ends else None,
        to_settle=_to_settle(known, truth, deployment),
        sells_nothing=bool(known.hold) or is_disputed,
    )


def standing_of(record: Record, now: int, catalogue: Catalogue, stage: str) -> Standing:
    """The table of the design: the first line that fits holds."""
    billed = _by_billing(record, now, catalogue, stage)
    if record.hold:
        # A deletion that was claimed before is carried out all the same: it cannot be half undone.
        wanted: Wanted = "absent" if record.phase == "deleting" else "suspended"
        return replace(billed, active=False, wanted=wanted, stopped_by="hold")
    if record.phase == "deleting":
        return Standing("canceled", active=False, plan_id=billed.plan_id, wanted="absent")
    if record.disputes and catalogue.policy.suspend_on_dispute and billed.wanted == "running":
        return replace(billed, active=False, wanted="suspended", stopped_by="dispute")
    if billed.wanted == "running" and billed.plan_id is None:
        # Taking away needs no plan, giving needs one.
        return replace(billed, wanted="as it was")
    return billed


def _by_billing(record: Record, now: int, catalogue: Catalogue, stage: str) -> Standing:
    plan_id = _plan_id(record.subscription, catalogue, stage)
    subscription = record.subscription
    if subscription and subscription.is_live:
        return _by_live(subscription, record, now, plan_id)
    if record.free_stands(now):
        return Standing(_running(record), active=True, plan_id=FREE, wanted="running")
    if record.paid_mark and record.checkout:
        plan_id = record.checkout.plan_id
        return Standing("provisioning", active=False, plan_id=plan_id, wanted="as it was")
    if knowing.ended_at(record, now) is not None:
        if knowing.free_ended_last(record):
            plan_id = FREE
        kept = record.retention_until is None or now < record.retention_until
        # A bank may take days over a first payment: whoever comes back in time keeps their data.
        # And nothing is deleted while something is charged that we cannot read.
        kept = kept or record.billing.incomplete or bool(record.billing.unread)
        wanted: Wanted = "suspended" if kept else "absent"
        return Standing("canceled", active=False, plan_id=plan_id, wanted=wanted)
    return Standing("none", active=False, plan_id=None, wanted="absent")


def _by_live(subscription: Subscription, record: Record, now: int, plan_id: str | None) -> Standing:
    if subscription.is_entitled:
        return Standing(_running(record), active=True, plan_id=plan_id, wanted="running")
    in_grace = record.grace_until is None or now < record.grace_until
    if subscription.status == "past_due" and in_grace:
        return Standing("past_due", active=True, plan_id=plan_id, wanted="running")
    return Standing("past_due", active=False, plan_id=plan_id, wanted="suspended")


def _running(record: Record) -> Status:
    """A plan change does not fall back to provisioning: only the first time is one set up."""
    return "active" if record.ready_since is not None else "provisioning"


def _plan_id(subscription: Subscription | None, catalogue: Catalogue, stage: str) -> str | None:
    """The plan that is given: a dearer one only once its difference has been paid."""
    if subscription is None:
        return None
    plan = catalogue.plan_of_product(stage, subscription.product_id or "")
    paid = catalogue.plan_of_product(stage, subscription.paid_product_id or "")
    is_declined = plan and subscription.payment_failed and subscription.paid_product_id
    # What was paid for may have left plans.toml: then nobody can say that it was not less.
    if plan and is_declined and (paid is None or paid.monthly_price < plan.monthly_price):
        plan = paid
    return plan.id if plan else None


def _to_cancel(record: Record, deployment: str) -> str | None:
    """What a lost dispute ends: what we sold, and what still lives of it."""
    counted = record.subscription
    return counted.id if counted and counted.is_live and counted.is_sold_by(deployment) else None


def _to_settle(record: Record, truth: Truth, deployment: str) -> tuple[str, ...]:
    """What has ended of what we sold and was not seen to yet, whether it counts or not."""
    counted = (record.subscription,) if record.subscription else ()
    found = {s.id for s in (*truth.subscriptions, *counted) if _has_ended_here(s, deployment)}
    return tuple(sorted(found - set(record.settled)))


def _has_ended_here(subscription: Subscription, deployment: str) -> bool:
    return subscription.has_ended and subscription.is_sold_by(deployment)


def _collection(
    record: Record, truth: Truth, deployment: str, *, is_disputed: bool
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Whose invoices to stop, and whose to let go on.

    While we stop somebody, nothing is charged that we can pause; an operator says so with a hold of
    their own. A pause that somebody else has made is nobody's to lift but theirs.
    """
    ours = [s for s in truth.subscriptions if s.is_live and s.is_sold_by(deployment)]
    is_stopped = is_disputed or bool(record.hold and record.hold.pause_billing)
    if is_stopped:
        return tuple(sorted(s.id for s in ours if not s.collection_paused)), ()
    return (), tuple(sorted(s.id for s in ours if s.paused_by_us))
