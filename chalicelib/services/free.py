"""The Free plan: started once, stopped at will, never in the way of a paid one."""

from dataclasses import dataclass, replace

from chalicelib.domain.catalogue import FREE, Catalogue
from chalicelib.domain.checkout import refuse_if_stopped
from chalicelib.domain.decision import DAY
from chalicelib.domain.errors import (
    AlreadySubscribed,
    Conflict,
    FreeUsed,
    NotFound,
    NothingToStop,
    PaymentProcessing,
    Temporary,
)
from chalicelib.domain.free_addresses import mark_of
from chalicelib.domain.record import FreeGrant, Record, User
from chalicelib.ports import Clock, Queue, Records
from chalicelib.services.nudging import hint

TRIES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class FreePlan:
    """Grants Free and takes it back; each in one transaction with the count of grants."""

    records: Records
    queue: Queue
    catalogue: Catalogue
    stage: str
    clock: Clock

    def start(self, user: User) -> Record:
        """Grant it.

        Raises:
            AlreadySubscribed, PaymentProcessing, WorkspaceHeld, PaymentDisputed, FreeUsed,
            FreeFull: it cannot be had.
            NotFound: this shop has no Free plan.
        """
        plan = self.catalogue.plan(FREE)
        if plan is None or plan.trial_days is None:
            raise NotFound("There is no Free plan.")
        for _ in range(TRIES):
            now = int(self.clock())
            try:
                record = self._record_of(user)
                deployment = self.catalogue.deployment(self.stage)
                if record.has_bought(deployment):
                    raise AlreadySubscribed
                if record.billing.incomplete:
                    raise PaymentProcessing
                refuse_if_stopped(record, self.catalogue)
                if record.free:
                    raise FreeUsed
                granted = replace(
                    record,
                    free=FreeGrant(started_at=now),
                    free_until=now + plan.trial_days * DAY,
                )
                saved = self.records.save(
                    record,
                    granted,
                    nudge_at=now,
                    free_change=1,
                    free_cap=self.catalogue.policy.free_cap,
                    free_mark=mark_of(user.email) if user.email else None,
                )
            except Conflict:
                continue
            hint(self.queue, saved.tenant_id)
            return saved
        raise Temporary(f"tenant {user.tenant_id}: its record is written too often")

    def stop(self, user: User) -> Record:
        """Take it back; the data stay for the retention that the policy gives.

        Raises:
            NothingToStop: no grant stands.
        """
        for _ in range(TRIES):
            now = int(self.clock())
            record = self.records.own(user)
            if record is None or record.free is None or not record.free_stands(now):
                raise NothingToStop
            stopped = replace(record, free=replace(record.free, ended_at=now))
            try:
                saved = self.records.save(record, stopped, nudge_at=now, free_change=-1)
            except Conflict:
                continue
            hint(self.queue, saved.tenant_id)
            return saved
        raise Temporary(f"tenant {user.tenant_id}: its record is written too often")

    def _record_of(self, user: User) -> Record:
        record = self.records.own(user)
        if record is None:
            record = Record(tenant_id=user.tenant_id, user=user)
            self.records.create(record)
        return record
