"""What runs behind the queue and the schedule. `app.py` is not imported where these run."""

import json
import logging
import os
import time
from typing import TYPE_CHECKING, Any

from chalice.app import Blueprint, CloudWatchEvent, Rate, SQSEvent, SQSRecord

from chalicelib import correlation, wiring
from chalicelib.domain.errors import DomainError, InvalidRequest, Permanent, Temporary, Waiting
from chalicelib.entrypoints import logs, metrics
from chalicelib.entrypoints.logs import say
from chalicelib.services.nudging import resolve_event
from chalicelib.services.sweeping import sweep

if TYPE_CHECKING:
    from chalicelib.services.reconciling import Report

MAX_RECEIVES = 5
"""How often the queue delivers a message before it is a dead letter (its redrive policy)."""

LOOK_AGAIN = 3
"""Seconds until a message that waits for something short comes again."""

AT_ONCE = int(os.environ.get("WORKERS_AT_ONCE", "5"))
"""How many tenants are worked on at once: a new AWS account runs ten functions in all, and the API
must never wait for the worker. (Reserving a share for it is not allowed there.) A stage's setting,
read at import as the next one is."""

QUEUE_NAME = os.environ.get("QUEUE_NAME", "arm-engine-dev-tenants.fifo")
"""Read at import, since the deployment wires the function to the queue by it."""

_FAILURES = {"later": "temporary", "failed": "permanent"}

logs.configure()
jobs = Blueprint(__name__)


@jobs.on_sqs_message(queue=QUEUE_NAME, batch_size=1, maximum_concurrency=AT_ONCE, name="worker")
def on_tenant_message(event: SQSEvent) -> None:
    """Look at whatever a message names; raising leaves the message to the queue."""
    for message in event:
        with correlation.about(**_origin(message.to_dict())):
            _work_on(message)


@jobs.schedule(Rate(1, unit=Rate.MINUTES), name="sweep")
def on_schedule(event: CloudWatchEvent) -> None:
    """Nudge what has fallen due, and take what Stripe could not deliver.

    Neither keeps the other from being done, nor one item the rest; the first failure is raised in
    the end, so that the function's errors show it.
    """
    with correlation.about(request_id=event.event_id):
        swept = sweep(
            records=wiring.nudges(),
            queue=wiring.queue(),
            clock=wiring.clock(),
            new_id=wiring.new_id,
        )
        metrics.seconds("PendingAge", swept.pending_for)
        if swept.nudged or swept.sent_again:
            say("sweep", nudged=swept.nudged, sent_again=swept.sent_again, stuck=swept.stuck)
        for each in swept.failed:
            say(
                "not swept",
                level=logging.ERROR,
                tenant=each.tenant_id,
                event_id=each.event_id,
                reason=f"{type(each.error).__name__}: {each.error}",
            )
        failures = [*(each.error for each in swept.failed), *_take_missed_events()]
        if failures:
            raise failures[0]


def _take_missed_events() -> list[DomainError]:
    """What is due has been seen to first: Stripe may be away, and is asked again in a minute.

    Returns:
        What will not be over in a minute.
    """
    try:
        taken = wiring.missed_events().take()
    except Temporary as e:
        say("events not seen", level=logging.WARNING, reason=str(e))
    except (Permanent, InvalidRequest) as e:
        say("events not seen", level=logging.ERROR, reason=str(e))
        return [e]
    else:
        metrics.seconds("EventsLag", taken.lag)
        if taken.nudged:
            say("events missed", nudged=taken.nudged, lag=taken.lag)
    return []


@jobs.schedule(Rate(1, unit=Rate.DAYS), name="audit")
def on_audit(event: CloudWatchEvent) -> None:
    """Compare Stripe, the table and the cluster; each finding is a line for an operator."""
    with correlation.about(request_id=event.event_id):
        report = wiring.audit().run(mend=wiring.catalogue().policy.audit_mends)
        for finding in report.findings:
            say(
                "audit finding",
                level=logging.WARNING,
                tenant=finding.tenant_id,
                kind=finding.kind,
                text=finding.text,
            )
            metrics.count("AuditFindings", kind=finding.kind)
        say(
            "audit",
            tenants=report.tenants,
            pending=report.pending,
            findings=len(report.findings),
            mended=report.mended,
        )


