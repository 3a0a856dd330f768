"""How one tenant stands, for operators: what the customer reads, and what they must not."""

from typing import Any

from chalicelib.domain.record import Record
from chalicelib.domain.status import status_of
from chalicelib.domain.tenant import namespace_of
from ops.desk import Desk
from ops.operating.words import moment


def summary(desk: Desk, record: Record) -> dict[str, Any]:
    """One line of a list."""
    reads = status_of(record, desk.now, desk.catalogue, desk.stage)
    return {
        "tenantId": record.tenant_id,
        "email": record.user.email,
        "plan": reads["planId"],
        "status": reads["status"],
        "tenant": reads["tenant"]["state"],
        "pending": record.pending,
        "held": record.hold.reason if record.hold else None,
        "failure": record.failure.reason if record.failure else None,
    }


def detail(desk: Desk, record: Record) -> dict[str, Any]:
    """All that an operator asks first."""
    subscription = record.subscription
    return {
        **summary(desk, record),
        "account": _account(desk, record),
        "namespace": namespace_of(desk.catalogue, record.tenant_id),
        "customerId": record.customer_id,
        "subscriptionId": subscription.id if subscription else None,
        "subscriptionStatus": subscription.status if subscription else None,
        "duplicates": list(record.billing.duplicates),
        "openDisputes": list(record.disputes),
        "openCheckout": record.checkout.session_id if record.checkout else None,
        "heldSince": moment(record.hold.since) if record.hold else None,
        "failedAt": moment(record.failure.at) if record.failure else None,
        "failedForGood": bool(record.failure and record.failure.permanent),
        "nudged": record.nudged,
        "reconciled": record.reconciled,
        "sentAgain": record.attempts,
        "nextLook": moment(record.due_at),
        "graceUntil": moment(record.grace_until),
        "retentionUntil": moment(record.retention_until),
        "freeUntil": moment(record.free_until),
        "readySince": moment(record.ready_since),
        "secondsToReady": record.seconds_to_ready,
        "appliedRevision": record.applied,
        "whatTheCustomerReads": status_of(record, desk.now, desk.catalogue, desk.stage),
    }


def _account(desk: Desk, record: Record) -> str | None:
    """What the user pool says of them: Cognito's own word, or that they are gone from it."""
    if desk.pool is None:
        return None
    account = desk.pool.by_subject(record.user.subject)
    return account.status if account else "gone"
