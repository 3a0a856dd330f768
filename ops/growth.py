"""How far a shop grows until which limit: computed, so that docs/limits.md stays true.

The limits are AWS's, Stripe's and Kubernetes' own published defaults; what a tenant takes of each
is a figure of this code.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from ops.deploying import limits

MONTH = 30 * 86_400
NEW_A_SECOND_PER_WORKER = 9 / 5
"""Measured: five workers make nine new tenants a second."""

EVENTS_A_MONTH = 5
"""Of a customer who renews once."""

STRIPE_CALLS_A_LOOK = 2
PEAK = 20
"""How many times busier than its month's mean a shop's busiest minute is."""

SIGN_INS_A_MONTH = 10


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit.

    Attributes:
        tenants: how many there are when it is met.
        moved_by: the setting, or whom to ask.
    """

    what: str
    tenants: int
    moved_by: str


def first_met(workers: int = 5, lambda_at_once: int = 1000) -> list[Limit]:
    """The limits, the first one first."""
    return sorted(_limits(workers, lambda_at_once), key=lambda limit: limit.tenants)


def _limits(workers: int, lambda_at_once: int) -> Iterator[Limit]:
    yield Limit(
        "Kubernetes: namespaces in a cluster (10,000, its own scalability thresholds)",
        10_000,
        "a second stage with a cluster of its own",
    )
    looks = workers * NEW_A_SECOND_PER_WORKER
    yield Limit(
        f"the worker: {workers} at once look at {looks:.0f} tenants a second",
        _by_rate(looks, EVENTS_A_MONTH),
        "`workers_at_once` in infra/stages.toml",
    )
    yield Limit(
        "Stripe: 100 requests a second in live mode",
        _by_rate(100, EVENTS_A_MONTH * STRIPE_CALLS_A_LOOK),
        "Stripe's support; `ops rollout --rate` for what is not urgent",
    )
    webhook = limits.LIMITS["~1api~1payments~1webhook/POST"].rate
    yield Limit(
        f"API Gateway: our own limit of {webhook} webhooks a second",
        _by_rate(webhook, EVENTS_A_MONTH),
        "ops/deploying/limits.py; Stripe delivers again what is refused",
    )
    login = limits.LIMITS["~1api~1auth~1login/POST"].rate
    yield Limit(
        f"API Gateway: our own limit of {login} sign-ins a second (Cognito's is 120)",
        _by_rate(login, SIGN_INS_A_MONTH),
        "ops/deploying/limits.py, then Service Quotas (Cognito `UserAuthentication`)",
    )
    yield Limit(
        f"Lambda: {lambda_at_once:,} functions at once, each of 0.1 s",
        _by_rate(lambda_at_once * 10, EVENTS_A_MONTH * 2 + SIGN_INS_A_MONTH),
        "Service Quotas (Lambda, concurrent executions)",
    )


def _by_rate(a_second: float, of_each_a_month: float) -> int:
    """Tenants whose busiest minute is just served."""
    return int(a_second * MONTH / of_each_a_month / PEAK) // 100 * 100


def table() -> str:
    """As docs/limits.md has it."""
    rows = [f"| {x.tenants:,} | {x.what} | {x.moved_by} |" for x in first_met()]
    return "\n".join(["| tenants | limit | moved by |", "| ---: | --- | --- |", *rows])


def by_size() -> str:
    """The first limit that a shop of a size has behind it, or the next before it."""
    head = ["| tenants | limits met on the way, the first one first |", "| ---: | --- |"]
    rows = []
    for power in range(2, 7):
        met = [limit for limit in first_met() if limit.tenants <= 10**power]
        said = "; ".join(f"{x.what.split(':')[0]} ({x.moved_by})" for x in met) or "none"
        rows.append(f"| {10**power:,} | {said} |")
    return "\n".join([*head, *rows])
