"""What runs behind the queue and the schedule. `app.py` is not imported where these run."""

import json
import logging
import os
from typing import Any

from chalice.app import Blueprint, CloudWatchEvent, Rate, SQSEvent, SQSRecord

from chalicelib import wiring
from chalicelib.domain.errors import Waiting
from chalicelib.entrypoints import logs
from chalicelib.entrypoints.logs import say
from chalicelib.services.nudging import resolve_event
from chalicelib.services.sweeping import sweep

MAX_RECEIVES = 5
"""How often the queue delivers a message before it is a dead letter (its redrive policy)."""

LOOK_AGAIN = 3
"""Seconds until a message that waits for something short comes again."""

QUEUE_NAME = os.environ.get("QUEUE_NAME", "arm-engine-dev-tenants.fifo")
"""Read at import, since the deployment wires the function to the queue by it."""

logs.configure()
jobs = Blueprint(__name__)


@jobs.on_sqs_message(queue=QUEUE_NAME, batch_size=1, name="worker")
def on_tenant_message(event: SQSEvent) -> None:
    """Look at whatever a message names; raising leaves the message to the queue."""
    for message in event:
        _work_on(message)


@jobs.schedule(Rate(1, unit=Rate.MINUTES), name="sweep")
def on_schedule(event: CloudWatchEvent) -> None:
    """Nudge what has fallen due."""
    swept = sweep(
        records=wiring.records(), queue=wiring.queue(), clock=wiring.clock(), new_id=wiring.new_id
    )
    if swept.nudged or swept.sent_again:
        say("sweep", request_id=event.event_id, nudged=swept.nudged, sent_again=swept.sent_again)


def _work_on(message: SQSRecord) -> None:
    key = _key(message)
    if "eventId" in key:
        outcome = resolve_event(
            key["eventId"],
            records=wiring.records(),
            payments=wiring.payments(),
            queue=wiring.queue(),
            clock=wiring.clock(),
        )
        say("event resolved", event_id=key["eventId"], outcome=outcome)
    elif "tenantId" in key:
        _reconcile(key["tenantId"], message)


def _reconcile(tenant_id: str, message: SQSRecord) -> None:
    raw: dict[str, Any] = message.to_dict()
    message_id = str(raw.get("messageId"))
    receives = int(raw.get("attributes", {}).get("ApproximateReceiveCount", "1"))
    try:
        report = wiring.reconciler().reconcile(tenant_id, may_wait=receives <= MAX_RECEIVES - 2)
    except Waiting as e:
        say("waiting", tenant=tenant_id, message_id=message_id, reason=str(e))
        wiring.queue().look_again_in(LOOK_AGAIN, message.receipt_handle)
        raise
    say(
        "reconcile",
        level=logging.ERROR if report.outcome == "failed" else logging.INFO,
        tenant=tenant_id,
        message_id=message_id,
        outcome=report.outcome,
        status=report.status,
        applied=report.applied or None,
        reason=report.reason,
    )


def _key(message: SQSRecord) -> dict[str, str]:
    """A message's body. Anything but a key of ours would never be understood: it is dropped."""
    try:
        body = json.loads(message.body)
    except ValueError:
        body = None
    if not isinstance(body, dict) or not {"tenantId", "eventId"} & body.keys():
        say("not a key", level=logging.ERROR, message_id=message.to_dict().get("messageId"))
        return {}
    return {name: str(value) for name, value in body.items()}
