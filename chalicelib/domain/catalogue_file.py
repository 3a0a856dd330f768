"""Reads plans.toml into a `Catalogue` and names everything that is wrong with it at once."""

import re
import tomllib

from chalicelib.domain.catalogue import (
    FREE,
    Catalogue,
    ClusterSelectors,
    DisputeLost,
    Interval,
    Plan,
    Policy,
    Product,
    TaxBehavior,
    prices_of,
)
from chalicelib.domain.errors import Misconfigured
from chalicelib.domain.kubernetes_names import (
    DNS_LABEL,
    LONGEST_LABEL,
    LONGEST_SUBDOMAIN,
    QUANTITY,
    SUBDOMAIN,
)
from chalicelib.domain.toml_table import TomlTable

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_DNS_NAME = re.compile(SUBDOMAIN.pattern.removesuffix("*") + "+")  # with a dot in it
_CURRENCY = re.compile(r"[a-z]{3}")

# Stripe's texts are made of the same, and far below its limits: 200 for a lookup key, 500 in
# metadata.
LONGEST_PREFIX = LONGEST_LABEL - 17
"""A hyphen and the tenant's sixteen digits come after it."""

LONGEST_ENTITLEMENT = LONGEST_LABEL - len("entitlement.")

CONTAINER_KEYS = (
    "default_cpu", "default_memory", "request_cpu", "request_memory", "max_cpu", "max_memory",
)  # fmt: skip
DISK_KEYS = ("default_ephemeral_storage", "request_ephemeral_storage", "max_ephemeral_storage")
"""All of them or none; a quota that counts ephemeral storage admits no container without one."""


