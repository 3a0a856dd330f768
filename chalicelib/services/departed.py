"""Payers whose account is gone: asked of the user pool, once for all of them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from chalicelib.domain.departed import Departed, departed, needs_an_account
from chalicelib.domain.record import Record
from chalicelib.ports import Subjects


@dataclass(frozen=True, slots=True, kw_only=True)
class DepartedPayers:
    """Finds who is charged and cannot sign in; `issuer` is whose tokens the pool's are."""

    pool: Subjects
    issuer: str

    def concerns(self, record: Record) -> bool:
        """Whether this is somebody who has to have an account in the pool."""
        return needs_an_account(record, self.issuer)

    def among(self, records: Iterable[Record]) -> Iterator[Departed]:
        """Those of these records; whom the list lacks is asked for once more by themselves.

        Raises:
            Temporary, Permanent: the pool did not answer, or refused; nothing was concluded.
        """
        missing = {r.user.subject: r for r in records if self.concerns(r)}
        if not missing:
            return
        for subject in self.pool.subjects():
            missing.pop(subject, None)
        for subject, record in missing.items():
            found = departed(record)
            if found and not self.pool.knows(subject):
                yield found
