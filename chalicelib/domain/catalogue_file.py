"""Reads plans.toml into a `Catalogue` and names everything that is wrong with it at once."""

import re
import tomllib
from collections.abc import Callable, Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

from chalicelib.domain.catalogue import (
    FREE,
    Catalogue,
    ClusterSelectors,
    Interval,
    Plan,
    Policy,
    Product,
)
from chalicelib.domain.errors import Misconfigured

_QUANTITY = re.compile(r"(0|[1-9]\d*)(\.\d+)?(m|k|Ki|M|Mi|G|Gi|T|Ti)?")
_DNS_LABEL = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_DNS_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)+")
_SUBDOMAIN = re.compile(_DNS_NAME.pattern.removesuffix("+") + "*")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_KEY_NAME = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")
_LABEL_VALUE = re.compile(rf"({_KEY_NAME.pattern})?")
_CURRENCY = re.compile(r"[a-z]{3}")

LONGEST_LABEL = 63
"""Characters: of a namespace, a label's value, and what stands behind the slash in a key. Stripe's
texts are made of these, and far below its limits: 200 for a lookup key, 500 in metadata."""

LONGEST_PREFIX = LONGEST_LABEL - 17
"""A hyphen and the tenant's sixteen digits come after it."""

LONGEST_ENTITLEMENT = LONGEST_LABEL - len("entitlement.")
LONGEST_DOMAIN = 253
"""Characters of what stands before the slash in a key."""

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
    product = _Table("product", data.pop("product", None), problems)
    policy = _Table("policy", data.pop("policy", None), problems)
    cluster = _Table("cluster", data.pop("cluster", None), problems)
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
        for offer in catalogue.offers
        if offer.id != offer.plan.id and catalogue.plan(offer.id)
    )
    if problems:
        raise Misconfigured("plans.toml: " + "; ".join(problems))
    return catalogue


