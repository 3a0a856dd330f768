"""Making the cluster match a decision, with what is irreversible claimed in the record first."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from chalicelib.domain import money, tenant
from chalicelib.domain.catalogue import Catalogue, Plan
from chalicelib.domain.decision import DAY, Decision
from chalicelib.domain.errors import Conflict, Permanent, SessionClosed, Temporary
from chalicelib.domain.record import Excess, Hold, Record
from chalicelib.domain.subscription import CheckoutSession
from chalicelib.domain.timeline import Kind, Line
from chalicelib.ports import Cluster, NewId, Payments, Records

STOPPED = "stopped"
"""What stands for the hash of the objects where nothing was applied: it was stopped as it stood."""


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
    new_id: NewId
    after: Record = field(init=False)
    applied: int = 0
    revision: str | None = None

    def __post_init__(self) -> None:
        """Start from what was decided."""
        self.after = self.decision.record
        if self.decision.to_cancel:
            # The verdict is new until it is carried out.
            self.after = replace(
                self.after,
                disputes=self.before.disputes,
                lost_disputes=self.before.lost_disputes,
            )

    def run(self) -> None:
        """Make it so.

        Raises:
            Temporary, Permanent, Waiting: from the cluster or from Stripe; `after` holds what is
                true so far.
            Conflict: somebody else decided meanwhile, or this changed what there is to decide.
        """
        self._see_to_billing()
        if self.decision.cannot_be_served:
            raise Permanent(self.decision.problem or "no plan says what to give")
        standing = self.decision.standing
        if standing.wanted == "absent":
            self._remove()
        elif standing.wanted != "as it was":
            suspended = standing.wanted == "suspended"
            plan = self.catalogue.plan(standing.plan_id or "")
            if plan is not None:
                self._apply(plan, suspended=suspended)
            elif suspended:
                self._stop()
        if self.decision.sells_nothing and self.after.checkout:
            # Whoever cannot be served is not sold to.
            self._close_checkout()
            self.after = replace(self.after, checkout=None)

    def _see_to_billing(self) -> None:
        """Charge nothing for what we take away. What Stripe refuses is told, and stops nothing."""
        decision = self.decision
        if decision.to_cancel:
            self._cancel(decision.to_cancel)
        for each in decision.to_pause:
            text = f"{each} is not charged while the tenant is stopped"
            self._told(self.payments.pause_collection, each, text)
        for each in () if decision.cannot_be_served else decision.to_resume:
            self._told(self.payments.resume_collection, each, f"{each} is charged again")
        for each in decision.to_settle:
            self._void_invoices(each)

    def _cancel(self, subscription_id: str) -> None:
        try:
            self.payments.cancel_subscription(subscription_id)
        except Permanent as e:
            reason = f"a dispute was lost, and {subscription_id} could not be canceled: {e}"
            self._note("decision", f"{reason}; do it in Stripe's dashboard")
            lost = self.decision.record.lost_disputes
            hold = Hold(reason=reason, since=self.now, pause_billing=True)
            self.records.save(
                self.before,
                replace(self.before, lost_disputes=lost, hold=self.before.hold or hold),
            )
        else:
            self._note("decision", f"{subscription_id} was canceled: a dispute was lost")
        raise Conflict("a lost dispute was seen to: look again")

    def _void_invoices(self, subscription_id: str) -> None:
        """An invoice that is still payable would bring nothing any more."""
        try:
            voided = self.payments.void_open_invoices(subscription_id)
        except Permanent as e:
            self._note("decision", f"open invoices of {subscription_id} could not be voided: {e}")
        else:
            for amount in voided:
                shown = money.shown(amount, self.catalogue.product.currency)
                text = f"an invoice of {shown} was voided: {subscription_id} has ended"
                self._note("decision", text)
        settled = tuple(sorted({*self.after.settled, subscription_id}))
        self.after = replace(self.after, settled=settled)

    def _told(self, act: Callable[[str], None], subscription_id: str, text: str) -> None:
        """Do something at Stripe that can be repeated, and say so."""
        try:
            act(subscription_id)
        except Permanent as e:
            text = f"not done: {text}: {e}; do it in Stripe's dashboard"
        self._note("decision", text)

    def _note(self, kind: Kind, text: str) -> None:
        """A line that belongs to something that has happened, whatever comes of the rest."""
        self.before = self.records.save(self.before, self.before, lines=[self._line(kind, text)])

    def _apply(self, plan: Plan, *, suspended: bool) -> None:
        tenant_id = self.before.tenant_id
        manifests = tenant.objects(self.catalogue, tenant_id, plan, suspended=suspended)
        self.revision = tenant.revision(manifests)
        if self.before.applied == self.revision:
            if self.before.excess:
                self._fit()
            return
        self._forget_applied()
        owner = tenant.ownership(self.catalogue, tenant_id)
        if suspended:
            self._suspended(stands=self.cluster.suspend(manifests, owner), applied=len(manifests))
            return
        self.after = replace(self.after, phase="running")
        self.cluster.apply(manifests, owner)
        if self.before.phase is not None:
            self._fit()
        ready_since = self.after.ready_since or self.now
        self.after = replace(self.after, applied=self.revision, ready_since=ready_since)
        self.applied = len(manifests)

    def _stop(self) -> None:
        """Suspend what stands as it stands: no plan says what it should be."""
        self.revision = STOPPED
        if self.before.applied == STOPPED:
            return
        self._forget_applied()
        if self.before.phase == "running":
            # Half stopped is stopped: without a plan nobody could say what runs again.
            self.before = self.records.save(self.before, replace(self.before, phase="suspended"))
            self.after = replace(self.after, phase="suspended")
        namespace = tenant.namespace_of(self.catalogue, self.before.tenant_id)
        owner = tenant.ownership(self.catalogue, self.before.tenant_id)
        self._suspended(stands=self.cluster.stop(namespace, owner), applied=1)

    def _suspended(self, *, stands: bool, applied: int) -> None:
        self.after = replace(self.after, excess=None)
        if stands:
            self.after = replace(self.after, phase="suspended", applied=self.revision)
            self.applied = applied
        else:
            self.after = replace(self.after, phase=None, ready_since=None)

    def _fit(self) -> None:
        """What a smaller plan does not hold runs on for a while, then it is made to fit."""
        namespace = tenant.namespace_of(self.catalogue, self.before.tenant_id)
        owner = tenant.ownership(self.catalogue, self.before.tenant_id)
        known, plan_id = self.before.excess, self.decision.standing.plan_id
        over = self.cluster.overuse(namespace, owner)
        grace = self.catalogue.policy.fit_days * DAY
        fit_until = known.fit_until if known else self.now + grace
        if over and self.now >= fit_until:
            over = self.cluster.fit(namespace, owner)
        amounts = {each.name: each.by for each in over}
        if amounts and known is None:
            told = ", ".join(f"{name} by {by}" for name, by in sorted(amounts.items()))
            self._note("cluster", f"more runs than {plan_id} holds: {told}; for now it runs on")
        elif known and not amounts:
            self._note("cluster", f"what runs fits {plan_id}")
        excess = Excess(over=amounts, fit_until=fit_until) if amounts else None
        self.after = replace(self.after, excess=excess)

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
            self.before = self.records.save(
                self.before,
                claimed,
                nothing_new=True,
                lines=[self._line("cluster", f"deleting the namespace {namespace}")],
            )
            self.after = replace(self.after, phase="deleting", applied=None, checkout=None)
        self.cluster.delete(namespace, owner)
        gone = replace(
            self.before,
            phase=None,
            applied=None,
            ready_since=None,
            excess=None,
            updated_at=self.now,
        )
        text = f"the namespace {namespace} is gone"
        self.records.save(self.before, gone, lines=[self._line("cluster", text)])
        raise Conflict("the tenant is gone: decide again what should be")

    def _line(self, kind: Kind, text: str) -> Line:
        return Line(created=self.now, id=self.new_id(), kind=kind, text=text)

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
