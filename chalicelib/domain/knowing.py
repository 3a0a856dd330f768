"""What is known of a tenant, brought up to date: Stripe's word, and what time has made of it."""

from dataclasses import replace

from chalicelib.domain.catalogue import Catalogue
from chalicelib.domain.duplicates import next_resolution
from chalicelib.domain.reading import read
from chalicelib.domain.record import Billing, Hold, Record
from chalicelib.domain.subscription import Subscription, Truth, the_one_that_counts

DAY = 24 * 3600


def with_truth(record: Record, truth: Truth, now: int, catalogue: Catalogue, stage: str) -> Record:
    """The record as Stripe's word makes it."""
    everything = [
        _dated(read(each, catalogue, stage), record, now) for each in _all_known(record, truth, now)
    ]
    subscriptions = [s for s in everything if s.is_sold_by(catalogue.deployment(stage))]
    counted = the_one_that_counts(subscriptions)
    if counted is None and record.free is None:
        # Nothing of ours ever stood: what somebody made by hand is told to the operator.
        counted = the_one_that_counts(everything)
    billing = Billing(
        subscription=counted and _with_paid_product(counted, record, catalogue.deployment(stage)),
        duplicates=tuple(sorted(s.id for s in subscriptions if s.is_live and s != counted)),
        incomplete=any(s.status == "incomplete" for s in subscriptions),
        unread=tuple(
            sorted(f"subscription {s.id}: {s.oddity}" for s in everything if s.is_live and s.oddity)
        ),
    )
    trials = [s.trialed_at for s in subscriptions if s.trialed_at is not None]
    known = replace(
        _with_disputes(record, truth, now, catalogue),
        billing=billing,
        checkout=None if _is_resolved(record, truth, now) else record.checkout,
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


def _dated(subscription: Subscription, record: Record, now: int) -> Subscription:
    """One that has ended at no named time has ended when that was first seen."""
    if not subscription.has_ended or subscription.ended_at is not None:
        return subscription
    known = record.subscription
    seen = known.ended_at if known and known.has_ended else None
    return replace(subscription, ended_at=max(seen, subscription.created) if seen else now)


def _with_paid_product(counted: Subscription, record: Record, deployment: str) -> Subscription:
    """Remember which product of ours it was for when it was last seen paid for."""
    known, product_id = record.subscription, counted.product_id or ""
    if counted.is_entitled and product_id.startswith(f"{deployment}-"):
        return replace(counted, paid_product_id=product_id)
    if known is None or known.id != counted.id:
        return counted
    # A record of before this was kept says what it was for while it was paid.
    paid = known.paid_product_id or (known.product_id if known.is_entitled else None)
    return replace(counted, paid_product_id=paid)


def _with_disputes(record: Record, truth: Truth, now: int, catalogue: Catalogue) -> Record:
    """Which disputes are open, which were lost, and what a new verdict means.

    A verdict is kept until an appeal is won. Losing puts a hold on the tenant, by policy; the hold
    goes with the verdict that it was for.
    """
    if truth.open_disputes is None:
        return record
    appealed = set(record.lost_disputes) & set(truth.open_disputes)
    lost = tuple(sorted({*truth.lost_disputes, *appealed}))
    hold = record.hold
    if hold and hold.dispute_id:
        standing = [each for each in (hold.dispute_id, *hold.others) if each in lost]
        others = tuple(standing[1:])
        hold = replace(hold, dispute_id=standing[0], others=others) if standing else None
    new = sorted(set(lost) - set(record.lost_disputes))
    if new and hold is None and catalogue.policy.dispute_lost == "hold":
        reason = f"the dispute {new[0]} was lost"
        hold = Hold(reason=reason, since=now, pause_billing=True, dispute_id=new[0])
    elif new and hold and catalogue.policy.dispute_lost == "hold":
        reason = f"{hold.reason}; the dispute {new[0]} was lost"
        hold = replace(hold, reason=reason, pause_billing=True)
        if hold.dispute_id:
            hold = replace(hold, others=(*hold.others, *new))
    return replace(record, disputes=truth.open_disputes, lost_disputes=lost, hold=hold)


def _is_resolved(record: Record, truth: Truth, now: int) -> bool:
    """Whether the recorded checkout has become a subscription, or can become none any more."""
    checkout, session = record.checkout, truth.session
    if checkout is None or checkout.became_one_of(truth.subscriptions, session):
        return True
    if session is not None:
        return session.status == "expired" or session.customer_gone
    return checkout.session_id is None and now >= checkout.ends_at


def with_free_run_out(record: Record, now: int) -> Record:
    """A Free grant whose time is over has ended at that time."""
    free = record.free
    if (
        free
        and free.ended_at is None
        and record.free_until is not None
        and now >= record.free_until
    ):
        return replace(record, free=replace(free, ended_at=record.free_until))
    return record


def with_deadlines(record: Record, now: int, catalogue: Catalogue) -> Record:
    """Grace and retention, as far as either runs; what was put off is put off no more."""
    subscription = record.subscription
    grace_until = None
    if subscription and subscription.payment_failed:
        grace_until = record.grace_until or now + catalogue.policy.grace_days * DAY
    ended = ended_at(record, now)
    retention_until = ended and ended + catalogue.policy.retention_days * DAY
    return replace(
        record,
        grace_until=grace_until,
        retention_until=retention_until,
        retry_at=None,
        attempts=0,
    )


def ended_at(record: Record, now: int) -> int | None:
    """When the last thing that gave a tenant ended; None while one stands, or none ever did."""
    subscription = record.subscription
    if (subscription and subscription.is_live) or record.free_stands(now):
        return None
    ends = (_subscription_end(record), _free_end(record))
    return max((end for end in ends if end is not None), default=None)


def free_ended_last(record: Record) -> bool:
    """Whether what ended last was Free."""
    free, paid = _free_end(record), _subscription_end(record)
    return free is not None and (paid is None or free >= paid)


def _subscription_end(record: Record) -> int | None:
    subscription = record.subscription
    return subscription.ended_at if subscription and subscription.has_ended else None


def _free_end(record: Record) -> int | None:
    free = record.free
    return None if free is None else free.ended_at or record.free_until or free.started_at
