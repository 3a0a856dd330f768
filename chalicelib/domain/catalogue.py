"""What is sold: product, policy, cluster selectors and plans; `catalogue_file` reads it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from chalicelib.domain import money

FREE = "free"
Interval = Literal["month", "year"]
DisputeLost = Literal["hold", "end"]
TaxBehavior = Literal["unspecified", "inclusive", "exclusive"]


@dataclass(frozen=True, slots=True)
class Product:
    """Names that everything else is derived from.

    Attributes:
        tax_behavior: whether prices have their tax in them already, as Stripe's prices say it;
            `unspecified` leaves it to the default of Stripe Tax.
    """

    app: str
    name: str
    support_email: str
    namespace_prefix: str
    label_domain: str
    currency: str
    automatic_tax: bool
    promotion_codes: bool = False
    tax_behavior: TaxBehavior = "unspecified"

    def price_tag(self, amount: int) -> str:
        """An amount, in the currency's smallest unit, as it is shown beside a plan."""
        return money.shown_short(amount, self.currency)


@dataclass(frozen=True, slots=True)
class Policy:
    """How long and how many: days, and a count of Free grants.

    Attributes:
        resolve_duplicates: whether a second live subscription that we sold by ourselves is canceled
            and refunded; else it is only reported.
        audit_mends: whether the daily audit nudges what it finds wrong; else it only reports.
        fit_days: how long more may run than a smaller plan gives, before it is made to fit.
        dispute_lost: what becomes of a tenant whose payer's bank took the money back: held until an
            operator lifts it, or its subscription ended.
    """

    grace_days: int
    retention_days: int
    free_cap: int
    suspend_on_dispute: bool
    resolve_duplicates: bool = False
    audit_mends: bool = False
    fit_days: int = 7
    dispute_lost: DisputeLost = "hold"


@dataclass(frozen=True, slots=True)
class ClusterSelectors:
    """Whom a tenant's pods may talk to besides each other.

    Attributes:
        dns_ranges: where DNS answers that is no pod, such as a cache on each node.
    """

    dns_namespace: str
    dns_labels: Mapping[str, str]
    ingress_namespace: str
    blocked_ranges: tuple[str, ...]
    dns_ranges: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """One plan.

    Attributes:
        price: in the currency's smallest unit (cents, yen), per `interval`.
        trial_days: how long a trial, had once per customer, or Free lasts.
        yearly_price: the same, when a plan that is paid by the month can be paid by the year too.
        templates: the adopter's own objects, read from `folder`, their placeholders still in them.
    """

    id: str
    name: str
    price: int
    interval: Interval | None
    trial_days: int | None
    popular: bool
    features: tuple[str, ...]
    entitlements: Mapping[str, str]
    quota: Mapping[str, str]
    container: Mapping[str, str]
    folder: str | None = None
    templates: tuple[Mapping[str, Any], ...] = ()
    yearly_price: int | None = None
    sold: bool = True

    @property
    def monthly_price(self) -> float:
        """What it costs a month, in the smallest unit: for telling which of two is dearer."""
        return self.price / 12 if self.interval == "year" else self.price

    @property
    def is_free(self) -> bool:
        """Whether it is had without Stripe."""
        return self.price == 0


@dataclass(frozen=True, slots=True)
class Offer:
    """One way to buy a plan: `amount`, in the smallest unit, per `interval`."""

    plan: Plan
    interval: Interval
    amount: int

    @property
    def id(self) -> str:
        """What a customer asks for: the plan's id, or `<plan>-year` for its yearly price."""
        return self.plan.id if self.interval == self.plan.interval else _yearly(self.plan.id)


def _yearly(plan_id: str) -> str:
    return f"{plan_id}-year"


def prices_of(plan: Plan) -> tuple[Offer, ...]:
    """Every way to pay for a plan, whether it is sold now or not; none for Free."""
    found: list[Offer] = []
    if plan.interval:
        found.append(Offer(plan, plan.interval, plan.price))
    if plan.yearly_price is not None:
        found.append(Offer(plan, "year", plan.yearly_price))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Everything plans.toml says."""

    product: Product
    policy: Policy
    cluster: ClusterSelectors
    plans: tuple[Plan, ...]

    @property
    def paid_plans(self) -> tuple[Plan, ...]:
        """The plans that are paid for through Stripe, those withdrawn from sale too."""
        return tuple(plan for plan in self.plans if not plan.is_free)

    @property
    def sold_plans(self) -> tuple[Plan, ...]:
        """The plans that can be had now, Free among them; the others only keep who has them."""
        return tuple(plan for plan in self.plans if plan.sold)

    @property
    def offers(self) -> tuple[Offer, ...]:
        """Every price that a plan can be bought at, plan by plan."""
        return tuple(offer for plan in self.sold_plans for offer in prices_of(plan))

    def offer(self, offer_id: str) -> Offer | None:
        """The offer of that id, if it can be bought."""
        return next((offer for offer in self.offers if offer.id == offer_id), None)

    def plan(self, plan_id: str) -> Plan | None:
        """The plan of that id, if there is one."""
        return next((plan for plan in self.plans if plan.id == plan_id), None)

    def deployment(self, stage: str) -> str:
        """`<app>-<stage>`: what every outside name starts with."""
        return f"{self.product.app}-{stage}"

    def product_id(self, stage: str, plan: Plan) -> str:
        """The id of the plan's product in Stripe; ours, so that a price leads back to a plan."""
        return f"{self.deployment(stage)}-{plan.id}"

    def lookup_key(self, stage: str, plan: Plan, interval: Interval | None = None) -> str:
        """The lookup key of the plan's price in Stripe; its usual interval's, if none is given."""
        return f"{self.deployment(stage)}-{plan.id}-{interval or plan.interval}"

    def plan_of_product(self, stage: str, product_id: str) -> Plan | None:
        """The plan whose Stripe product this is, if it is one of ours."""
        return next((p for p in self.paid_plans if self.product_id(stage, p) == product_id), None)
