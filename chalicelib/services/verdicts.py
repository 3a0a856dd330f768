"""How the disputes on a record stand by now, asked of Stripe."""

from dataclasses import dataclass

from chalicelib.domain.record import Record
from chalicelib.ports import Payments


@dataclass(frozen=True, slots=True)
class Verdicts:
    """Ids of disputes that are open, and of those that were lost."""

    open: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()


def verdicts_on(record: Record, payments: Payments) -> Verdicts:
    """One call for each dispute on record, none where there is none.

    Raises:
        Temporary: Stripe does not answer.
    """
    asked = sorted({*record.disputes, *record.lost_disputes})
    found = {dispute: payments.verdict(dispute) for dispute in asked}
    return Verdicts(
        open=tuple(d for d in asked if found[d] == "open"),
        lost=tuple(d for d in asked if found[d] == "lost"),
    )
