"""Who has a problem that a person must see, by the records alone."""

from chalicelib.domain import audit
from chalicelib.domain.record import Record


def problems(record: Record, now: int) -> list[str]:
    """What a person has to see about a tenant, each in a sentence; nothing when all is well.

    What heals by itself, such as an outage of some minutes, is none; nor is what policy settles,
    such as a failed payment within or beyond its grace.
    """
    found = [f"a live subscription cannot be read: {text}" for text in record.billing.unread]
    if record.billing.duplicates:
        counted = record.subscription.id if record.subscription else "none"
        also = ", ".join(record.billing.duplicates)
        found.append(f"charged twice: {counted} counts, beside {also}")
    if record.failure and record.failure.permanent:
        found.append(f"failed for good: {record.failure.reason}")
    found += [finding.text for finding in audit.stuck(record, now)]
    if record.excess and record.excess.over:
        amounts = ", ".join(f"{name} by {by}" for name, by in sorted(record.excess.over.items()))
        found.append(f"over its quota: {amounts}")
    return found
