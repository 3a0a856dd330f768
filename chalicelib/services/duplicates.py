"""Undoing a second subscription: the intent is recorded, then carried out, through any crash."""

from dataclasses import dataclass, replace

from chalicelib.domain import money
from chalicelib.domain.errors import Conflict, Permanent
from chalicelib.domain.record import Record, Resolution
from chalicelib.domain.timeline import Line
from chalicelib.ports import NewId, Payments, Records


@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicates:
    """Cancels and refunds. Both can be repeated: Stripe refunds a charge whole only once."""

    records: Records
    payments: Payments
    currency: str
    new_id: NewId

    def undo(self, record: Record, intent: Resolution, now: int) -> tuple[Record, Line]:
        """Carry an intent out, recorded before Stripe is asked for anything.

        Returns:
            The record as it stands, and a line for the operator, when Stripe refuses for good.

        Raises:
            Conflict: it is done, so there is something else to decide; or something came between.
            Temporary: from Stripe; the intent stands, and the next look goes on with it.
        """
        if record.resolution != intent:
            record = self.records.save(record, replace(record, resolution=intent), nothing_new=True)
        second, kept = intent.subscription_id, intent.kept_id
        try:
            self.payments.cancel_subscription(second)
            amount = self.payments.refund_subscription(second, since=intent.kept_since)
        except Permanent as e:
            text = f"{second}, beside {kept}, could not be undone: {e}; do it in Stripe's dashboard"
            return record, self._line(text, now)
        refunded = money.shown(amount, self.currency)
        text = f"{second}, sold beside {kept}, was canceled and {refunded} were refunded"
        done = replace(record, resolution=None)
        self.records.save(record, done, lines=[self._line(text, now)])
        raise Conflict("a second subscription was undone: look again")

    def _line(self, text: str, now: int) -> Line:
        return Line(created=now, id=self.new_id(), kind="decision", text=text)
