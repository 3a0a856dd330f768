"""The DynamoDB table: records, timelines, pointers, kept events, the count of Free grants."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from chalicelib.domain.errors import Conflict, FreeFull
from chalicelib.domain.record import DUE_SHARDS, NUDGE_RETRY, Record
from chalicelib.domain.timeline import Line
from chalicelib.gateways.dynamodb import Cancelled, DynamoDb, Op
from chalicelib.gateways.items import attributes, changes, record_of
from chalicelib.ports import DisputeFound, Due, Nudged

POLL_INTERVAL = 10
"""Seconds between two nudges that come from a customer's status polls."""


class Table:
    """Fits `chalicelib.ports.Records`. Every write that belongs together is one transaction."""

    def __init__(self, db: DynamoDb) -> None:
        self._db = db

    def read(self, tenant_id: str) -> Record | None:
        """The record as it is now."""
        item = self._db.get(_record_key(tenant_id))
        return record_of(tenant_id, item) if item else None

    def create(self, record: Record) -> None:
        """Write a first record; Conflict when there is one already."""
        item = {**_record_key(record.tenant_id), **attributes(record)}
        try:
            self._db.write([self._db.put(item, when="attribute_not_exists(pk)")])
        except Cancelled as e:
            raise Conflict("the record was made meanwhile") from e

    def save(  # noqa: PLR0913 - as the port has it
        self,
        before: Record,
        after: Record,
        *,
        nudge_at: int | None = None,
        nothing_new: bool = False,
        free_change: int = 0,
        free_cap: int | None = None,
        lines: Sequence[Line] = (),
    ) -> Record:
        """Write what differs, on condition that nobody decided anything since `before`."""
        after = replace(after, version=before.version + 1)
        if nudge_at is not None:
            retry_at = nudge_at + NUDGE_RETRY
            after = replace(after, nudged=before.nudged + 1, retry_at=retry_at, due_at=retry_at)
        ops = [self._update(before, after, nothing_new=nothing_new)]
        if after.customer_id and after.customer_id != before.customer_id:
            pointer = {**_customer_key(after.customer_id), "tenant_id": after.tenant_id}
            ops.append(self._db.put(pointer | {"schema": 1}))
        ops += self._free(free_change, free_cap)
        ops += [self._line(after.tenant_id, line) for line in lines]
        try:
            self._db.write(ops)
        except Cancelled as e:
            if e.failed(0):
                raise Conflict("the record was written meanwhile") from e
            raise FreeFull from e
        return after

    def conclude(
        self, before: Record, after: Record, *, free_change: int = 0, lines: Sequence[Line] = ()
    ) -> Record:
        """Save as the end of a reconcile; deadlines of nudges that came meanwhile stay."""
        after = replace(after, version=before.version + 1)
        rest = [*self._free(free_change, None)]
        rest += [self._line(after.tenant_id, line) for line in lines]
        try:
            self._db.write([self._update(before, after, nothing_new=True, deadlines=True), *rest])
        except Cancelled as e:
            now_there = e.item(0)
            if now_there is None or now_there.get("version", 0) != before.version:
                raise Conflict("the record was written meanwhile") from e
        else:
            return after
        kept = replace(
            after, retry_at=before.retry_at, due_at=before.due_at, attempts=before.attempts
        )
        try:
            self._db.write([self._update(before, kept), *rest])
        except Cancelled as e:
            raise Conflict("the record was written meanwhile") from e
        return kept

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
            _record_key(tenant_id),
            {**(to_set or {}), "retry_at": retry_at, "due_at": retry_at},
            add={"nudged": 1, **(add or {})},
            discard=discard,
            when=when,
            values=values,
        )

    def put_off(self, due: Due, retry_at: int) -> None:
        """Look at a due item again at `retry_at`, unless it changed since it was found."""
        to_set = {"retry_at": retry_at, "due_at": retry_at, "attempts": due.attempts + 1}
        key = _record_key(due.tenant_id) if due.tenant_id else _event_key(due.event_id or "")
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
        """Everything whose `due_at` has come, shard by shard, the longest due first."""
        for shard in range(DUE_SHARDS):
            for item in self._db.query_index("due", "due_shard", str(shard), "due_at", now):
                kind, _, name = item["pk"].partition("#")
                yield Due(
                    tenant_id=name if kind == "TENANT" else None,
                    event_id=name if kind == "EVENT" else None,
                    pending=kind == "EVENT" or item.get("nudged", 0) > item.get("reconciled", 0),
                    attempts=item.get("attempts", 0),
                    nudged=item.get("nudged", 0),
                    due_at=item["due_at"],
                )

    def tenant_of(self, customer_id: str) -> str | None:
        """Whose Stripe customer this is."""
        item = self._db.get(_customer_key(customer_id))
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

    def _update(
        self, before: Record, after: Record, *, nothing_new: bool = False, deadlines: bool = False
    ) -> Op:
        to_set, to_remove = changes(before, after)
        if deadlines:
            # The sweep moves these without raising the version: say what they are in any case.
            for name in ("retry_at", "due_at"):
                value = getattr(after, name)
                if value is not None:
                    to_set[name] = value
                elif name not in to_remove:
                    to_remove.append(name)
            to_set["attempts"] = after.attempts
        when, values = "version = :read_version", {":read_version": before.version}
        if nothing_new:
            when += " AND nudged = :read_nudged"
            values[":read_nudged"] = before.nudged
        add = {}
        if after.nudged != before.nudged:
            del to_set["nudged"]
            add["nudged"] = 1
        key = _record_key(after.tenant_id)
        return self._db.update(key, to_set, remove=to_remove, add=add, when=when, values=values)

    def _free(self, change: int, cap: int | None) -> list[Op]:
        if not change:
            return []
        key = {"pk": "FREE", "sk": "COUNT"}
        when = None
        if cap is not None:
            when = "(attribute_not_exists(standing) AND :cap > :none) OR standing < :cap"
        values = {":cap": cap, ":none": 0} if cap is not None else {}
        return [
            self._db.update(key, {"schema": 1}, add={"standing": change}, when=when, values=values)
        ]

    def _line(self, tenant_id: str, line: Line) -> Op:
        item = {
            "pk": f"TENANT#{tenant_id}",
            "sk": f"LINE#{line.created:010d}#{line.id}",
            "schema": 1,
            "kind": line.kind,
            "text": line.text,
        }
        return self._db.put(item, when="attribute_not_exists(pk)")


def _record_key(tenant_id: str) -> dict[str, Any]:
    return {"pk": f"TENANT#{tenant_id}", "sk": "RECORD"}


def _customer_key(customer_id: str) -> dict[str, Any]:
    return {"pk": f"CUSTOMER#{customer_id}", "sk": "TENANT"}


def _event_key(event_id: str) -> dict[str, Any]:
    return {"pk": f"EVENT#{event_id}", "sk": "PENDING"}
