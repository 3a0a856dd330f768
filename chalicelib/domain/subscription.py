"""One subscription and one checkout session, as far as Stripe's word about them matters here."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

HEALTH = ("active", "trialing", "past_due", "paused", "unpaid")
"""Stripe's live statuses, healthiest first."""

UNSTARTED = frozenset({"incomplete", "incomplete_expired"})
SessionStatus = Literal["open", "complete", "expired"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """A subscription in Stripe; times are epoch seconds.

    Attributes:
        status: Stripe's own word.
        product_id: the product of its price: where its plan is read from, never the metadata.
        nonce: `metadata.checkout`, the attempt of ours that it came from.
        collection_paused: whether `pause_collection` is set.
        current_period_end: when it renews, or ends, if an end is set.
        cancel_at_period_end: whether it ends with the period that is paid, or at a set time.
        trialed_at: when its trial began, if it has had one.
    """

    id: str
    status: str
    created: int
    product_id: str | None = None
    nonce: str | None = None
    current_period_end: int | None = None
    cancel_at_period_end: bool = False
    collection_paused: bool = False
    ended_at: int | None = None
    trialed_at: int | None = None

    def is_sold_by(self, deployment: str) -> bool:
        """Whether it came from a checkout of ours or is for a product of ours, on sale or not.

        An operator may sell the same customer something else; `deployment` is `<app>-<stage>`.
        """
        product_id = self.product_id
        return self.nonce is not None or not product_id or product_id.startswith(f"{deployment}-")

    @property
    def is_live(self) -> bool:
        """Started, and not ended."""
        return self.status in HEALTH

    @property
    def has_ended(self) -> bool:
        """Started once, and ended."""
        return self.status == "canceled"

    @property
    def is_paused(self) -> bool:
        """Paused by either of Stripe's two ways."""
        return self.status == "paused" or (self.is_live and self.collection_paused)

    @property
    def is_entitled(self) -> bool:
        """Paid for, or on trial."""
        return self.status in {"active", "trialing"} and not self.is_paused

    @property
    def payment_failed(self) -> bool:
        """Whether Stripe waits for money that did not come."""
        return self.status in {"past_due", "unpaid"}


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutSession:
    """A checkout session in Stripe.

    Attributes:
        url: only there while it is open.
        paid: whether what is due at once has been paid; a bank may take days.
        subscription_id: what came of it, whatever its metadata say by now.
        customer_gone: its customer was deleted in Stripe, so nobody can pay it any more.
    """

    id: str
    status: SessionStatus
    url: str | None
    expires_at: int
    paid: bool = False
    subscription_id: str | None = None
    customer_gone: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What Stripe says now.

    Attributes:
        subscriptions: all of the customer's, ended ones too.
        session: the recorded checkout's, when it had to be asked for.
        customer_gone: the customer itself was deleted in Stripe.
        open_disputes: of the disputes on record those that are still open; None when not asked.
    """

    subscriptions: tuple[Subscription, ...] = ()
    session: CheckoutSession | None = None
    customer_gone: bool = False
    open_disputes: tuple[str, ...] | None = None


def the_one_that_counts(subscriptions: Sequence[Subscription]) -> Subscription | None:
    """A live one before an ended one, the healthiest, then the oldest; the last that ended."""
    live = [s for s in subscriptions if s.is_live]
    if live:
        return min(live, key=lambda s: (s.is_paused, HEALTH.index(s.status), s.created, s.id))
    ended = [s for s in subscriptions if s.has_ended]
    return max(ended, key=lambda s: (s.ended_at or s.created, s.id), default=None)
