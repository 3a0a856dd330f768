"""A tenant's record: the facts we keep, and the questions that may be asked of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Literal

from chalicelib.domain.catalogue import Interval
from chalicelib.domain.due import due_shard_of
from chalicelib.domain.standing import Standing
from chalicelib.domain.subscription import CheckoutSession, Subscription

SCHEMA = 1
NONCE_MAX_AGE = 23 * 3600
"""Seconds that a checkout's nonce may be replayed: Stripe forgets idempotency keys after a day."""

REMEMBERED = 24 * 3600
"""Seconds that a forgotten tenant's id is kept: no ID token of Cognito's lives longer."""

Phase = Literal["running", "suspended", "deleting"]


def tenant_id_of(issuer: str, subject: str) -> str:
    """16 hex digits that name a tenant: never anything that somebody typed."""
    return sha256(f"{issuer}\n{subject}".encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class User:
    """Who is signed in, by a verified token.

    Attributes:
        since: when they logged in (epoch seconds), as the token says; never stored.
    """

    issuer: str
    subject: str
    email: str | None = None
    since: int | None = field(default=None, compare=False)

    @property
    def tenant_id(self) -> str:
        """The tenant that this user owns."""
        return tenant_id_of(self.issuer, self.subject)

    def is_signed_out(self, not_before: int | None) -> bool:
        """Whether every session before that moment was ended, and this is one of them."""
        return not_before is not None and (self.since or 0) < not_before


@dataclass(frozen=True, slots=True, kw_only=True)
class Billing:
    """What Stripe said last: the subscription that counts, and what else there is.

    Attributes:
        subscription: the one that decides; None when none was ever past `incomplete`.
        duplicates: ids of further live subscriptions; they are reported, never ignored.
        incomplete: whether one waits for its first payment; it blocks a checkout, nothing else.
        unread: live subscriptions that cannot be read as one sale of ours, in words for operators:
            they are told, and nothing is deleted while there is one.
    """

    subscription: Subscription | None = None
    duplicates: tuple[str, ...] = ()
    incomplete: bool = False
    unread: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkout:
    """The one open checkout, written down before Stripe is called.

    Attributes:
        interval: how it is to be paid; None where the plan has one price only.
        nonce: names the attempt; idempotency key of the call, and metadata of what comes of it.
        params: exactly what is sent, frozen, so that a crash replays the same call.
        session_id: once Stripe has answered.
        started_at: epoch seconds.
        expires_at: epoch seconds, by Stripe; None until it has answered.
        burnt: nothing comes of this nonce: Stripe failed on it, which it would replay for a day,
            or refused the parameters that were frozen with it.
    """

    plan_id: str
    nonce: str
    params: Mapping[str, Any]
    started_at: int
    session_id: str | None = None
    expires_at: int | None = None
    burnt: bool = False
    interval: Interval | None = None

    @property
    def ends_at(self) -> int:
        """When it can no longer be paid (epoch seconds)."""
        return self.expires_at if self.expires_at is not None else self.started_at + 24 * 3600

    def became_one_of(
        self, subscriptions: Sequence[Subscription], session: CheckoutSession | None = None
    ) -> bool:
        """Whether one of these subscriptions came from this attempt."""
        came_of_it = session.subscription_id if session else None
        return any(s.nonce == self.nonce or s.id == came_of_it for s in subscriptions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """The intent to undo a second subscription, written down before Stripe is asked to.

    Attributes:
        subscription_id: what is canceled, and refunded whatever it charged.
        kept_id: what the customer keeps.
        since: epoch seconds.
        kept_since: when the kept one began (epoch seconds): what was charged before paid for a time
            in which there was no second.
    """

    subscription_id: str
    kept_id: str
    since: int
    kept_since: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FreeGrant:
    """The Free plan, had once; epoch seconds. `free_until` of the record says when it runs out."""

    started_at: int
    ended_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """This tenant is suspended, whatever it pays; only an operator lifts that.

    Attributes:
        since: epoch seconds.
        pause_billing: whether nothing is charged while it lasts.
        dispute_id: the lost dispute that it is about; winning an appeal lifts it. None for one that
            an operator has put on.
        others: disputes that were lost while it stood: it goes when none of all these is left.
    """

    reason: str
    since: int
    pause_billing: bool = False
    dispute_id: str | None = None
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why the last attempt came to nothing.

    Attributes:
        permanent: whether trying again is pointless until somebody changes something.
        reason: for operators; the customer reads words of ours.
        revision: the hash of the objects that failed, if it came that far.
        at: epoch seconds.
        since: when it first failed, of all the attempts since it last went well (epoch seconds).
    """

    permanent: bool
    reason: str
    at: int
    revision: str | None = None
    since: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Excess:
    """More than the plan gives, from before it gave less.

    Attributes:
        over: what there is too much of: a quota's name, and by how much (a quantity).
        fit_until: when it is brought down to fit (epoch seconds).
    """

    over: Mapping[str, str]
    fit_until: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Everything known of one tenant. Times are epoch seconds, UTC.

    Attributes:
        customer_generation: counts the Stripe customers this tenant has had.
        disputes: ids of disputes that are open, or were lost and not looked at since.
        lost_disputes: ids of those that a bank decided against us: the verdict is kept.
        trialed_at: when a trial first began; it may be had once.
        resolution: a second subscription that is being undone.
        settled: ended subscriptions whose open invoices have been seen to.
        paid_session: the checkout session that Stripe reported paid; written with the nudge only.
        nudged: raised by whatever wants a look at this tenant.
        reconciled: `nudged` as it was read by the last reconcile that came to its end.
        attempts: how often the sweep has sent the key of the present work again.
        version: raised by every decision; a nudge leaves it alone.
        applied: hash of the objects that stand in the cluster, whole; None while they change.
        ready_since: when the tenant was first complete; gone when it is deleted.
        phase: what the tenant is, as last seen through; None is absent.
        excess: what a smaller plan does not hold of what runs, and by when it is made to fit.
        stood: what the last reconcile that came to its end found: what a transition starts from.
        retry_at: when the sweep sends the key again while work is pending.
        due_at: the earliest deadline still ahead; what the index is sorted by.
        polled_at: when a status poll last nudged.
        updated_at: when what the customer sees last changed.
        busy_until: what is left of the budget of requests that cost calls of Stripe; see `budget`.
        not_before: tokens of a log-in before it open nothing; written on its own, like a nudge.
    """

    tenant_id: str
    user: User
    customer_id: str | None = None
    customer_generation: int = 0
    billing: Billing = Billing()
    disputes: tuple[str, ...] = ()
    lost_disputes: tuple[str, ...] = ()
    trialed_at: int | None = None
    resolution: Resolution | None = None
    settled: tuple[str, ...] = ()
    free: FreeGrant | None = None
    free_until: int | None = None
    checkout: Checkout | None = None
    paid_session: str | None = None
    hold: Hold | None = None
    nudged: int = 0
    reconciled: int = 0
    attempts: int = 0
    version: int = 0
    applied: str | None = None
    ready_since: int | None = None
    phase: Phase | None = None
    failure: Failure | None = None
    excess: Excess | None = None
    stood: Standing | None = None
    grace_until: int | None = None
    retention_until: int | None = None
    retry_at: int | None = None
    due_at: int | None = None
    polled_at: int | None = None
    updated_at: int | None = None
    not_before: int | None = None
    busy_until: int | None = None

    @property
    def pending(self) -> bool:
        """Whether something asked for a look that has not been had."""
        return self.nudged > self.reconciled

    @property
    def due_shard(self) -> str:
        """The index partition of this tenant."""
        return due_shard_of(self.tenant_id)

    @property
    def subscription(self) -> Subscription | None:
        """The subscription that counts."""
        return self.billing.subscription

    def has_bought(self, deployment: str) -> bool:
        """Whether a live subscription of this deployment's (`<app>-<stage>`) counts."""
        counted = self.subscription
        return counted is not None and counted.is_live and counted.is_sold_by(deployment)

    @property
    def paid_mark(self) -> bool:
        """Whether the recorded checkout is known to be paid, its subscription not seen yet."""
        session_id = self.checkout.session_id if self.checkout else None
        return session_id is not None and session_id == self.paid_session

    @property
    def seconds_to_ready(self) -> int | None:
        """How long a customer waited from paying to a tenant that was complete.

        None where nobody waited: not paid for, not ready yet, or it stood before (on Free, say).
        """
        if self.subscription is None or self.ready_since is None:
            return None
        waited = self.ready_since - self.subscription.created
        return waited if waited >= 0 else None

    def free_stands(self, now: int) -> bool:
        """Whether the Free grant holds at `now`."""
        return bool(
            self.free and self.free.ended_at is None and self.free_until and now < self.free_until
        )

    def next_deadline(self, now: int) -> int | None:
        """The earliest of all deadlines still ahead of `now`; passed ones stay as facts."""
        ahead = [
            at
            for at in (
                self.retry_at,
                self.grace_until,
                self.retention_until,
                self.free_until if self.free and self.free.ended_at is None else None,
                self.checkout.ends_at if self.checkout else None,
                self.excess.fit_until if self.excess else None,
            )
            if at is not None and at > now
        ]
        return min(ahead, default=None)
