"""The DynamoDB table: records with their timelines and pointers, and the count of Free grants."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any

from chalicelib.domain.due import NUDGE_RETRY
from chalicelib.domain.errors import Conflict, FreeFull, FreeUsed, Unauthenticated
from chalicelib.domain.record import Record, User
from chalicelib.domain.timeline import Line
from chalicelib.gateways.dynamodb import CONFLICT_TRIES, CROWDED_TRIES, Cancelled, Op
from chalicelib.gateways.items import attributes, changes, record_of
from chalicelib.gateways.nudges import NudgeTable, customer_key, record_key


class Table(NudgeTable):
    """Fits `chalicelib.ports.Records`. Every write that belongs together is one transaction."""

    def read(self, tenant_id: str) -> Record | None:
        """The record as it is now."""
        item = self._db.get(record_key(tenant_id))
        return record_of(tenant_id, item) if item else None

    def own(self, user: User) -> Record | None:
        """The same for whoever is signed in, who may not be any more."""
        item = self._db.get(record_key(user.tenant_id))
        # Of somebody who was forgotten there is no record, for as long as a token lives this.
        mark = item or self._db.get(ended_key(user.tenant_id)) or {}
        if user.is_signed_out(mark.get("not_before")):
            raise Unauthenticated
        return record_of(user.tenant_id, item) if item else None

    def create(self, record: Record) -> None:
        """Write a first record; Conflict when there is one already."""
        item = {**record_key(record.tenant_id), **attributes(record)}
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
        free_mark: str | None = None,
        lines: Sequence[Line] = (),
    ) -> Record:
        """Write what differs, on condition that nobody decided anything since `before`."""
        after = replace(after, version=before.version + 1)
        if nudge_at is not None:
            retry_at = nudge_at + NUDGE_RETRY
            after = replace(after, nudged=before.nudged + 1, retry_at=retry_at, due_at=retry_at)
        ops = [self._update(before, after, nothing_new=nothing_new)]
        if after.customer_id and after.customer_id != before.customer_id:
            pointer = {**customer_key(after.customer_id), "tenant_id": after.tenant_id}
            ops.append(self._db.put(pointer | {"schema": 1}))
        marked = self._had_free(free_mark, nudge_at or 0)
        count_at = len(ops) + len(marked)
        ops += [*marked, *self._free(free_change, free_cap)]
        ops += [self._line(after.tenant_id, line) for line in lines]
        tries = CROWDED_TRIES if free_change else CONFLICT_TRIES
        try:
            self._db.write(ops, tries=tries)
        except Cancelled as e:
            if e.failed(0):
                raise Conflict("the record was written meanwhile") from e
            if marked and not e.failed(count_at):
                raise FreeUsed from e
            raise FreeFull from e
        return after

    def conclude(
        self, before: Record, after: Record, *, free_change: int = 0, lines: Sequence[Line] = ()
    ) -> Record:
        """Save as the end of a reconcile; deadlines of nudges that came meanwhile stay."""
        after = replace(after, version=before.version + 1)
        rest = [*self._free(free_change, None)]
        rest += [self._line(after.tenant_id, line) for line in lines]
        tries = CROWDED_TRIES if free_change else CONFLICT_TRIES
        whole = [self._update(before, after, nothing_new=True, deadlines=True), *rest]
        try:
            self._db.write(whole, tries=tries)
        except Cancelled as e:
            now_there = e.item(0)
            if now_there is None or now_there.get("version", 0) != before.version:
                raise Conflict("the record was written meanwhile") from e
        else:
            return after
        # What a nudge may have written since is left as it is: another look follows anyhow.
        kept = replace(
            after,
            retry_at=before.retry_at,
            due_at=before.due_at,
            attempts=before.attempts,
            disputes=before.disputes,
        )
        try:
            self._db.write([self._update(before, kept), *rest], tries=tries)
        except Cancelled as e:
            raise Conflict("the record was written meanwhile") from e
        return kept

    def note_spent(self, record: Record, busy_until: int) -> None:
        """Note what is left of a budget; the record's version is left alone."""
        when, values = "attribute_not_exists(busy_until)", {}
        if record.busy_until is not None:
            when, values = "busy_until = :left", {":left": record.busy_until}
        key, to_set = record_key(record.tenant_id), {"busy_until": busy_until}
        when += " AND attribute_exists(pk)"
        try:
            self._db.write([self._db.update(key, to_set, when=when, values=values)])
        except Cancelled as e:
            raise Conflict("another request was counted meanwhile") from e

    def swept_until(self) -> int | None:
        """Up to when Stripe's undelivered events were looked at."""
        item = self._db.get(_CURSOR)
        return int(item["swept_until"]) if item else None

    def note_swept_until(self, at: int) -> None:
        """Note up to when they were looked at."""
        self._db.write([self._db.put({**_CURSOR, "schema": 1, "swept_until": at})])

    def all(self) -> Iterator[Record]:
        """Every record there is, page by page: reads the whole table, for the audit only."""
        for item in self._db.scan("sk", "RECORD"):
            yield record_of(item["pk"].removeprefix("TENANT#"), item)

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
        key = record_key(after.tenant_id)
        return self._db.update(key, to_set, remove=to_remove, add=add, when=when, values=values)

    def _had_free(self, mark: str | None, now: int) -> list[Op]:
        """That an address has had Free: once, for as long as a line of the timeline is kept."""
        if mark is None:
            return []
        had = {"pk": f"FREE#{mark}", "sk": "HAD", "schema": 1, "expires_at": now + self._keep_lines}
        return [self._db.put(had, when="attribute_not_exists(pk)")]

    def _free(self, change: int, cap: int | None) -> list[Op]:
        if not change:
            return []
        key = {"pk": "FREE", "sk": "COUNT"}
        when = None
        if cap is not None:
            when = "standing < :cap"
            if cap > 0:
                when = f"attribute_not_exists(standing) OR {when}"
        values = {":cap": cap} if cap is not None else {}
        return [
            self._db.update(key, {"schema": 1}, add={"standing": change}, when=when, values=values)
        ]


def ended_key(tenant_id: str) -> dict[str, Any]:
    """Where it stands that somebody was forgotten: by a hash, for nothing is kept of them."""
    return {"pk": f"ENDED#{sha256(tenant_id.encode()).hexdigest()[:32]}", "sk": "SESSIONS"}


_CURSOR = {"pk": "SWEEP", "sk": "CURSOR"}
