"""Where sessions end before their tokens do: a moment on the record, which every request reads.

An ID token cannot be taken back. What can be taken back is what it opens: whoever is signed in
reads their own record first, so a moment that stands there costs no call of its own.
"""

from chalicelib.domain.errors import Conflict
from chalicelib.domain.record import Record, User
from chalicelib.gateways.dynamodb import Cancelled, DynamoDb
from chalicelib.gateways.items import Item
from chalicelib.gateways.nudges import record_key
from chalicelib.gateways.table import Table


def left_of(tenant_id: str, until: int) -> Item:
    """What stands in a record's place: no fact of anybody's, and gone by itself after `until`."""
    return {**record_key(tenant_id), "schema": 1, "not_before": until, "expires_at": until}


class SessionTable:
    """Fits `chalicelib.ports.Sessions`."""

    def __init__(self, db: DynamoDb) -> None:
        self._db = db

    def end(self, user: User, at: int) -> None:
        """From now on, tokens of a log-in before `at` open nothing."""
        try:
            self._mark(user.tenant_id, at)
        except Cancelled:
            # Nobody has bought anything yet: the record begins with this.
            record = Record(tenant_id=user.tenant_id, user=user, not_before=at)
            try:
                Table(self._db).create(record)
            except Conflict:
                self._mark(user.tenant_id, at)

    def forget(self, tenant_id: str, until: int) -> None:
        """Let no token open anything until then; a record that stands is left but for that."""
        try:
            left = left_of(tenant_id, until)
            self._db.write([self._db.put(left, when="attribute_not_exists(pk)")])
        except Cancelled:
            self._mark(tenant_id, until)

    def _mark(self, tenant_id: str, at: int) -> None:
        key = record_key(tenant_id)
        mark = self._db.update(key, {"not_before": at}, when="attribute_exists(pk)")
        self._db.write([mark])
