"""Where sessions end before their tokens do: a moment on the record, which every request reads.

An ID token cannot be taken back. What can be taken back is what it opens: whoever is signed in
reads their own record first, so a moment that stands there costs no call of its own. Where there is
no record (nothing was ever bought, or somebody was forgotten) a second read tells.
"""

from chalicelib.domain.errors import Conflict
from chalicelib.domain.record import Record, User
from chalicelib.gateways.dynamodb import Cancelled, DynamoDb
from chalicelib.gateways.nudges import record_key
from chalicelib.gateways.table import Table, ended_key


class SessionTable:
    """Fits `chalicelib.ports.Sessions`."""

    def __init__(self, db: DynamoDb) -> None:
        self._db = db

    def end(self, user: User, at: int) -> None:
        """From now on, tokens of a log-in before `at` open nothing."""
        if self._mark(user.tenant_id, at):
            return
        # Nobody has bought anything yet: the record begins with this.
        record = Record(tenant_id=user.tenant_id, user=user, not_before=at)
        try:
            Table(self._db).create(record)
        except Conflict:
            self._mark(user.tenant_id, at)

    def forget(self, tenant_id: str, until: int) -> None:
        """Let no token of a log-in before then open anything, record or not."""
        left = {**ended_key(tenant_id), "schema": 1, "not_before": until, "expires_at": until}
        self._db.write([self._db.put(left)])
        self._mark(tenant_id, until)

    def _mark(self, tenant_id: str, at: int) -> bool:
        key = record_key(tenant_id)
        mark = self._db.update(key, {"not_before": at}, when="attribute_exists(pk)")
        try:
            self._db.write([mark])
        except Cancelled:
            return False
        return True
