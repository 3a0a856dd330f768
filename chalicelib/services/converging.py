"""Making the cluster match a decision, with what is irreversible claimed in the record first."""

from dataclasses import dataclass, field, replace

from chalicelib.domain import tenant
from chalicelib.domain.catalogue import Catalogue, Plan
from chalicelib.domain.decision import Decision
from chalicelib.domain.errors import Conflict, Permanent, SessionClosed, Temporary
from chalicelib.domain.record import Record
from chalicelib.domain.subscription import CheckoutSession
from chalicelib.ports import Cluster, Payments, Records


@dataclass(slots=True, kw_only=True)
class Convergence:
    """One decision on its way into the cluster.

    Attributes:
        before: the record as it stands in the table; moves on with each write in between.
        after: what should be written at the end; true so far even when a step fails.
        applied: how many objects were applied.
        revision: the hash of the objects wanted, once they are known.
    """

    before: Record
    decision: Decision
    session: CheckoutSession | None
    now: int
    records: Records
    payments: Payments
    cluster: Cluster
    catalogue: Catalogue
    after: Record = field(init=False)
    applied: int = 0
    revision: str | None = None

    def __post_init__(self) -> None:
        """Start from what was decided."""
        self.after = self.decision.record

    def run(self) -> None:
        """Make it so.

        Raises:
            Temporary, Permanent, Waiting: from the cluster or from Stripe; `after` holds what is
                true so far.
            Conflict: somebody else decided meanwhile, or this changed what there is to decide.
        """
        if self.decision.problem:
            raise Permanent(self.decision.problem)
        standing = self.decision.standing
        if standing.wanted == "absent":
            self._remove()
        elif standing.wanted != "as it was" and standing.plan_id is not None:
            plan = self.catalogue.plan(standing.plan_id)
            if plan is not None:
                self._apply(plan, suspended=standing.wanted == "suspended")

    def _apply(self, plan: Plan, *, suspended: bool) -> None:
        tenant_id = self.before.tenant_id
        manifests = tenant.objects(self.catalogue, tenant_id, plan, suspended=suspended)
        self.revision = tenant.revision(manifests)
        if self.before.applied == self.revision:
            return
        self._forget_applied()
        owner = tenant.ownership(self.catalogue, tenant_id)
        if suspended:
            if self.cluster.suspend(manifests, owner):
                self.after = replace(self.after, phase="suspended", applied=self.revision)
                self.applied = len(manifests)
            else:
                self.after = replace(self.after, phase=None, ready_since=None)
            return
        self.after = replace(self.after, phase="running")
        self.cluster.apply(manifests, owner)
        ready_since = self.after.ready_since or self.now
        self.after = replace(self.after, applied=self.revision, ready_since=ready_since)
        self.applied = len(manifests)

    def _forget_applied(self) -> None:
        """The hash goes before the first change: a crash in between must not look finished."""
        if self.before.applied is not None:
            self.before = self.records.save(self.before, replace(self.before, applied=None))
            self.after = replace(self.after, applied=None)

    def _remove(self) -> None:
        if self.decision.standing.status == "none":
            return
        namespace = tenant.namespace_of(self.catalogue, self.before.tenant_id)
        owner = tenant.ownership(self.catalogue, self.before.tenant_id)
        if self.before.phase != "deleting":
            if self.before.phase is None and not self.cluster.stands(namespace, owner):
                return
            self._close_checkout()
            claimed = replace(self.before, phase="deleting", applied=None, checkout=None)
            self.before = self.records.save(self.before, claimed, nothing_new=True)
            self.after = replace(self.after, phase="deleting", applied=None, checkout=None)
        self.cluster.delete(namespace, owner)
        gone = replace(self.before, phase=None, applied=None, ready_since=None, updated_at=self.now)
        self.records.save(self.before, gone)
        raise Conflict("the tenant is gone: decide again what should be")

    def _close_checkout(self) -> None:
        """Nothing is claimed while somebody may still pay for it."""
        checkout, customer_id = self.after.checkout, self.after.customer_id
        if checkout is None:
            return
        if self.session and self.session.status == "complete":
            raise Temporary("a checkout was paid and its subscription is not listed yet")
        try:
            if checkout.session_id:
                self.payments.expire_session(checkout.session_id)
            elif customer_id:
                self.payments.expire_open_sessions(customer_id)
        except SessionClosed as e:
            raise Conflict("the checkout was paid or expired meanwhile: look again") from e
