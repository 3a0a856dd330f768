"""The audit: everything that Stripe, the table and the cluster say, compared; daily, or on demand.

Its cost is proportional to the number of tenants and their history. Nothing else's is.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from chalicelib.domain import audit, tenant
from chalicelib.domain.audit import Finding
from chalicelib.domain.catalogue import Catalogue
from chalicelib.domain.errors import Conflict, CustomerGone, Permanent, Temporary
from chalicelib.domain.record import Record
from chalicelib.domain.subscription import Subscription, Truth
from chalicelib.domain.tenant import TenantNamespace
from chalicelib.domain.timeline import Line
from chalicelib.ports import Clock, Cluster, NewId, Payments, Queue, Records
from chalicelib.services.departed import DepartedPayers
from chalicelib.services.verdicts import verdicts_on

SWEPT_WITHIN = 300
"""Seconds in which the sweep has surely come by; what is due for longer is judged."""


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What an audit saw.

    Attributes:
        tenants: how many records there are.
        pending: how many of them are being worked on, and so were not judged.
        mended: how many findings led to a nudge.
    """

    tenants: int
    pending: int
    findings: tuple[Finding, ...]
    mended: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """Compares three ways. `pace` is called before each tenant, and may wait.

    `departed` asks the user pool; None where somebody else keeps the accounts.
    """

    records: Records
    payments: Payments
    cluster: Cluster
    queue: Queue
    catalogue: Catalogue
    stage: str
    clock: Clock
    new_id: NewId
    pace: Callable[[], None] = lambda: None
    departed: DepartedPayers | None = None

    def run(self, *, mend: bool = False) -> AuditReport:
        """Look at everything once, and at whatever looked wrong a second time.

        Args:
            mend: nudge whoever has something that a reconcile can put right.

        Raises:
            Temporary: something is away; nothing was concluded.
        """
        namespaces = {ns.tenant_id: ns for ns in self.cluster.namespaces()}
        live = self._live_by_customer()
        seen: set[str] = set()
        customers: set[str] = set()
        suspects: list[Record] = []
        stuck: list[Finding] = []
        payers: list[Record] = []
        pending = 0
        for record in self.records.all():
            self.pace()
            seen.add(record.tenant_id)
            if record.customer_id:
                customers.add(record.customer_id)
            if self.departed and self.departed.concerns(record):
                payers.append(record)
            if self._in_flux(record):
                pending += 1
                stuck += audit.stuck(record, int(self.clock()))
                continue
            truth = Truth(subscriptions=tuple(live.get(record.customer_id or "", ())))
            if self._is_suspect(record, truth, namespaces.get(record.tenant_id)):
                suspects.append(record)
        findings = [*stuck, *self._confirmed(suspects), *self._orphans(namespaces, seen)]
        findings += [*self._of_nobody(live, customers), *self._departed_among(payers)]
        mended = sum(self._mend(finding) for finding in findings) if mend else 0
        return AuditReport(len(seen), pending, tuple(findings), mended)

    def _in_flux(self, record: Record) -> bool:
        """Whether it is being looked at, or will be by the next sweep."""
        now = int(self.clock())
        falls_due = record.due_at is not None and now - SWEPT_WITHIN <= record.due_at <= now
        return record.pending or falls_due

    def _live_by_customer(self) -> Mapping[str, list[Subscription]]:
        found: dict[str, list[Subscription]] = {}
        for customer_id, subscription in self.payments.live_subscriptions():
            found.setdefault(customer_id, []).append(subscription)
        return found

    def _is_suspect(self, record: Record, truth: Truth, namespace: TenantNamespace | None) -> bool:
        """Whether to look again. A dispute that has ended unseen is in no list: it is asked for."""
        if record.disputes or record.lost_disputes:
            return True
        try:
            return bool(self._compared(record, truth, namespace))
        except (Temporary, Permanent):
            return True

    def _compared(
        self, record: Record, truth: Truth, namespace: TenantNamespace | None
    ) -> list[Finding]:
        now = int(self.clock())
        decision = audit.expected(record, truth, now, self.catalogue, self.stage)
        found = audit.compare(record, decision, namespace, now, self.catalogue, self.stage)
        plan = self.catalogue.plan(decision.standing.plan_id or "")
        wanted = decision.standing.wanted
        if found or plan is None or namespace is None or wanted not in {"running", "suspended"}:
            return found
        manifests = tenant.objects(
            self.catalogue, record.tenant_id, plan, suspended=wanted == "suspended"
        )
        owner = tenant.ownership(self.catalogue, record.tenant_id)
        found = [
            Finding("drift", record.tenant_id, line)
            for line in self.cluster.drift(manifests, owner)
        ]
        if wanted == "running":
            over = self.cluster.overuse(manifests[0]["metadata"]["name"], owner)
            found += audit.excess(record, {o.name: o.by for o in over}, now)
        return found

    def _confirmed(self, suspects: list[Record]) -> Iterator[Finding]:
        """Much may have happened since the lists were made: each suspect is looked at anew."""
        if not suspects:
            return
        namespaces = {ns.tenant_id: ns for ns in self.cluster.namespaces()}
        for suspect in suspects:
            self.pace()
            record = self.records.read(suspect.tenant_id)
            if record is None or self._in_flux(record):
                continue
            try:
                truth = self._truth(record)
                yield from self._compared(record, truth, namespaces.get(record.tenant_id))
            except (Temporary, Permanent) as e:
                # The lists of everybody were had, and this one was tried twice.
                yield Finding("not compared", record.tenant_id, str(e))

    def _truth(self, record: Record) -> Truth:
        verdicts, gone = verdicts_on(record, self.payments), False
        subscriptions: tuple[Subscription, ...] = ()
        try:
            if record.customer_id:
                subscriptions = self.payments.subscriptions(record.customer_id)
        except CustomerGone:
            gone = True
        return Truth(
            subscriptions=subscriptions,
            customer_gone=gone,
            open_disputes=verdicts.open,
            lost_disputes=verdicts.lost,
        )

    def _orphans(
        self, namespaces: Mapping[str, TenantNamespace], seen: set[str]
    ) -> Iterator[Finding]:
        """Namespaces of ours that no record leads to. They are reported; nobody deletes them."""
        for tenant_id, namespace in namespaces.items():
            if tenant_id not in seen and self.records.read(tenant_id) is None:
                text = f"{namespace.name} carries our labels, and there is no record of it"
                yield Finding("orphan namespace", tenant_id or None, text)

    def _of_nobody(
        self, live: Mapping[str, list[Subscription]], customers: set[str]
    ) -> Iterator[Finding]:
        """Live subscriptions to what we sell, of a customer that is on no record."""
        for customer_id, subscriptions in live.items():
            if customer_id in customers:
                continue
            tenant_id = self.records.tenant_of(customer_id)
            record = self.records.read(tenant_id) if tenant_id else None
            if record and record.customer_id == customer_id:
                continue
            for subscription in subscriptions:
                is_ours = any(
                    self.catalogue.plan_of_product(self.stage, product)
                    for product in subscription.products
                )
                if is_ours and subscription.is_live:
                    text = f"{subscription.id} of {customer_id} is live, and on no record"
                    yield Finding("subscription of nobody", tenant_id, text)

    def _departed_among(self, payers: list[Record]) -> Iterator[Finding]:
        """Who is charged and has no account to end it with."""
        if self.departed is None:
            return
        try:
            for found in self.departed.among(payers):
                yield Finding("account is gone", found.tenant_id, found.text)
        except (Temporary, Permanent) as e:
            yield Finding("not compared", None, f"who has an account: {e}")

    def _mend(self, finding: Finding) -> bool:
        """Nudge, and let nothing be taken for applied: the reconciler does the rest."""
        record = self.records.read(finding.tenant_id) if finding.tenant_id else None
        if record is None or not finding.can_be_mended or record.pending:
            return False
        now = int(self.clock())
        text = f"{finding.kind}: {finding.text}"
        line = Line(created=now, id=self.new_id(), kind="audit", text=text)
        try:
            self.records.save(record, replace(record, applied=None), nudge_at=now, lines=[line])
        except Conflict:
            return False  # somebody decides about it at this moment
        self.queue.send_tenant(record.tenant_id)
        return True
