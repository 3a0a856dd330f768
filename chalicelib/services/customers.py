"""The one Stripe customer of a tenant: made once, found again, made anew when it was deleted."""

from dataclasses import dataclass, replace

from chalicelib.domain.catalogue import Catalogue
from chalicelib.domain.decision import decide
from chalicelib.domain.errors import CustomerGone, UpstreamBroken
from chalicelib.domain.record import Record
from chalicelib.domain.subscription import Subscription, Truth
from chalicelib.ports import Clock, Payments, Records


@dataclass(frozen=True, slots=True, kw_only=True)
class Customers:
    """Stripe customers, as checkouts need them. Every write may raise Conflict."""

    records: Records
    payments: Payments
    catalogue: Catalogue
    stage: str
    clock: Clock

    def ensure(self, record: Record, *, is_new: bool) -> tuple[Record, bool]:
        """The record with its customer, made once per generation and stored before any session.

        Returns:
            The record, and whether the customer was there before: one that is made at this moment
            has neither subscriptions nor sessions to ask for.

        Args:
            record: as it was read.
            is_new: whether this very call made it. If not, a call that crashed may have left a
                customer behind, longer ago than Stripe remembers the key: it is looked for first.
        """
        if record.customer_id:
            return record, True
        deployment = self.catalogue.deployment(self.stage)
        metadata = {"tenant_id": record.tenant_id, "deployment": deployment}
        email = record.user.email
        found = None if is_new else self.payments.find_customer(email=email, metadata=metadata)
        try:
            customer_id = found or self.payments.create_customer(
                email=email,
                metadata=metadata,
                idempotency_key=f"{deployment}-{record.tenant_id}-{record.customer_generation}",
            )
        except UpstreamBroken:
            # Stripe repeats this answer for a day under this key: the next click takes a new one.
            self._without(record)
            raise
        return self.records.save(record, replace(record, customer_id=customer_id)), bool(found)

    def forget(self, record: Record) -> None:
        """Make way for a new one, unless somebody has done so meanwhile.

        How the subscriptions of the deleted one ended is noted with it: nobody asks for them again.
        """
        now_there = self.records.read(record.tenant_id)
        if now_there is None or now_there.customer_id != record.customer_id:
            return
        now = int(self.clock())
        truth = Truth(subscriptions=self._last_of(now_there), customer_gone=True)
        decided = decide(now_there, truth, now, self.catalogue, self.stage)
        ended = -1 if decided.free_ended else 0
        self.records.save(now_there, decided.record, nudge_at=now, free_change=ended)

    def _last_of(self, record: Record) -> tuple[Subscription, ...]:
        try:
            return self.payments.subscriptions(record.customer_id or "")
        except CustomerGone:
            return ()

    def _without(self, record: Record) -> None:
        generation = record.customer_generation + 1
        self.records.save(
            record,
            replace(record, customer_id=None, customer_generation=generation, checkout=None),
        )
