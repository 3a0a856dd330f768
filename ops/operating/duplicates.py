"""Two live subscriptions of one customer: who has them, and undoing one by an operator's word."""

from dataclasses import replace

from chalicelib.domain.duplicates import intent_to_undo
from chalicelib.domain.record import Record
from ops.desk import Desk
from ops.operating.acting import NothingToDo, change


def to_undo(record: Record, chosen: str | None) -> str:
    """Which one an operator means.

    Raises:
        NothingToDo: there is no second one, or it must be said which.
    """
    found = record.billing.duplicates
    if not found:
        raise NothingToDo("there is no second live subscription; if Stripe says so, `sync` first")
    if chosen is None and len(found) > 1:
        raise NothingToDo(f"there are several: say which with --undo: {', '.join(found)}")
    if chosen is not None and chosen not in found:
        counted = record.subscription.id if record.subscription else "none"
        raise NothingToDo(f"{chosen} is none of {', '.join(found)}; {counted} counts")
    return chosen or found[0]


def undo(desk: Desk, record: Record, subscription_id: str) -> Record:
    """Record the intent to cancel and refund it; the reconciler carries it out, through any crash.

    What the setting `resolve_duplicates` does by itself for what we sold twice, this does by a
    person's word for whatever there is.
    """

    def intend(current: Record) -> Record:
        kept = current.subscription
        if kept is None or subscription_id not in current.billing.duplicates:
            raise NothingToDo(f"{subscription_id} is no second subscription any more")
        return replace(current, resolution=intent_to_undo(subscription_id, kept, desk.now))

    return change(desk, record, intend, f"asked to cancel and refund {subscription_id}")
