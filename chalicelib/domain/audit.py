"""Stripe, the record and the cluster held against each other: where they disagree, and how."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from chalicelib.domain.backoff import pending_after
from chalicelib.domain.catalogue import Catalogue
from chalicelib.domain.decision import Decision, Standing, decide, standing_of
from chalicelib.domain.record import Record
from chalicelib.domain.subscription import Truth
from chalicelib.domain.tenant import TenantNamespace

Kind = Literal[
    "paid, no tenant",
    "tenant, nobody pays",
    "wrong plan",
    "drift",
    "two subscriptions",
    "record is behind",
    "unread subscription",
    "uses more than it pays for",
    "stuck",
    "account is gone",
    "orphan namespace",
    "subscription of nobody",
    "not compared",
]
NEEDS_A_PERSON = frozenset(
    {
        "orphan namespace",
        "subscription of nobody",
        "unread subscription",
        "not compared",
        "stuck",
        "account is gone",
    }
)
"""Nothing that a reconcile could put right: no record, or no plan, leads to what should be."""

STUCK = 3600
"""Seconds: an outage at Stripe or of a cluster is over by then, or somebody should know of it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One disagreement, in words for an operator; `tenant_id` as far as there is one."""

    kind: Kind
    tenant_id: str | None
    text: str

    @property
    def can_be_mended(self) -> bool:
        """Whether a nudge makes the reconciler put it right, or report it anew."""
        return self.kind not in NEEDS_A_PERSON


def expected(record: Record, truth: Truth, now: int, catalogue: Catalogue, stage: str) -> Decision:
    """What a reconcile would decide at this moment."""
    return decide(record, truth, now, catalogue, stage)


def compare(  # noqa: PLR0913, PLR0917 - the three that are compared, and by what
    record: Record,
    decision: Decision,
    namespace: TenantNamespace | None,
    now: int,
    catalogue: Catalogue,
    stage: str,
) -> list[Finding]:
    """What is wrong with a tenant for whom nothing is pending, but for its objects' fields."""
    standing, billing = decision.standing, decision.record.billing
    found: list[Finding] = []

    def finding(kind: Kind, text: str) -> None:
        found.append(Finding(kind, record.tenant_id, text))

    if billing.duplicates:
        ids = ", ".join(billing.duplicates)
        counted = billing.subscription.id if billing.subscription else "none"
        finding("two subscriptions", f"{counted} counts, beside {ids}")
    if decision.problem:
        finding("unread subscription", decision.problem)
    recorded = standing_of(record, now, catalogue, stage)
    if recorded != standing:
        finding("record is behind", f"it says {_said(recorded)}; by Stripe it is {_said(standing)}")
    for kind, text in _in_the_cluster(standing, namespace):
        finding(kind, text)
    return found


def stuck(record: Record, now: int) -> list[Finding]:
    """What is wrong with a tenant for whom something is pending: that it is for so long."""
    if not record.pending:
        return []
    failure = record.failure
    failing = now - (failure.since or failure.at) if failure and not failure.permanent else 0
    pending = max(failing, pending_after(record.attempts) if record.attempts else 0)
    if pending <= STUCK:
        return []
    why = failure.reason if failure else "no attempt has come to an end"
    return [Finding("stuck", record.tenant_id, f"pending for {pending // 60} minutes: {why}")]


def excess(record: Record, over: Mapping[str, str], now: int) -> list[Finding]:
    """What is used beyond the plan, but for what the grace for a smaller plan still allows."""
    if not over or (record.excess and now < record.excess.fit_until):
        return []
    amounts = ", ".join(f"{name} by {by}" for name, by in sorted(over.items()))
    return [Finding("uses more than it pays for", record.tenant_id, f"over: {amounts}")]


def _in_the_cluster(
    standing: Standing, namespace: TenantNamespace | None
) -> list[tuple[Kind, str]]:
    stands = namespace is not None and not namespace.terminating
    if standing.wanted == "running":
        if namespace is None or not stands:
            return [("paid, no tenant", f"{standing.plan_id} is paid for, and no namespace stands")]
        if namespace.suspended:
            return [("paid, no tenant", f"{standing.plan_id} is paid for, and it is suspended")]
        if namespace.plan_id != standing.plan_id:
            text = f"{standing.plan_id} is paid for, and {namespace.plan_id} stands"
            return [("wrong plan", text)]
    elif standing.wanted == "suspended" and namespace and stands and not namespace.suspended:
        return [("tenant, nobody pays", f"it is {standing.status}, and its namespace runs")]
    elif standing.wanted == "absent" and stands:
        return [("tenant, nobody pays", f"it is {standing.status}, and its namespace stands")]
    return []


def _said(standing: Standing) -> str:
    return f"{standing.plan_id or 'no plan'}, {standing.status}, {standing.wanted}"
