"""`ops dead-letters`."""

import sys
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import click

from ops.commands.common import operates, show_rows
from ops.desk import Desk
from ops.operating.acting import redrive
from ops.operating.words import moment


@click.group("dead-letters")
def dead_letters() -> None:
    """What the worker gave up after a few tries."""


@dead_letters.command("list")
@operates
def list_all(desk: Desk, *, as_json: bool) -> None:
    """What there is, and what caused it; exit code 1 when there is something."""
    rows = list(_looked_at(desk))
    show_rows(rows, as_json=as_json, nothing="none")
    sys.exit(1 if rows else 0)


@dead_letters.command("redrive")
@operates
def again(desk: Desk, *, as_json: bool) -> None:
    """Give each another try, once the bug is put right."""
    show_rows((asdict(r) for r in redrive(desk)), as_json=as_json, nothing="none")


def _looked_at(desk: Desk) -> Iterator[dict[str, Any]]:
    letters = list(desk.dead_letters.all())
    for letter in letters:
        desk.dead_letters.put_back(letter)
        yield {
            "messageId": letter.message_id,
            "tenantId": letter.tenant_id,
            "eventId": letter.event_id or letter.causes.get("event_id"),
            "requestId": letter.causes.get("request_id"),
            "sentAt": moment(letter.sent_at),
        }
