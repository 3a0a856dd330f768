"""One tenant, looked at: read, ask Stripe, decide, make the cluster match, write it down."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from chalicelib.domain import timeline
from chalicelib.domain.backoff import seconds_before
from chalicelib.domain.catalogue import Catalogue
from chalicelib.domain.checkout import is_paid_and_unseen
from chalicelib.domain.decision import decide, standing_of
from chalicelib.domain.errors import Conflict, CustomerGone, Permanent, Temporary, Waiting
from chalicelib.domain.record import Failure, Record
from chalicelib.domain.standing import NOTHING, Standing
from chalicelib.domain.subscription import CheckoutSession, Truth
from chalicelib.domain.timeline import Line
from chalicelib.domain.transitions import WORDS, cause_of
from chalicelib.ports import Clock, Cluster, NewId, Payments, Records
from chalicelib.services.converging import Convergence
from chalicelib.services.duplicates import Duplicates
from chalicelib.services.verdicts import verdicts_on

TRIES = 8
Outcome = Literal["unknown tenant", "nothing pending", "converged", "later", "failed"]


@dataclass(frozen=True, slots=True)
class Report:
    """How a reconcile ended, for the log.

    Attributes:
        reason: for operators.
        duplicates: further live subscriptions of this customer: somebody has to look at them.
        unread: live subscriptions that cannot be read as one sale of ours, in words: likewise.
    """

    outcome: Outcome
    record: Record | None = None
    status: str | None = None
    applied: int = 0
    reason: str | None = None
    duplicates: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciler:
    """The only decision-maker. One at a time per tenant: the queue's group sees to that."""

    records: Records
    payments: Payments
    cluster: Cluster
    catalogue: Catalogue
    stage: str
    clock: Clock
    new_id: NewId

    def reconcile(self, tenant_id: str, *, may_wait: bool = True) -> Report:
        """Bring one tenant in line with what Stripe says, if anything is pending.

        Args:
            tenant_id: whose.
            may_wait: whether `Waiting` may be raised; else a short wait is put off like an outage.

        Raises:
            Waiting: something short is under way; the same message should come again in seconds.
            Temporary: the record itself could not be read or written.
        """
        for _ in range(TRIES):
            try:
                return self._once(tenant_id, may_wait=may_wait)
            except Conflict:
                continue
        raise Temporary(f"tenant {tenant_id}: its record is written too often to conclude")

    def _once(self, tenant_id: str, *, may_wait: bool) -> Report:
        record = self.records.read(tenant_id)
        if record is None:
            return Report("unknown tenant")
        if not record.pending:
            return Report("nothing pending", record)
        now = int(self.clock())
        work: Convergence | None = None
        try:
            truth = self._truth(record)
            work = self._convergence(record, truth, now)
            work.run()
            lines = self._undo_duplicate(work)
        except (Temporary, Waiting) as e:
            if may_wait and isinstance(e, Waiting):
                raise
            return self._later(record, work, now, str(e))
        except Permanent as e:
            return self._give_up(record, work, now, str(e))
        if is_paid_and_unseen(work.after.checkout, truth.session):
            reason = "a checkout was paid and its subscription is not listed yet"
            return self._later(record, work, now, reason)
        return self._conclude(record, work, now, lines)

    def _truth(self, record: Record) -> Truth:
        try:
            if record.customer_id:
                return self._asked(record, record.customer_id)
        except CustomerGone:
            gone = True
        else:
            gone = False
        verdicts = verdicts_on(record, self.payments)
        return Truth(customer_gone=gone, open_disputes=verdicts.open, lost_disputes=verdicts.lost)

    def _asked(self, record: Record, customer_id: str) -> Truth:
        subscriptions = self.payments.subscriptions(customer_id)
        checkout, session = record.checkout, None
        if checkout and checkout.session_id and not checkout.became_one_of(subscriptions):
            session = self.payments.session(checkout.session_id) or CheckoutSession(
                id=checkout.session_id, status="expired", url=None, expires_at=checkout.ends_at
            )
        gone = session is not None and session.customer_gone
        if gone:
            # Perhaps since the list was made: how its subscriptions ended is not asked again.
            subscriptions = self.payments.subscriptions(customer_id)
        verdicts = verdicts_on(record, self.payments)
        return Truth(
            subscriptions=subscriptions,
            session=session,
            customer_gone=gone,
            open_disputes=verdicts.open,
            lost_disputes=verdicts.lost,
        )

    def _undo_duplicate(self, work: Convergence) -> list[Line]:
        """Undo a second subscription, if that was decided."""
        intent = work.after.resolution
        if intent is None:
            return []
        undoing = Duplicates(
            records=self.records,
            payments=self.payments,
            currency=self.catalogue.product.currency,
            new_id=self.new_id,
        )
        work.before, line = undoing.undo(work.before, intent, work.now)
        work.after = replace(work.after, resolution=None)
        return [line]

    def _convergence(self, record: Record, truth: Truth, now: int) -> Convergence:
        return Convergence(
            before=record,
            decision=decide(record, truth, now, self.catalogue, self.stage),
            session=truth.session,
            now=now,
            records=self.records,
            payments=self.payments,
            cluster=self.cluster,
            catalogue=self.catalogue,
            new_id=self.new_id,
        )

    def _conclude(self, read: Record, work: Convergence, now: int, lines: Sequence[Line]) -> Report:
        stands, told = self._transition(read, work.after, now)
        after = replace(work.after, reconciled=read.nudged, failure=None, stood=stands)
        lines = [*lines, *told]
        if set(after.billing.duplicates) - set(read.billing.duplicates):
            lines.append(timeline.of_duplicates(after.billing, now, self.new_id()))
        if work.applied:
            text = f"{work.applied} objects applied, revision {work.revision}"
            lines.append(Line(created=now, id=self.new_id(), kind="cluster", text=text))
        if lines or read.failure or after.phase != read.phase:
            after = replace(after, updated_at=now)
        written = self._write(work.before, _due(after, now), lines)
        return Report(
            *("converged", written, stands.status, work.applied),
            duplicates=after.billing.duplicates,
            unread=after.billing.unread,
        )

    def _transition(self, read: Record, after: Record, now: int) -> tuple[Standing, list[Line]]:
        """Where it stands, and what that tells of what stood and of what cannot be read."""
        stands = standing_of(after, now, self.catalogue, self.stage)
        # A record of before this was kept says only what would hold of it now.
        known = standing_of(read, now, self.catalogue, self.stage) if read.reconciled else NOTHING
        stood = read.stood or known
        lines = []
        if stands != stood:
            why = WORDS[cause_of(stood, stands, read, after)]
            lines.append(timeline.of_standing(stands, why, now, self.new_id()))
        if set(after.billing.unread) - set(read.billing.unread):
            lines.append(timeline.of_unread(after.billing, now, self.new_id()))
        return stands, lines

    def _later(self, read: Record, work: Convergence | None, now: int, reason: str) -> Report:
        """The work stays pending, so nothing is lost; the message is done with."""
        before, after = (work.before, work.after) if work else (read, read)
        after = replace(
            after,
            failure=Failure(
                permanent=False, reason=reason, at=now, since=_failing_since(read, now)
            ),
            attempts=before.attempts,
            retry_at=now + seconds_before(before.attempts),
        )
        return Report("later", self._write(before, _due(after, now)), reason=reason)

    def _give_up(self, read: Record, work: Convergence | None, now: int, reason: str) -> Report:
        """Stop until somebody, or something new, asks again; the customer reads an honest line."""
        before, after = (work.before, work.after) if work else (read, read)
        revision = work.revision if work else None
        line = Line(created=now, id=self.new_id(), kind="cluster", text=f"failed: {reason}")
        stands, told = self._transition(read, after, now)
        after = replace(
            after,
            stood=stands,
            failure=Failure(permanent=True, reason=reason, at=now, revision=revision),
            reconciled=before.nudged,
            retry_at=None,
            updated_at=now,
        )
        return Report("failed", self._write(before, _due(after, now), [*told, line]), reason=reason)

    def _write(self, before: Record, after: Record, lines: Sequence[Line] = ()) -> Record:
        """The last write; a Free grant that ran out leaves the count in the same transaction."""
        free_change = -1 if after.free != before.free else 0
        return self.records.conclude(before, after, free_change=free_change, lines=lines)


def _failing_since(record: Record, now: int) -> int:
    """Since when nothing has come of the present work; what failed for good was given up then."""
    failure = record.failure
    if failure is None or failure.permanent or not record.pending:
        return now
    return failure.since or failure.at


def _due(record: Record, now: int) -> Record:
    return replace(record, due_at=record.next_deadline(now))
