"""What Stripe should hold of the catalogue, in Stripe's terms."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chalicelib.domain.catalogue import Catalogue, Offer, Plan
from chalicelib.domain.errors import Misconfigured

MOST_PRODUCTS = 10
"""Products that Stripe takes in one portal configuration."""


@dataclass(frozen=True, slots=True)
class Price:
    """One price; `amount` in the smallest unit of `currency` per `interval_count` intervals.

    Attributes:
        amount: None where the price has none of its own, such as one with tiers.
        interval: None for what is charged once.
        model: how the amount comes about; ours are `licensed per_unit`.
    """

    lookup_key: str
    product: str
    amount: int | None
    currency: str
    interval: str | None
    plan: str
    interval_count: int = 1
    tax_behavior: str = "unspecified"
    model: str = "licensed per_unit"


@dataclass(frozen=True, slots=True)
class Wanted:
    """All that should be there.

    Attributes:
        products: names by id, of what is sold.
        prices: of what is sold; the first of a product is its usual one.
        withdrawn: names by id of the products that are kept for whoever pays them, and not sold.
        retired: lookup keys that are ours and stand on nothing that is sold any more.
        plans: plan by product's id: what the metadata of a price of ours say.
    """

    deployment: str
    products: Mapping[str, str]
    prices: tuple[Price, ...]
    withdrawn: Mapping[str, str]
    retired: frozenset[str]
    plans: Mapping[str, str]

    @property
    def names(self) -> Mapping[str, str]:
        """The names of all products by id, sold or withdrawn."""
        return {**self.products, **self.withdrawn}


def wanted(catalogue: Catalogue, stage: str) -> Wanted:
    """What Stripe should hold for a stage.

    Raises:
        Misconfigured: more plans are sold than the portal can offer.
    """
    sold = [plan for plan in catalogue.paid_plans if plan.sold]
    if len(sold) > MOST_PRODUCTS:
        raise Misconfigured(
            f"plans.toml sells {len(sold)} plans, and Stripe's portal can offer "
            f"{MOST_PRODUCTS}: sell fewer"
        )

    def names(plans: list[Plan]) -> dict[str, str]:
        return {
            catalogue.product_id(stage, plan): f"{catalogue.product.name} {plan.name}"
            for plan in plans
        }

    prices = tuple(_price(catalogue, stage, offer) for offer in catalogue.offers)
    of_sold = {
        catalogue.lookup_key(stage, plan, interval)
        for plan in sold
        for interval in ("month", "year")
    }  # fmt: skip
    return Wanted(
        deployment=catalogue.deployment(stage),
        products=names(sold),
        prices=prices,
        withdrawn=names([plan for plan in catalogue.paid_plans if not plan.sold]),
        retired=frozenset(of_sold - {price.lookup_key for price in prices}),
        plans={catalogue.product_id(stage, plan): plan.id for plan in catalogue.paid_plans},
    )


def _price(catalogue: Catalogue, stage: str, offer: Offer) -> Price:
    return Price(
        lookup_key=catalogue.lookup_key(stage, offer.plan, offer.interval),
        product=catalogue.product_id(stage, offer.plan),
        amount=offer.amount,
        currency=catalogue.product.currency,
        interval=offer.interval,
        plan=offer.plan.id,
        tax_behavior=catalogue.product.tax_behavior,
    )


def portal_features(want: Wanted, price_ids: Mapping[str, str]) -> dict[str, Any]:
    """What a customer may do by themselves: another plan at quantity 1, an end with the period.

    The difference to a dearer plan is billed when it is taken, not a month later, and a trial goes
    on through a change of plan. A plan that is withdrawn from sale is nothing to change to.
    """
    products = [
        {
            "product": product_id,
            "prices": [price_ids[p.lookup_key] for p in want.prices if p.product == product_id
                       and p.lookup_key in price_ids],
        }
        for product_id in want.products
    ]  # fmt: skip
    update: dict[str, Any] = {
        "enabled": True,
        "default_allowed_updates": ["price"],  # not the quantity: one tenant, one subscription
        "proration_behavior": "always_invoice",
        "trial_update_behavior": "continue_trial",
        "products": products,
    }
    return {
        "customer_update": {"enabled": True, "allowed_updates": ["email", "address", "tax_id"]},
        "invoice_history": {"enabled": True},
        "payment_method_update": {"enabled": True},
        "subscription_cancel": {"enabled": True, "mode": "at_period_end"},
        "subscription_update": update if products else {"enabled": False},
    }