def _origin(message: dict[str, Any]) -> dict[str, str]:
    """A message's own id, and the ids of what caused it."""
    attributes = message.get("messageAttributes") or {}
    causes = {name: str(value.get("stringValue", "")) for name, value in attributes.items()}
    causes = {name: value for name, value in causes.items() if name in correlation.CAUSES}
    return {"message_id": str(message.get("messageId", "")), **causes}


def _work_on(message: SQSRecord) -> None:
    """Work on one message; what is short is waited for by its visibility.

    What is not short is put off in the record, or, when even the record cannot be reached, left
    to the sweep: the work stands in the table as pending, so the message may go. An outage of
    hours fills no dead-letter queue.
    """
    receives = int(message.to_dict().get("attributes", {}).get("ApproximateReceiveCount", "1"))
    may_wait = receives <= MAX_RECEIVES - 2
    try:
        _look(_key(message), may_wait=may_wait)
    except (Temporary, Waiting) as e:
        say("waiting", level=logging.WARNING, reason=str(e))
        if may_wait:
            wiring.queue().look_again_in(LOOK_AGAIN, message.receipt_handle)
            raise
    except Exception:  # a bug: counted here, and left to Lambda, which gives the message back
        metrics.count("ReconcileFailures", kind="unknown")
        raise


def _look(key: dict[str, str], *, may_wait: bool) -> None:
    if "eventId" in key:
        correlation.learn(event_id=key["eventId"])
        _resolve(key["eventId"])
    elif "tenantId" in key:
        correlation.learn(tenant=key["tenantId"])
        _reconcile(key["tenantId"], may_wait=may_wait)


def _resolve(event_id: str) -> None:
    try:
        outcome = resolve_event(
            event_id,
            records=wiring.nudges(),
            payments=wiring.payments(),
            queue=wiring.queue(),
            clock=wiring.clock(),
        )
    except Permanent as e:
        # It stays kept, and the sweep asks again every few minutes: five quick tries help nobody.
        say("event not resolved", level=logging.ERROR, reason=str(e))
    else:
        say("event resolved", outcome=outcome)


def _reconcile(tenant_id: str, *, may_wait: bool) -> None:
    began = time.monotonic()
    report = wiring.reconciler().reconcile(tenant_id, may_wait=may_wait)
    say(
        "reconcile",
        level=_level_of(report),
        outcome=report.outcome,
        status=report.status,
        applied=report.applied or None,
        reason=report.reason,
        duplicates=list(report.duplicates) or None,
        unread=list(report.unread) or None,
    )
    _measure(report, time.monotonic() - began)


def _level_of(report: "Report") -> int:
    if report.outcome == "failed":
        return logging.ERROR
    return logging.WARNING if report.duplicates or report.unread else logging.INFO


def _measure(report: "Report", took: float) -> None:
    metrics.seconds("ReconcileTime", round(took, 3), outcome=report.outcome)
    if report.outcome in _FAILURES:
        metrics.count("ReconcileFailures", kind=_FAILURES[report.outcome])
    if report.duplicates:
        metrics.count("Duplicates")
    record = report.record
    became_ready = record and report.applied and record.ready_since == record.updated_at
    if record and became_ready and record.seconds_to_ready is not None:
        metrics.seconds("PayToReady", record.seconds_to_ready)


def _key(message: SQSRecord) -> dict[str, str]:
    """A message's body. Anything but a key of ours would never be understood: it is dropped."""
    try:
        body = json.loads(message.body)
    except ValueError:
        body = None
    if not isinstance(body, dict) or not {"tenantId", "eventId"} & body.keys():
        say("not a key", level=logging.ERROR)
        return {}
    return {name: str(value) for name, value in body.items()}
