"""What is sold: product, policy, cluster selectors and plans; `catalogue_file` reads it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

FREE = "free"
Interval = Literal["month", "year"]


@dataclass(frozen=True, slots=True)
class Product:
    """Names that everything else is derived from."""

    app: str
    name: str
    support_email: str
    namespace_prefix: str
    label_domain: str
    currency: str
    automatic_tax: bool


@dataclass(frozen=True, slots=True)
class Policy:
    """How long and how many: days, and a count of Free grants."""

    grace_days: int
    retention_days: int
    free_cap: int
    suspend_on_dispute: bool


@dataclass(frozen=True, slots=True)
class ClusterSelectors:
    """Whom a tenant's pods may talk to besides each other."""

    dns_namespace: str
    dns_labels: Mapping[str, str]
    ingress_namespace: str
    blocked_ranges: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """One plan; `price` in cents per `interval`, `trial_days` how long a trial or Free lasts.

    `templates` are the adopter's own objects, read from `folder`, their placeholders still in them.
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

    @property
    def is_free(self) -> bool:
        """Whether it is had without Stripe."""
        return self.price == 0


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Everything plans.toml says."""

    product: Product
    policy: Policy
    cluster: ClusterSelectors
    plans: tuple[Plan, ...]

    @property
    def paid_plans(self) -> tuple[Plan, ...]:
        """The plans that are paid for through Stripe."""
        return tuple(plan for plan in self.plans if not plan.is_free)

    def plan(self, plan_id: str) -> Plan | None:
        """The plan of that id, if there is one."""
        return next((plan for plan in self.plans if plan.id == plan_id), None)

    def deployment(self, stage: str) -> str:
        """`<app>-<stage>`: what every outside name starts with."""
        return f"{self.product.app}-{stage}"

    def product_id(self, stage: str, plan: Plan) -> str:
        """The id of the plan's product in Stripe; ours, so that a price leads back to a plan."""
        return f"{self.deployment(stage)}-{plan.id}"

    def lookup_key(self, stage: str, plan: Plan) -> str:
        """The lookup key of the plan's price in Stripe."""
        return f"{self.deployment(stage)}-{plan.id}-{plan.interval}"

    def plan_of_product(self, stage: str, product_id: str) -> Plan | None:
        """The plan whose Stripe product this is, if it is one of ours."""
        return next((p for p in self.paid_plans if self.product_id(stage, p) == product_id), None)