class _Table:
    """One table of the file: takes keys with a check, and remembers what is wrong."""

    def __init__(self, name: str, raw: object, problems: list[str]) -> None:
        self._name = name
        self._problems = problems
        if not isinstance(raw, dict):
            problems.append(f"{name}: the section is missing")
        self._raw: dict[str, Any] = dict(raw) if isinstance(raw, dict) else {}
        self._present = isinstance(raw, dict)

    def problem(self, key: str, what: str) -> None:
        self._problems.append(f"{self._name}.{key}: {what}")

    def refuse_rest(self) -> None:
        for key in self._raw:
            self.problem(key, "unknown key")

    def _take(self, key: str, fallback: Any, ok: Callable[[Any], bool], what: str) -> Any:  # noqa: ANN401 - TOML values are of any type until checked
        if key not in self._raw:
            if self._present:
                self.problem(key, "missing")
            return fallback
        value = self._raw.pop(key)
        if not ok(value):
            self.problem(key, f"{what}, not {value!r}")
            return fallback
        return value

    def optional(self, key: str) -> bool:
        return key in self._raw

    def string(
        self, key: str, pattern: re.Pattern[str] | None = None, *, longest: int | None = None
    ) -> str:
        def ok(value: object) -> bool:
            return isinstance(value, str) and bool(pattern.fullmatch(value) if pattern else value)

        shape = f"must look like {pattern.pattern}" if pattern else "must be a text"
        text = str(self._take(key, "", ok, shape))
        self.limit(key, text, longest)
        return text

    def limit(self, key: str, text: str, longest: int | None) -> None:
        if longest is not None and len(text) > longest:
            self.problem(key, f"must have at most {longest} characters, not {len(text)}")

    def whole(self, key: str, least: int) -> int:
        def ok(value: object) -> bool:
            return isinstance(value, int) and not isinstance(value, bool) and value >= least

        return int(self._take(key, least, ok, f"must be a whole number from {least}"))

    def flag(self, key: str, *, default: bool | None = None) -> bool:
        if default is not None and not self.optional(key):
            return default
        return bool(
            self._take(key, default, lambda v: isinstance(v, bool), "must be true or false")
        )

    def texts(self, key: str) -> tuple[str, ...]:
        def ok(value: object) -> bool:
            return (
                isinstance(value, list) and bool(value) and all(isinstance(v, str) for v in value)
            )

        return tuple(self._take(key, (), ok, "must be a list of texts"))

    def ranges(self, key: str, *, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
        if default is not None and not self.optional(key):
            return default

        def ok(value: object) -> bool:
            return isinstance(value, list) and all(
                isinstance(v, str) and _is_range(v) for v in value
            )

        found = tuple(self._take(key, (), ok, "must be a list of address ranges (10.0.0.0/8)"))
        for each in found:
            if wrong := _unfit(ip_network(each)):
                self.problem(key, f"{each} {wrong}")
        return found

    def mapping(self, key: str, pattern: re.Pattern[str] | None = None) -> Mapping[str, str]:
        value = self._take(
            key, {}, lambda v: isinstance(v, dict) and bool(v), "must be a table of texts"
        )
        for name, text in value.items():
            if not isinstance(text, str) or (pattern and not pattern.fullmatch(text)):
                shape = "a Kubernetes quantity" if pattern is _QUANTITY else "a text"
                self.problem(f"{key}.{name}", f"must be {shape}, not {text!r}")
        return dict(value)

    def keys(self, key: str, found: Mapping[str, str], *, longest: int = LONGEST_LABEL) -> None:
        """Hold the names of a table to what a key is in Kubernetes: `name`, or `prefix/name`."""
        for each in found:
            prefix, slash, name = each.rpartition("/")
            if not _KEY_NAME.fullmatch(name):
                self.problem(f"{key}.{each}", f"its name must look like {_KEY_NAME.pattern}")
            if slash and not _SUBDOMAIN.fullmatch(prefix):
                self.problem(f"{key}.{each}", f"its prefix must look like {_SUBDOMAIN.pattern}")
            self.limit(f"{key}.{each}", name, longest)
            self.limit(f"{key}.{each}", prefix, LONGEST_DOMAIN)

    def label_values(self, key: str, found: Mapping[str, object]) -> None:
        """Hold the values of a table to what a label's is."""
        for name, text in found.items():
            if not isinstance(text, str):
                continue  # told already
            if not _LABEL_VALUE.fullmatch(text):
                self.problem(
                    f"{key}.{name}", f"must look like {_LABEL_VALUE.pattern}, not {text!r}"
                )
            self.limit(f"{key}.{name}", text, LONGEST_LABEL)


def _is_range(text: str) -> bool:
    """Whether it is a range as Kubernetes reads it: no netmask, no zone, no leading zeros."""
    try:
        return str(ip_network(text)) == text and "%" not in text
    except ValueError:
        return False


def _unfit(network: IPv4Network | IPv6Network) -> str | None:
    """Why no rule of a NetworkPolicy can speak of this range."""
    if isinstance(network, IPv6Network) and network.network_address.ipv4_mapped is not None:
        return (
            "is IPv4 written as IPv6, which the API server takes for no part of ::/0: "
            "name the IPv4 range; such addresses are IPv4 on the wire"
        )
    if network.prefixlen == 0:
        return "is every address: name a part of them"
    return None


def _product(table: _Table) -> Product:
    return Product(
        app=table.string("app", _DNS_LABEL, longest=LONGEST_LABEL),
        name=table.string("name"),
        support_email=table.string("support_email", _EMAIL),
        namespace_prefix=table.string("namespace_prefix", _DNS_LABEL, longest=LONGEST_PREFIX),
        label_domain=table.string("label_domain", _DNS_NAME, longest=LONGEST_DOMAIN),
        currency=table.string("currency", _CURRENCY),
        automatic_tax=table.flag("automatic_tax"),
        promotion_codes=table.flag("promotion_codes", default=False),
    )


def _policy(table: _Table) -> Policy:
    return Policy(
        grace_days=table.whole("grace_days", 0),
        retention_days=table.whole("retention_days", 0),
        free_cap=table.whole("free_cap", 0),
        suspend_on_dispute=table.flag("suspend_on_dispute"),
        resolve_duplicates=table.flag("resolve_duplicates", default=False),
        audit_mends=table.flag("audit_mends", default=False),
    )


def _cluster(table: _Table) -> ClusterSelectors:
    dns_labels = table.mapping("dns_labels")
    table.keys("dns_labels", dns_labels)
    table.label_values("dns_labels", dns_labels)
    return ClusterSelectors(
        dns_namespace=table.string("dns_namespace", _DNS_LABEL, longest=LONGEST_LABEL),
        dns_labels=dns_labels,
        dns_ranges=table.ranges("dns_ranges", default=()),
        ingress_namespace=table.string("ingress_namespace", _DNS_LABEL, longest=LONGEST_LABEL),
        blocked_ranges=table.ranges("blocked_ranges"),
    )


def _plan(plan_id: str, raw: object, problems: list[str]) -> Plan:
    table = _Table(f"plans.{plan_id}", raw, problems)
    if not _DNS_LABEL.fullmatch(plan_id):
        table.problem("id", f"must look like {_DNS_LABEL.pattern}")
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
        quota=table.mapping("quota", _QUANTITY),
        container=table.mapping("container", _QUANTITY),
        folder=table.string("templates", _DNS_LABEL) if table.optional("templates") else None,
        yearly_price=table.whole("yearly_price", 1) if table.optional("yearly_price") else None,
    )
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


def _interval(table: _Table) -> Interval:
    return "year" if table.string("interval", re.compile("month|year")) == "year" else "month"
