"""The checkout guard's rules: who may not buy, what to do with the recorded checkout."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from chalicelib.domain.catalogue import Catalogue, Offer
from chalicelib.domain.errors import (
    AlreadySubscribed,
    PaymentDisputed,
    PaymentProcessing,
    TenantBeingRemoved,
    WorkspaceHeld,
)
from chalicelib.domain.record import NONCE_MAX_AGE, Checkout, Record
from chalicelib.domain.subscription import UNSTARTED, CheckoutSession, Subscription

Step = Literal["start", "replay", "return", "expire", "forget customer", "refuse"]


@dataclass(frozen=True, slots=True)
class Shop:
    """What every checkout session has in common: names and the pages to come back to."""

    catalogue: Catalogue
    stage: str
    success_url: str
    cancel_url: str

    @property
    def deployment(self) -> str:
        """`<app>-<stage>`."""
        return self.catalogue.deployment(self.stage)


def refuse_if_blocked(record: Record, deployment: str) -> None:
    """Refuse a second purchase while one stands, is being paid, or its past is being removed.

    What somebody else than this `deployment` (`<app>-<stage>`) sold blocks nothing.

    Raises:
        AlreadySubscribed: a live subscription, in whatever health.
        PaymentProcessing: paid for, or waiting for its first payment.
        TenantBeingRemoved: the namespace is being deleted.
    """
    if record.phase == "deleting":
        raise TenantBeingRemoved
    if record.has_bought(deployment):
        raise AlreadySubscribed
    if record.billing.incomplete or record.paid_mark:
        raise PaymentProcessing


def refuse_if_stopped(record: Record, catalogue: Catalogue) -> None:
    """Refuse to sell to whoever could not be served: it would be suspended at once.

    Raises:
        WorkspaceHeld: by an operator, or for a lost dispute.
        PaymentDisputed: a bank is asked to take a payment back, and that stops a tenant here.
    """
    if record.hold:
        raise WorkspaceHeld
    if record.disputes and catalogue.policy.suspend_on_dispute:
        raise PaymentDisputed


def refuse_if_subscribed(subscriptions: Iterable[Subscription]) -> None:
    """The same, by Stripe's own list: a subscription may have been made that we do not know of.

    Raises:
        AlreadySubscribed, PaymentProcessing: as above.
    """
    statuses = {s.status for s in subscriptions if not s.has_ended}
    if statuses - UNSTARTED:
        raise AlreadySubscribed
    if "incomplete" in statuses:
        raise PaymentProcessing


def next_step(
    checkout: Checkout | None, session: CheckoutSession | None, offer: Offer, now: int
) -> Step:
    """What to do with the recorded checkout, given what Stripe says of its session.

    start: nothing stands in the way of a new attempt. replay: Stripe's answer was never written
    down; the same call under the same key gives it again. return: the customer pays this one.
    expire: another plan was meant, or its price has left the shop. forget customer: it was deleted
    in Stripe, so the session can never be paid. refuse: it was paid, and its subscription is on its
    way.
    """
    if checkout is None:
        return "start"
    if checkout.session_id is None:
        too_old = now - checkout.started_at > NONCE_MAX_AGE
        # What cannot be replayed is left: every new attempt expires the sessions of all others.
        return "start" if checkout.burnt or too_old else "replay"
    if session is None or session.status == "expired":
        return "start"
    if session.status == "complete":
        return "refuse"
    if session.customer_gone:
        return "forget customer"
    can_be_paid = session.url and not session.price_archived
    return "return" if _is_for(checkout, offer) and can_be_paid else "expire"


def is_paid_and_unseen(checkout: Checkout | None, session: CheckoutSession | None) -> bool:
    """Whether the recorded checkout was paid, and nothing that came of it is listed yet."""
    return bool(
        checkout
        and session
        and session.id == checkout.session_id
        and session.status == "complete"
        and session.paid
    )


def _is_for(checkout: Checkout, offer: Offer) -> bool:
    interval = checkout.interval or offer.plan.interval
    return (checkout.plan_id, interval) == (offer.plan.id, offer.interval)


def session_params(  # noqa: PLR0913, PLR0917 - what a session is made of, each named once
    shop: Shop,
    offer: Offer,
    tenant_id: str,
    customer_id: str,
    price_id: str,
    nonce: str,
    *,
    trial: bool,
) -> Mapping[str, Any]:
    """The parameters of `checkout.sessions.create`, frozen with the attempt.

    The metadata stands on session and subscription both: webhooks find the tenant by it, and the
    nonce tells which attempt a subscription came from. `trial` is whether this customer may have
    one, if the plan has one.
    """
    catalogue = shop.catalogue
    metadata = {
        "tenant_id": tenant_id,
        "deployment": shop.deployment,
        "checkout": nonce,
    }
    subscription: dict[str, Any] = {"metadata": metadata}
    if trial and offer.plan.trial_days:
        subscription["trial_period_days"] = offer.plan.trial_days
    params: dict[str, Any] = {
        "mode": "subscription",
        "customer": customer_id,
        "client_reference_id": tenant_id,
        "line_items": [{"price": price_id, "quantity": 1}],
        "metadata": metadata,
        "subscription_data": subscription,
        "success_url": shop.success_url,
        "cancel_url": shop.cancel_url,
    }
    if catalogue.product.promotion_codes:
        params["allow_promotion_codes"] = True
    if catalogue.product.automatic_tax:
        params["automatic_tax"] = {"enabled": True}
        params["customer_update"] = {"address": "auto"}
    return params
