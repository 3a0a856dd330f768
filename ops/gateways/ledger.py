"""The table as only an operator uses it: one timeline, and removing a tenant for good."""

from collections.abc import Iterator

from chalicelib.domain.errors import Conflict
from chalicelib.domain.record import Record
from chalicelib.domain.timeline import Line
from chalicelib.gateways.dynamodb import Cancelled, DynamoDb


class Ledger:
    """Raises Temporary and Permanent, as the table does."""

    def __init__(self, db: DynamoDb) -> None:
        self._db = db

    def lines(self, tenant_id: str) -> Iterator[Line]:
        """A tenant's timeline, in order."""
        for item in self._db.query_begins(f"TENANT#{tenant_id}", "LINE#"):
            _, created, line_id = str(item["sk"]).split("#", 2)
            yield Line(created=int(created), id=line_id, kind=item["kind"], text=item["text"])

    def has_line(self, tenant_id: str, created: int, line_id: str) -> bool:
        """Whether a line stands in a tenant's timeline."""
        sk = f"LINE#{created:010d}#{line_id}"
        return self._db.get({"pk": f"TENANT#{tenant_id}", "sk": sk}) is not None

    def has_record(self, tenant_id: str) -> bool:
        """Whether there is such a tenant."""
        return self._db.get({"pk": f"TENANT#{tenant_id}", "sk": "RECORD"}) is not None

    def remove(self, record: Record) -> None:
        """Remove the record as it was read, its timeline, and what points to it; repeatable.

        The record goes last: as long as it is there, the tenant can be found and this done again.

        Raises:
            Conflict: something came between; the record is still there.
        """
        pk = f"TENANT#{record.tenant_id}"
        for item in self._db.query_begins(pk, "LINE#"):
            self._db.write([self._db.delete({"pk": pk, "sk": item["sk"]})])
        for item in list(self._db.scan("tenant_id", record.tenant_id)):
            self._db.write([self._db.delete({"pk": item["pk"], "sk": item["sk"]})])
        unchanged = "version = :version AND nudged = :nudged"
        values = {":version": record.version, ":nudged": record.nudged}
        key = {"pk": pk, "sk": "RECORD"}
        try:
            self._db.write([self._db.delete(key, when=unchanged, values=values)])
        except Cancelled as e:
            raise Conflict("the record was written meanwhile") from e
