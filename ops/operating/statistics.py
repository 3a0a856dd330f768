"""The shop in figures. Pure: records in, figures out."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from chalicelib.domain.catalogue import Catalogue
from chalicelib.domain.decision import standing_of
from chalicelib.domain.record import Record
from ops.operating.revenue import Revenue


@dataclass(frozen=True, slots=True)
class Waits:
    """Seconds from paid to ready, over all who paid and then waited."""

    customers: int
    median: int | None
    p99: int | None


@dataclass(frozen=True, slots=True)
class Statistics:
    """The figures.

    Attributes:
        by_status: customers by what their page says.
        by_plan: those who are entitled to a running tenant, by plan.
        monthly_revenue: in the smallest unit, a month, by Stripe's word (`revenue.monthly`).
        revenue_not_reckoned: items that are not in it, because their price has tiers or is metered.
        pay_to_ready: how long those who have a tenant now have waited for it.
    """

    customers: int
    by_status: Mapping[str, int]
    by_plan: Mapping[str, int]
    pending: int
    failed: int
    held: int
    disputed: int
    two_subscriptions: int
    currency: str
    monthly_revenue: int
    revenue_not_reckoned: int
    pay_to_ready: Waits

    def as_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return asdict(self)


def statistics(
    records: Iterable[Record], now: int, catalogue: Catalogue, stage: str, revenue: Revenue
) -> Statistics:
    """Count."""
    by_status: Counter[str] = Counter()
    by_plan: Counter[str] = Counter()
    waits: list[int] = []
    customers = pending = failed = held = disputed = twice = 0
    for record in records:
        standing = standing_of(record, now, catalogue, stage)
        customers += 1
        by_status[standing.status] += 1
        if standing.active and standing.plan_id:
            by_plan[standing.plan_id] += 1
        pending += record.pending
        failed += bool(record.failure and record.failure.permanent)
        held += record.hold is not None
        disputed += bool(record.disputes)
        twice += bool(record.billing.duplicates)
        if record.seconds_to_ready is not None:
            waits.append(record.seconds_to_ready)
    return Statistics(
        customers=customers,
        by_status=dict(sorted(by_status.items())),
        by_plan=dict(sorted(by_plan.items())),
        pending=pending,
        failed=failed,
        held=held,
        disputed=disputed,
        two_subscriptions=twice,
        currency=catalogue.product.currency,
        monthly_revenue=revenue.cents,
        revenue_not_reckoned=revenue.not_reckoned,
        pay_to_ready=Waits(len(waits), _quantile(waits, 0.5), _quantile(waits, 0.99)),
    )


def _quantile(values: Sequence[int], share: float) -> int | None:
    """The smallest value that this share of all does not exceed (nearest rank)."""
    if not values:
        return None
    ordered = sorted(values)
    rank = -(-len(ordered) * share // 1)  # rounded up
    return ordered[max(int(rank), 1) - 1]