def parse(text: str) -> Catalogue:
    """Read plans.toml.

    Raises:
        Misconfigured: every problem at once, each with its plan and key.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as e:
        raise Misconfigured(f"plans.toml is not TOML: {e}") from e
    problems: list[str] = []
    product = TomlTable("product", data.pop("product", None), problems)
    policy = TomlTable("policy", data.pop("policy", None), problems)
    cluster = TomlTable("cluster", data.pop("cluster", None), problems)
    raw_plans = data.pop("plans", None)
    problems.extend(f"{key}: unknown section" for key in data)
    if not isinstance(raw_plans, dict) or not raw_plans:
        problems.append("plans: at least one [plans.<id>] is needed")
        raw_plans = {}
    catalogue = Catalogue(
        product=_product(product),
        policy=_policy(policy),
        cluster=_cluster(cluster),
        plans=tuple(_plan(plan_id, raw, problems) for plan_id, raw in raw_plans.items()),
    )
    for table in (product, policy, cluster):
        table.refuse_rest()
    problems.extend(
        f"plans.{offer.id}: the yearly price of {offer.plan.id} goes by this id, rename one"
        for plan in catalogue.plans
        for offer in prices_of(plan)
        if offer.id != plan.id and catalogue.plan(offer.id)
    )
    if problems:
        raise Misconfigured("plans.toml: " + "; ".join(problems))
    return catalogue


def _product(table: TomlTable) -> Product:
    return Product(
        app=table.string("app", DNS_LABEL, longest=LONGEST_LABEL),
        name=table.string("name"),
        support_email=table.string("support_email", _EMAIL),
        namespace_prefix=table.string("namespace_prefix", DNS_LABEL, longest=LONGEST_PREFIX),
        label_domain=table.string("label_domain", _DNS_NAME, longest=LONGEST_SUBDOMAIN),
        currency=table.string("currency", _CURRENCY),
        automatic_tax=table.flag("automatic_tax"),
        promotion_codes=table.flag("promotion_codes", default=False),
        tax_behavior=_tax_behavior(table),
    )


def _policy(table: TomlTable) -> Policy:
    return Policy(
        grace_days=table.whole("grace_days", 0),
        retention_days=table.whole("retention_days", 0),
        free_cap=table.whole("free_cap", 0),
        suspend_on_dispute=table.flag("suspend_on_dispute"),
        resolve_duplicates=table.flag("resolve_duplicates", default=False),
        audit_mends=table.flag("audit_mends", default=False),
        fit_days=table.whole("fit_days", 0) if table.optional("fit_days") else 7,
        dispute_lost=_dispute_lost(table),
    )


def _dispute_lost(table: TomlTable) -> DisputeLost:
    if not table.optional("dispute_lost"):
        return "hold"
    return "end" if table.string("dispute_lost", re.compile("hold|end")) == "end" else "hold"


def _cluster(table: TomlTable) -> ClusterSelectors:
    dns_labels = table.mapping("dns_labels")
    table.keys("dns_labels", dns_labels)
    table.label_values("dns_labels", dns_labels)
    return ClusterSelectors(
        dns_namespace=table.string("dns_namespace", DNS_LABEL, longest=LONGEST_LABEL),
        dns_labels=dns_labels,
        dns_ranges=table.ranges("dns_ranges", default=()),
        ingress_namespace=table.string("ingress_namespace", DNS_LABEL, longest=LONGEST_LABEL),
        blocked_ranges=table.ranges("blocked_ranges"),
    )


def _plan(plan_id: str, raw: object, problems: list[str]) -> Plan:
    table = TomlTable(f"plans.{plan_id}", raw, problems)
    if not DNS_LABEL.fullmatch(plan_id):
        table.problem("id", f"must look like {DNS_LABEL.pattern}")
    table.limit("id", plan_id, LONGEST_LABEL)
    price = table.whole("price", 0)
    free = price == 0
    if free != (plan_id == FREE):
        table.problem("price", f"must be 0 for the plan {FREE!r}, and only for it")
    interval = None if free else _interval(table)
    if table.optional("yearly_price") and interval != "month":
        table.problem("yearly_price", "only a plan with interval 'month' has one")
    plan = Plan(
        id=plan_id,
        name=table.string("name"),
        price=price,
        interval=interval,
        trial_days=table.whole("trial_days", 1) if free or table.optional("trial_days") else None,
        popular=table.flag("popular", default=False),
        features=table.texts("features"),
        entitlements=table.mapping("entitlements"),
        quota=table.mapping("quota", QUANTITY),
        container=table.mapping("container", QUANTITY),
        folder=table.string("templates", DNS_LABEL) if table.optional("templates") else None,
        yearly_price=table.whole("yearly_price", 1) if table.optional("yearly_price") else None,
        sold=table.flag("sold", default=True),
    )
    if free and not plan.sold:
        table.problem("sold", "only a paid plan is withdrawn by it; free_cap = 0 grants no Free")
    table.keys("entitlements", plan.entitlements, longest=LONGEST_ENTITLEMENT)
    for name in plan.entitlements:
        if "/" in name:
            table.problem(f"entitlements.{name}", "must have no slash: it is part of a key")
    table.keys("quota", plan.quota)
    given, disk = set(plan.container), set(plan.container) & set(DISK_KEYS)
    counts_disk = any("ephemeral-storage" in name for name in plan.quota)
    if given and given - disk != set(CONTAINER_KEYS):
        table.problem("container", f"must have {', '.join(CONTAINER_KEYS)}")
    elif given and (disk or counts_disk) and disk != set(DISK_KEYS):
        table.problem("container", f"must have all of {', '.join(DISK_KEYS)}, or count no disk")
    table.refuse_rest()
    return plan


def _tax_behavior(table: TomlTable) -> TaxBehavior:
    if not table.optional("tax_behavior"):
        return "unspecified"
    said = table.string("tax_behavior", re.compile("inclusive|exclusive"))
    return "inclusive" if said == "inclusive" else "exclusive"


def _interval(table: TomlTable) -> Interval:
    return "year" if table.string("interval", re.compile("month|year")) == "year" else "month"
