"""One subscription and one checkout session, as far as Stripe's word about them matters here."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

HEALTH = ("active", "trialing", "past_due", "paused", "unpaid")
"""Stripe's live statuses, healthiest first."""

UNSTARTED = frozenset({"incomplete", "incomplete_expired"})
SessionStatus = Literal["open", "complete", "expired"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One item of a subscription: a price of a product, so many times.

    Attributes:
        quantity: None where Stripe names none, as for a metered price.
        current_period_end: epoch seconds; each item has a period of its own.
    """

    product_id: str | None
    quantity: int | None = 1
    current_period_end: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """A subscription in Stripe; times are epoch seconds.

    Attributes:
        status: Stripe's own word.
        product_id: the product of the item that counts: where its plan is read from, never the
            metadata. None where no item can be told to count.
        nonce: `metadata.checkout`, the attempt of ours that it came from.
        collection_paused: whether `pause_collection` is set. The customer keeps what they have:
            it is invoices that stop, not the service.
        paused_by_us: whether that was done by us, while we had stopped the tenant.
        current_period_end: when it renews, or ends, if an end is set.
        cancel_at_period_end: whether it ends with the period that is paid, or at a set time.
        trialed_at: when its trial began, if it has had one.
        items: all that it is made of, in no particular order, as Stripe lists it; empty once it
            has been read (`domain.reading`), which is how it is kept on the record.
        oddity: why it cannot be read as one sale of ours, for operators; None when it can.
        paid_product_id: the product that it was for when it was last seen paid for.
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
    paused_by_us: bool = False
    items: tuple[Item, ...] = ()
    oddity: str | None = None
    paid_product_id: str | None = None

    @property
    def products(self) -> tuple[str, ...]:
        """The products of its items, as far as they are known."""
        of_items = (item.product_id for item in self.items)
        return tuple(each for each in (self.product_id, *of_items) if each)

    def is_sold_by(self, deployment: str) -> bool:
        """Whether it came from a checkout of ours or is for a product of ours, on sale or not.

        An operator may sell the same customer something else; `deployment` is `<app>-<stage>`.
        """
        if self.nonce is not None or not self.products:
            return True
        return any(product.startswith(f"{deployment}-") for product in self.products)

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
        """Whether Stripe has paused it: its trial ended and there was nothing to pay with."""
        return self.status == "paused"

    @property
    def is_entitled(self) -> bool:
        """Paid for, or on trial."""
        return self.status in {"active", "trialing"}

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
        price_archived: its price has left the shop: Stripe does not render its page any more.
    """

    id: str
    status: SessionStatus
    url: str | None
    expires_at: int
    paid: bool = False
    subscription_id: str | None = None
    customer_gone: bool = False
    price_archived: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What Stripe says now.

    Attributes:
        subscriptions: all of the customer's, ended ones too.
        session: the recorded checkout's, when it had to be asked for.
        customer_gone: the customer itself was deleted in Stripe.
        open_disputes: of the disputes on record those that are still open; None when not asked.
        lost_disputes: of the disputes on record those that a bank decided against us.
    """

    subscriptions: tuple[Subscription, ...] = ()
    session: CheckoutSession | None = None
    customer_gone: bool = False
    open_disputes: tuple[str, ...] | None = None
    lost_disputes: tuple[str, ...] = ()


def the_one_that_counts(subscriptions: Sequence[Subscription]) -> Subscription | None:
    """A live one before an ended one, the healthiest, then the oldest; the last that ended.

    Of two that are equally healthy, one that can be read counts before one that cannot.
    """
    live = [s for s in subscriptions if s.is_live]
    if live:
        return min(
            live,
            key=lambda s: (
                *(s.is_paused, HEALTH.index(s.status), s.oddity is not None),
                *(s.created, s.id),
            ),
        )
    ended = [s for s in subscriptions if s.has_ended]
    return max(ended, key=lambda s: (s.ended_at or s.created, s.id), default=None)
