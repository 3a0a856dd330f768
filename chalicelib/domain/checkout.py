"""The checkout guard's rules: who may not buy, what to do with the recorded checkout."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from chalicelib.domain.catalogue import Catalogue, Plan
from chalicelib.domain.errors import AlreadySubscribed, PaymentProcessing, TenantBeingRemoved
from chalicelib.domain.record import NONCE_MAX_AGE, Checkout, Record
from chalicelib.domain.subscription import CheckoutSession

Step = Literal["start", "replay", "return", "expire", "sweep out", "refuse"]


@dataclass(frozen=True, slots=True)
class Shop:
    """What every checkout session has in common: names and the pages to come back to."""

    catalogue: Catalogue
    stage: str
    success_url: str
    cancel_url: str


def refuse_if_blocked(record: Record) -> None:
    """Refuse a second purchase while one stands, is being paid, or its past is being removed.

    Raises:
        AlreadySubscribed: a live subscription, in whatever health.
        PaymentProcessing: paid for, or waiting for its first payment.
        TenantBeingRemoved: the namespace is being deleted.
    """
    if record.phase == "deleting":
        raise TenantBeingRemoved
    if record.subscription and record.subscription.is_live:
        raise AlreadySubscribed
    if record.billing.incomplete or record.paid_mark:
        raise PaymentProcessing


def next_step(
    checkout: Checkout | None, session: CheckoutSession | None, plan_id: str, now: int
) -> Step:
    """What to do with the recorded checkout, given what Stripe says of its session.

    start: nothing stands in the way of a new attempt. replay: Stripe's answer was never written
    down; the same call under the same key gives it again. return: the customer pays this one.
    expire: another plan was meant. sweep out: the attempt cannot be replayed, so whatever came of
    it is expired first. refuse: it was paid, and its subscription is on its way.
    """
    if checkout is None:
        return "start"
    if checkout.session_id is None:
        too_old = now - checkout.started_at > NONCE_MAX_AGE
        return "sweep out" if checkout.burnt or too_old else "replay"
    if session is None or session.status == "expired":
        return "start"
    if session.status == "complete":
        return "refuse"
    return "return" if checkout.plan_id == plan_id and session.url else "expire"


def session_params(  # noqa: PLR0913, PLR0917 - what a session is made of, each named once
    shop: Shop, plan: Plan, tenant_id: str, customer_id: str, price_id: str, nonce: str
) -> Mapping[str, Any]:
    """The parameters of `checkout.sessions.create`, frozen with the attempt.

    The metadata stands on session and subscription both: webhooks find the tenant by it, and the
    nonce tells which attempt a subscription came from.
    """
    catalogue = shop.catalogue
    metadata = {
        "tenant_id": tenant_id,
        "deployment": catalogue.deployment(shop.stage),
        "checkout": nonce,
    }
    subscription: dict[str, Any] = {"metadata": metadata}
    if plan.trial_days:
        subscription["trial_period_days"] = plan.trial_days
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
    if catalogue.product.automatic_tax:
        params["automatic_tax"] = {"enabled": True}
        params["customer_update"] = {"address": "auto"}
    return params
