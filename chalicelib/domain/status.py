"""What the dashboard reads: a record, in words a customer understands."""

from datetime import UTC, datetime
from typing import Any, Literal

from chalicelib.domain.catalogue import Catalogue
from chalicelib.domain.decision import Standing, standing_of
from chalicelib.domain.record import Record
from chalicelib.domain.tenant import namespace_of

TenantState = Literal["none", "pending", "ready", "suspended", "deleting", "failed"]

DELAYED = (
    "This takes longer than usual: a system we depend on is not answering. "
    "Nothing is lost; we keep trying, and it goes on by itself."
)
FAILED = (
    "We could not set up your workspace. Our team has been told and will put it right; "
    "you need not pay again."
)

UNDER_WAY = (
    "Your payment is under way; with a bank this can take some days. "
    "Your workspace is set up as soon as it has arrived."
)
HELD = "Your workspace was suspended by our team. Your data is kept; please contact support."
DISPUTED = (
    "A payment of yours is disputed with your bank. Your data is kept, "
    "and your workspace starts again once that is settled."
)


def status_of(record: Record | None, now: int, catalogue: Catalogue, stage: str) -> dict[str, Any]:
    """The answer of `GET /api/subscriptions/status`."""
    if record is None:
        return _nothing()
    standing = standing_of(record, now, catalogue, stage)
    subscription = record.subscription
    live = subscription if subscription and subscription.is_live else None
    on_free = live is None and record.free_stands(now)
    return {
        "active": standing.active,
        "planId": standing.plan_id,
        "status": standing.status,
        "currentPeriodEnd": _iso(
            record.free_until if on_free else live.current_period_end if live else None
        ),
        "cancelAtPeriodEnd": on_free or bool(live and live.cancel_at_period_end),
        "paymentProblem": {"actBy": _iso(record.grace_until)}
        if live and live.payment_failed
        else None,
        "dataKeptUntil": _iso(record.retention_until) if _is_kept(record, standing, now) else None,
        "tenant": _tenant(record, standing, catalogue),
        **_over(record),
    }


def _over(record: Record) -> dict[str, Any]:
    """What the plan does not hold of what runs, and by when it is made to fit; only if there is."""
    if record.excess is None:
        return {}
    act_by = _iso(record.excess.fit_until)
    over = sorted(record.excess.over.items())
    return {"over": [{"name": name, "by": by, "actBy": act_by} for name, by in over]}


def _is_kept(record: Record, standing: Standing, now: int) -> bool:
    """Whether there is a day that the data are kept until; one that has passed is no promise."""
    until = record.retention_until
    return standing.status == "canceled" and until is not None and now < until


def _tenant(record: Record, standing: Standing, catalogue: Catalogue) -> dict[str, Any]:
    state, message = _state(record, standing)
    return {
        "namespace": None if state == "none" else namespace_of(catalogue, record.tenant_id),
        "state": state,
        "message": message,
        "updatedAt": _iso(record.updated_at),
    }


def _state(record: Record, standing: Standing) -> tuple[TenantState, str | None]:
    if record.failure and record.failure.permanent and standing.wanted != "absent":
        return "failed", FAILED
    message = DELAYED if record.failure and record.pending else None
    if record.phase == "deleting":
        return "deleting", message
    if standing.wanted in {"running", "as it was"}:
        ready = record.phase == "running" and record.ready_since is not None
        return ("ready", None) if ready else ("pending", message)
    return ("none" if record.phase is None else "suspended"), _why_stopped(record, standing)


def _why_stopped(record: Record, standing: Standing) -> str | None:
    """What neither status nor dates tell: somebody, or a bank, has stopped it."""
    if standing.stopped_by == "hold" and standing.wanted == "suspended":
        return HELD
    if standing.stopped_by == "dispute":
        return DISPUTED
    is_first = record.billing.incomplete and standing.status in {"none", "canceled"}
    return UNDER_WAY if is_first else None


def _nothing() -> dict[str, Any]:
    return {
        "active": False,
        "planId": None,
        "status": "none",
        "currentPeriodEnd": None,
        "cancelAtPeriodEnd": False,
        "paymentProblem": None,
        "dataKeptUntil": None,
        "tenant": {"namespace": None, "state": "none", "message": None, "updatedAt": None},
    }


def _iso(at: int | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
