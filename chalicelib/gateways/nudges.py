"""Nudges in the table: what asks for a look, and what is due. No record is read or written here."""

import heapq
from collections.abc import Iterator, Mapping
from typing import Any

from chalicelib.domain.due import DUE_SHARDS, NUDGE_RETRY
from chalicelib.domain.timeline import TIMELINE_DAYS, Line
from chalicelib.gateways.dynamodb import Cancelled, DynamoDb, Op
from chalicelib.ports import DisputeFound, Due, Nudged

POLL_INTERVAL = 10
"""Seconds between two nudges that come from a customer's status polls."""


class NudgeTable:
    """Fits `chalicelib.ports.Nudges`: all that a webhook and the sweep need of the table."""

    def __init__(self, db: DynamoDb, *, keep_lines_days: int = TIMELINE_DAYS) -> None:
        self._db = db
        self._keep_lines = keep_lines_days * 24 * 3600

    def nudge(
        self,
        tenant_id: str,
        now: int,
        *,
        line: Line | None = None,
        paid_session: str | None = None,
        polled: bool = False,
    ) -> Nudged:
        """Raise `nudged` without reading, with its line, in one transaction."""
        to_set: dict[str, Any] = {"paid_session": paid_session} if paid_session else {}
        if polled:
            to_set["polled_at"] = now
        op = self._nudging(tenant_id, now, to_set, polled=polled)
        return self._nudge(op, tenant_id, line)

    def _nudge(self, op: Op, tenant_id: str, line: Line | None) -> Nudged:
        lines = [self._line(tenant_id, line)] if line else []
        try:
            self._db.write([op, *lines])
        except Cancelled as e:
            if lines and e.failed(1) and not e.failed(0):
                return "duplicate"
            return "duplicate" if e.item(0) else "unknown"
        return "nudged"

    def _nudging(  # noqa: PLR0913 - what a nudge may bring along
        self,
        tenant_id: str,
        now: int,
        to_set: Mapping[str, Any] | None = None,
        *,
        add: Mapping[str, Any] | None = None,
        discard: Mapping[str, Any] | None = None,
        polled: bool = False,
    ) -> Op:
        retry_at = now + NUDGE_RETRY
        when, values = "attribute_exists(pk)", {}
        if polled:
            when += " AND (attribute_not_exists(polled_at) OR polled_at <= :long_ago)"
            values[":long_ago"] = now - POLL_INTERVAL
        return self._db.update(
            record_key(tenant_id),
            {**(to_set or {}), "retry_at": retry_at, "due_at": retry_at},
            add={"nudged": 1, **(add or {})},
            discard=discard,
            when=when,
            values=values,
        )

    def put_off(self, due: Due, retry_at: int) -> None:
        """Look at a due item again at `retry_at`, unless it changed since it was found."""
        to_set = {"retry_at": retry_at, "due_at": retry_at, "attempts": due.attempts + 1}
        key = record_key(due.tenant_id) if due.tenant_id else _event_key(due.event_id or "")
        when = "due_at = :found"
        values = {":found": due.due_at}
        if due.tenant_id:
            when += " AND nudged = :read_nudged"
            values[":read_nudged"] = due.nudged
        try:
            self._db.write([self._db.update(key, to_set, when=when, values=values)])
        except Cancelled:
            return  # somebody else looked at it meanwhile, which is all that was wanted

    def due(self, now: int) -> Iterator[Due]:
        """Everything whose `due_at` has come, the longest due first: no shard starves another."""
        shards = [
            self._db.query_index("due", "due_shard", str(shard), "due_at", now)
            for shard in range(DUE_SHARDS)
        ]
        return map(_due, heapq.merge(*shards, key=lambda item: int(item["due_at"])))

    def tenant_of(self, customer_id: str) -> str | None:
        """Whose Stripe customer this is."""
        item = self._db.get(customer_key(customer_id))
        return str(item["tenant_id"]) if item else None

    def keep_event(self, event_id: str, line: Line, due_at: int) -> None:
        """Keep an event until the worker has found whom it concerns."""
        item = {
            **_event_key(event_id),
            "schema": 1,
            "type": line.text,
            "created": line.created,
            "due_shard": str(line.created % DUE_SHARDS),
            "due_at": due_at,
        }
        self._db.write([self._db.put(item)])

    def kept_event(self, event_id: str) -> Line | None:
        """The line of a kept event, while it is kept."""
        item = self._db.get(_event_key(event_id))
        if item is None:
            return None
        return Line(created=item["created"], id=event_id, kind="event", text=item["type"])

    def drop_event(self, event_id: str) -> None:
        """Forget a kept event."""
        self._db.write([self._db.delete(_event_key(event_id))])

    def note_dispute(self, tenant_id: str, now: int, line: Line, dispute: DisputeFound) -> Nudged:
        """Put a dispute on the record, or take it off, with its line and a nudge."""
        change = {"disputes": {dispute.dispute_id}}
        op = (
            self._nudging(tenant_id, now, add=change)
            if dispute.open
            else self._nudging(tenant_id, now, discard=change)
        )
        return self._nudge(op, tenant_id, line)

    def _line(self, tenant_id: str, line: Line) -> Op:
        item = {
            "pk": f"TENANT#{tenant_id}",
            "sk": f"LINE#{line.created:010d}#{line.id}",
            "schema": 1,
            "kind": line.kind,
            "text": line.text,
            "expires_at": line.created + self._keep_lines,  # the table's TTL removes it then
        }
        return self._db.put(item, when="attribute_not_exists(pk)")


def _due(item: Mapping[str, Any]) -> Due:
    kind, _, name = item["pk"].partition("#")
    return Due(
        tenant_id=name if kind == "TENANT" else None,
        event_id=name if kind == "EVENT" else None,
        pending=kind == "EVENT" or item.get("nudged", 0) > item.get("reconciled", 0),
        attempts=item.get("attempts", 0),
        nudged=item.get("nudged", 0),
        due_at=item["due_at"],
    )


def record_key(tenant_id: str) -> dict[str, Any]:
    """Where a tenant's record stands."""
    return {"pk": f"TENANT#{tenant_id}", "sk": "RECORD"}


def customer_key(customer_id: str) -> dict[str, Any]:
    """Where the pointer from a Stripe customer stands."""
    return {"pk": f"CUSTOMER#{customer_id}", "sk": "TENANT"}


def _event_key(event_id: str) -> dict[str, Any]:
    return {"pk": f"EVENT#{event_id}", "sk": "PENDING"}
