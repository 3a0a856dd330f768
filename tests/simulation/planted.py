"""Mistakes that somebody could make, planted one at a time: the simulation has to see each."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from chalicelib import wiring
from chalicelib.domain import checkout as checkout_rules
from chalicelib.domain import decision, errors, knowing, status
from chalicelib.domain.record import Checkout, Record
from chalicelib.domain.subscription import Truth
from chalicelib.entrypoints import webhooks
from chalicelib.gateways import cluster
from chalicelib.gateways.cluster_namespaces import Namespaces
from chalicelib.gateways.nudges import NudgeTable
from chalicelib.gateways.stripe_api import StripeApi
from chalicelib.gateways.table import Table
from chalicelib.services import checkout, converging, nudging
from chalicelib.services.checkout import Checkouts
from chalicelib.services.converging import Convergence
from chalicelib.services.customers import Customers
from chalicelib.services.free import FreePlan
from chalicelib.services.missed import OVERLAP, MissedEvents, Taken
from chalicelib.services.reconciling import Reconciler
from tests.simulation import cluster_wire
from tests.simulation.deployment import ADMIN_TOKEN
from tests.simulation.registered import planted
from tests.simulation.sqs import MemorySqs

_update, _conclude_table, _save, _nudge = (
    Table._update,
    Table.conclude,
    Table.save,
    NudgeTable.nudge,
)


def _without(condition: str) -> Any:
    def update(self: Table, *args: Any, **kwargs: Any) -> Any:
        op = _update(self, *args, **kwargs)
        terms = op["Update"]["ConditionExpression"].split(" AND ")
        left = [term for term in terms if not term.startswith(condition)]
        op["Update"]["ConditionExpression"] = " AND ".join(left) or "attribute_exists(pk)"
        return op

    return update


@planted(within=400)
def a_write_without_the_version() -> AbstractContextManager[Any]:
    """Whoever writes last wins."""
    return patch.object(Table, "_update", _without("version"))


@planted(within=400)
def a_reconcile_that_ends_over_a_nudge() -> AbstractContextManager[Any]:
    """What came meanwhile counts as seen."""

    def conclude(self: Table, before: Record, after: Record, **more: Any) -> Record:
        if after.reconciled != before.nudged:
            return _conclude_table(self, before, after, **more)
        now = self.read(before.tenant_id) or before
        merged = replace(after, nudged=now.nudged, reconciled=now.nudged)
        return _conclude_table(self, replace(before, nudged=now.nudged), merged, **more)

    return patch.object(Table, "conclude", conclude)


@planted(within=100)
def two_hundred_for_a_failed_send() -> AbstractContextManager[Any]:
    """Stripe is told that all is well, and nobody is told to look."""

    def take(*args: Any, **kwargs: Any) -> Any:
        try:
            return nudging.take_event(*args, **kwargs)
        except errors.Temporary:
            return "nudged"

    return patch.object(webhooks, "take_event", take)


@planted(within=400)
def a_duplicate_is_not_sent_again() -> AbstractContextManager[Any]:
    """The first delivery died between the table and the queue."""

    class Silent:
        def __init__(self, records: Any, queue: Any) -> None:
            self._records, self._queue, self._last = records, queue, ""

        def __getattr__(self, name: str) -> Any:
            return getattr(self._records, name)

        def nudge(self, *args: Any, **kwargs: Any) -> Any:
            self._last = self._records.nudge(*args, **kwargs)
            return self._last

        def send_tenant(self, tenant_id: str) -> None:
            if self._last != "duplicate":
                self._queue.send_tenant(tenant_id)

        def send_event(self, event_id: str) -> None:
            self._queue.send_event(event_id)

    def take(event: Any, *, records: Any, queue: Any, **more: Any) -> Any:
        both = Silent(records, queue)
        return nudging.take_event(event, records=both, queue=both, **more)

    return patch.object(webhooks, "take_event", take)


@planted(within=100)
def the_index_is_not_looked_at() -> AbstractContextManager[Any]:
    """Nothing ever falls due."""
    return patch.object(NudgeTable, "due", lambda *_: iter(()))


@planted(within=300)
def the_retention_is_forgotten() -> AbstractContextManager[Any]:
    """What ended is deleted at once."""
    by_billing = decision._by_billing

    def at_once(*args: Any) -> Any:
        found = by_billing(*args)
        return replace(found, wanted="absent") if found.status == "canceled" else found

    return patch.object(decision, "_by_billing", at_once)


@planted(within=300)
def nothing_is_ever_deleted() -> AbstractContextManager[Any]:
    """Data are kept for ever."""
    by_billing = decision._by_billing

    def never(*args: Any) -> Any:
        found = by_billing(*args)
        return replace(found, wanted="suspended") if found.status == "canceled" else found

    return patch.object(decision, "_by_billing", never)


@planted(within=4000)
def two_workers_at_once_on_one_tenant() -> AbstractContextManager[Any]:
    """The queue's groups are not kept apart."""
    init = MemorySqs.__init__

    def both(self: MemorySqs, *args: Any) -> None:
        init(self, *args)
        self.keeps_groups_apart = False

    return patch.object(MemorySqs, "__init__", both)


@planted(within=300)
def the_hash_before_the_last_object() -> AbstractContextManager[Any]:
    """The record says that everything stands, and then it is applied."""
    apply = Convergence._apply

    def early(self: Convergence, *args: Any, **kwargs: Any) -> None:
        try:
            apply(self, *args, **kwargs)
        except (errors.Temporary, errors.Waiting):
            self.after = replace(self.after, applied=self.revision)
            raise

    return patch.object(Convergence, "_apply", early)


@planted(within=1500)
def the_hash_stays_while_objects_change() -> AbstractContextManager[Any]:
    """A crash in between looks finished."""
    return patch.object(Convergence, "_forget_applied", lambda _: None)


@planted(within=500)
def a_deletion_without_its_claim() -> AbstractContextManager[Any]:
    """The namespace goes first, and is written down afterwards."""

    def remove(self: Convergence) -> None:
        if self.decision.standing.status == "none":
            return
        tenant = converging.tenant
        namespace = tenant.namespace_of(self.catalogue, self.before.tenant_id)
        owner = tenant.ownership(self.catalogue, self.before.tenant_id)
        if self.before.phase is not None:
            self.cluster.delete(namespace, owner)
            self.after = replace(self.after, phase=None, applied=None, ready_since=None)

    return patch.object(Convergence, "_remove", remove)


@planted(within=2500)
def a_claim_while_a_checkout_is_open() -> AbstractContextManager[Any]:
    """Somebody can still pay for what is about to go."""
    return patch.object(Convergence, "_close_checkout", lambda _: None)


@planted(within=100)
def the_payload_is_believed() -> AbstractContextManager[Any]:
    """The subscription is what the last event to arrive said, whenever that was."""
    said: dict[int, dict[str, str]] = {}
    parse, truth = webhooks.stripe_event.parse, Reconciler._truth

    def remember(payload: bytes) -> Any:
        import json  # noqa: PLC0415 - only here

        obj = json.loads(payload)["data"]["object"]
        if obj["object"] == "subscription":
            said.setdefault(id(wiring.records()._db), {})[obj["id"]] = obj["status"]
        return parse(payload)

    def believed(self: Reconciler, record: Record) -> Truth:
        real, known = truth(self, record), said.get(id(self.records._db), {})
        subscriptions = tuple(
            replace(s, status=known.get(s.id, s.status)) for s in real.subscriptions
        )
        return replace(real, subscriptions=subscriptions)

    @contextmanager
    def both() -> Iterator[None]:
        with (
            patch.object(webhooks.stripe_event, "parse", remember),
            patch.object(Reconciler, "_truth", believed),
        ):
            yield

    return both()


@planted(within=300)
def one_deadline_for_three() -> AbstractContextManager[Any]:
    """It is only set when one of them changes, and whatever is set last takes its place."""
    names = ("grace_until", "retention_until", "free_until", "checkout")
    write = Reconciler._write

    def last_one(self: Reconciler, before: Record, after: Record, *rest: Any) -> Record:
        moved = any(getattr(after, name) != getattr(before, name) for name in names)
        return write(self, before, after if moved else replace(after, due_at=after.retry_at), *rest)

    return patch.object(Reconciler, "_write", last_one)


@planted(within=300)
def a_new_key_for_every_click() -> AbstractContextManager[Any]:
    """The attempt is not what Stripe is called with, and nothing else is expired."""
    create = StripeApi.create_session
    count = iter(range(10**9))

    def again(self: StripeApi, params: Any, idempotency_key: str) -> Any:
        return create(self, params, f"{idempotency_key}-{next(count)}")

    @contextmanager
    def both() -> Iterator[None]:
        with (
            patch.object(StripeApi, "create_session", again),
            patch.object(Checkouts, "_expire_others", lambda *_: None),
        ):
            yield

    return both()


@planted(within=1500)
def only_active_blocks() -> AbstractContextManager[Any]:
    """Whoever owes a payment may buy again."""

    def lenient(record: Record, deployment: str) -> None:
        subscription = record.subscription
        if subscription is None or subscription.status == "active":
            checkout_rules.refuse_if_blocked(record, deployment)

    return patch.object(checkout, "refuse_if_blocked", lenient)


@planted(within=300)
def a_second_session_beside_the_first() -> AbstractContextManager[Any]:
    """Another plan was meant, and the first page stays open."""
    return patch.multiple(Checkouts, _expire=lambda *_: None, _expire_others=lambda *_: None)


@contextmanager
def a_first_key_that_failed() -> Iterator[None]:
    """No mistake: Stripe fails at a customer's first key, and repeats that under it for a day."""
    create = StripeApi.create_customer

    def fails(self: StripeApi, *, idempotency_key: str, **given: Any) -> str:
        if idempotency_key.endswith("-0"):
            raise errors.UpstreamBroken("Stripe fails: HTTP 500")
        return create(self, idempotency_key=idempotency_key, **given)

    with patch.object(StripeApi, "create_customer", fails):
        yield


@planted(within=100)
@contextmanager
def a_customers_failed_key_is_used_for_a_day() -> Iterator[None]:
    """Stripe repeats its own failure under it, and nobody can buy."""
    with a_first_key_that_failed(), patch.object(Customers, "_without", lambda *_: None):
        yield


@planted(within=1500)
def a_deleted_customer_is_kept() -> AbstractContextManager[Any]:
    """Whoever comes back is sold something by a customer that is no more."""
    return patch.object(Customers, "forget", lambda *_: None)


@planted(within=300)
def what_was_missed_is_not_asked_for() -> AbstractContextManager[Any]:
    """An event that Stripe could not deliver is never seen."""
    return patch.object(MissedEvents, "take", lambda _: Taken(nudged=0, lag=0))


@planted(within=1500)
def the_cursor_moves_before_it_has_looked() -> AbstractContextManager[Any]:
    """A crash, or an outage, and a stretch of time is left out."""
    take = MissedEvents.take

    def early(self: MissedEvents) -> int:
        stretch = take.__get__(self)
        self.records.note_swept_until(int(self.clock()) + OVERLAP)
        return stretch()

    return patch.object(MissedEvents, "take", early)


@planted(within=500)
def a_customer_without_a_key() -> AbstractContextManager[Any]:
    """Every call makes a new Stripe customer, and events name the wrong one."""
    create = StripeApi.create_customer
    count = iter(range(10**9))

    def again(self: StripeApi, *, idempotency_key: str, **more: Any) -> str:
        return create(self, idempotency_key=f"{idempotency_key}-{next(count)}", **more)

    return patch.object(StripeApi, "create_customer", again)


@planted(within=200)
def an_outage_counts_as_done() -> AbstractContextManager[Any]:
    """What failed for a while is not tried again."""
    later = Reconciler._later

    def done(self: Reconciler, read: Record, work: Any, now: int, reason: str) -> Any:
        report = later(self, read, work, now, reason)
        record = report.record
        if record is not None:
            self.records.conclude(
                record, replace(record, reconciled=record.nudged, retry_at=None, due_at=None)
            )
        return report

    return patch.object(Reconciler, "_later", done)


@planted(within=200)
def an_event_of_the_same_second_is_old() -> AbstractContextManager[Any]:
    """Dropped by its time stamp, as if it had been seen."""
    last: dict[tuple[int, str], int] = {}

    def take(event: Any, *, records: Any, **more: Any) -> Any:
        key = (id(records), event.tenant_id or event.customer_id or "")
        if event.created <= last.get(key, -1):
            return "duplicate"
        last[key] = event.created
        return nudging.take_event(event, records=records, **more)

    return patch.object(webhooks, "take_event", take)


@planted(within=1000)
def the_line_first_then_the_nudge() -> AbstractContextManager[Any]:
    """Two writes, and a crash in between: the next delivery looks like a duplicate."""

    def apart(self: Table, op: Any, tenant_id: str, line: Any) -> Any:
        if line is not None:
            try:
                self._db.write([self._line(tenant_id, line)])
            except Exception as e:
                if type(e).__name__ == "Cancelled":
                    return "duplicate"
                raise
        return nudge(self, op, tenant_id, None)

    nudge = NudgeTable._nudge
    return patch.object(NudgeTable, "_nudge", apart)


@planted(within=400)
def the_replayed_session_is_sold_whatever_it_is() -> AbstractContextManager[Any]:
    """A click for another plan gets the session that an earlier one has left."""
    step = checkout_rules.next_step

    def trusting(before: Any, session: Any, *rest: Any) -> Any:
        found = step(before, session, *rest)
        is_new = before and session and before.session_id == session.id and found == "expire"
        return "return" if is_new else found

    return patch.object(checkout, "next_step", trusting)


@planted(within=400)
@contextmanager
def somebody_elses_namespace_is_adopted() -> Iterator[None]:
    """One that exists is taken for ours, in a cluster that does not know what is ours either."""
    look = Namespaces.read
    unbounded = patch.object(cluster_wire, "WORKER_TOKEN", ADMIN_TOKEN)
    trusting = patch.object(Namespaces, "read", lambda self, name, _: look(self, name, {}))
    with unbounded, trusting:
        yield


@planted(within=300)
def pending_work_is_not_sent_again() -> AbstractContextManager[Any]:
    """The sweep trusts that a key which was sent has arrived."""
    due = NudgeTable.due
    return patch.object(NudgeTable, "due", lambda s, now: (d for d in due(s, now) if not d.pending))


@planted(within=300)
def a_grant_outside_its_transaction() -> AbstractContextManager[Any]:
    """The count of Free grants is a write of its own."""

    def save(
        self: Table,
        before: Record,
        after: Record,
        *,
        free_change: int = 0,
        **more: Any,
    ) -> Record:
        more.pop("free_cap", None)
        more.pop("free_mark", None)
        saved = _save(self, before, after, **more)
        if free_change:
            self._db.write(self._free(free_change, None))
        return saved

    return patch.object(Table, "save", save)


@planted(within=500)
def a_free_grant_that_never_leaves_the_count() -> AbstractContextManager[Any]:
    """One that ran out still takes a place."""

    def write(self: Reconciler, before: Record, after: Record, lines: Sequence[Any] = ()) -> Record:
        return self.records.conclude(before, after, lines=lines)

    return patch.object(Reconciler, "_write", write)


@planted(within=600)
def a_dispute_that_never_ends() -> AbstractContextManager[Any]:
    """Noted when it is opened, not taken off, and Stripe is not asked."""
    note, truth = NudgeTable.note_dispute, Reconciler._truth

    def only_open(self: NudgeTable, tenant_id: str, now: int, line: Any, dispute: Any) -> Any:
        return note(self, tenant_id, now, line, replace(dispute, open=True))

    @contextmanager
    def both() -> Iterator[None]:
        unasked = lambda self, record: replace(truth(self, record), open_disputes=None)  # noqa: E731
        with (
            patch.object(NudgeTable, "note_dispute", only_open),
            patch.object(Reconciler, "_truth", unasked),
        ):
            yield

    return both()


@planted(within=200)
def paid_is_shown_as_active() -> AbstractContextManager[Any]:
    """The page is told what is hoped for."""
    return patch.object(decision, "_running", lambda _: "active")


@planted(within=1000)
def a_checkout_is_forgotten_when_it_is_paid() -> AbstractContextManager[Any]:
    """Its subscription is not on the record yet, and the next click sells another."""

    def start(known: Any, session: Any, offer: Any, now: int) -> str:
        step = checkout_rules.next_step(known, session, offer, now)
        return "start" if step == "refuse" else step

    @contextmanager
    def both() -> Iterator[None]:
        with (
            patch.object(checkout, "next_step", start),
            patch.object(Checkouts, "_refuse_if_subscribed", lambda *_: False),
        ):
            yield

    return both()


@planted(within=400)
def every_failure_is_for_ever() -> AbstractContextManager[Any]:
    """An outage is taken for a refusal."""
    give_up = Reconciler._give_up

    def later(self: Reconciler, read: Record, work: Any, now: int, reason: str) -> Any:
        return give_up(self, read, work, now, reason)

    return patch.object(Reconciler, "_later", later)


@planted(within=1000)
def grace_begins_with_every_look() -> AbstractContextManager[Any]:
    """It is counted from now, again and again."""
    deadlines = knowing.with_deadlines

    def anew(record: Record, *args: Any) -> Record:
        return deadlines(replace(record, grace_until=None), *args)

    return patch.object(knowing, "with_deadlines", anew)


@planted(within=5000)
def a_debit_under_way_keeps_nothing() -> AbstractContextManager[Any]:
    """The retention is over, whoever has bought again meanwhile."""
    billing = decision._by_billing

    def forgetful(record: Record, *args: Any) -> Any:
        known = replace(record, billing=replace(record.billing, incomplete=False))
        return billing(known, *args)

    return patch.object(decision, "_by_billing", forgetful)


@planted(within=3000)
def what_stands_at_stripe_is_not_asked_for() -> AbstractContextManager[Any]:
    """Only the record is: somebody has made a subscription that it does not know of."""
    return patch.object(checkout, "refuse_if_subscribed", lambda _: None)


@planted(within=1000)
def a_trial_with_every_purchase() -> AbstractContextManager[Any]:
    """However often it was had."""
    params = checkout_rules.session_params
    always = lambda *args, trial: params(*args, trial=True)  # noqa: E731, ARG005 - the mistake
    return patch.object(checkout, "session_params", always)


@planted(within=200)
def nobody_is_given_free() -> AbstractContextManager[Any]:
    """Everybody is told that they have had it."""

    def refuse(*_: Any) -> None:
        raise errors.FreeUsed

    return patch.object(FreePlan, "start", refuse)


@planted(within=500)
def whoever_pays_is_called_active() -> AbstractContextManager[Any]:
    """On the page: through a hold and a dispute, and not in grace."""
    stands = status.standing_of

    def said(*args: Any) -> decision.Standing:
        standing = stands(*args)
        return replace(standing, active=standing.status == "active")

    return patch.object(status, "standing_of", said)


@planted(within=200)
def pods_before_their_bounds() -> AbstractContextManager[Any]:
    """A plan's own Deployment is not held back until quota and policies are there."""
    return patch.object(cluster, "FIRST", frozenset({"ServiceAccount"}))


def _policy(**days: int) -> Any:
    """A policy that says other days than the shop's, to whoever reckons with it."""
    deadlines = knowing.with_deadlines

    def other(record: Record, now: int, catalogue: Any) -> Record:
        moved = {name: getattr(catalogue.policy, name) + by for name, by in days.items()}
        policy = replace(catalogue.policy, **moved)
        return deadlines(record, now, replace(catalogue, policy=policy))

    return patch.object(knowing, "with_deadlines", other)


@planted(within=100)
def the_grace_is_a_day_longer() -> AbstractContextManager[Any]:
    """Than the policy says: who does not pay runs on."""
    return _policy(grace_days=1)


@planted(within=100)
def the_grace_is_a_day_shorter() -> AbstractContextManager[Any]:
    """Than the policy says: who would have paid on the last day is stopped."""
    return _policy(grace_days=-1)


@planted(within=100)
def the_retention_is_a_day_longer() -> AbstractContextManager[Any]:
    """Than the policy says: what was promised to be gone is kept."""
    return _policy(retention_days=1)


@planted(within=100)
def the_retention_is_a_day_shorter() -> AbstractContextManager[Any]:
    """Than the policy says: who comes back on the last day has lost everything."""
    return _policy(retention_days=-1)


def _free_lasts(days_more: int) -> Any:
    start = FreePlan.start

    def other(self: FreePlan, user: Any) -> Record:
        plans = tuple(
            replace(p, trial_days=(p.trial_days or 0) + days_more) if p.id == "free" else p
            for p in self.catalogue.plans
        )
        return start(replace(self, catalogue=replace(self.catalogue, plans=plans)), user)

    return patch.object(FreePlan, "start", other)


@planted(within=100)
def free_lasts_a_day_longer() -> AbstractContextManager[Any]:
    """Than the plan says."""
    return _free_lasts(1)


@planted(within=100)
def free_lasts_a_day_shorter() -> AbstractContextManager[Any]:
    """Than the plan says."""
    return _free_lasts(-1)


@planted(within=400)
def a_checkout_is_kept_a_day_longer() -> AbstractContextManager[Any]:
    """Than it can be paid."""
    ends_at = Checkout.ends_at
    later = property(lambda self: ends_at.fget(self) + decision.DAY)  # type: ignore[attr-defined]
    return patch.object(Checkout, "ends_at", later)


@planted(within=400)
def a_checkout_is_forgotten_a_day_sooner() -> AbstractContextManager[Any]:
    """As soon as it is looked at: it can still be given, and paid."""
    resolved = knowing._is_resolved

    def sooner(record: Record, truth: Truth, now: int) -> bool:
        return resolved(record, truth, now) or (
            record.checkout is not None and now >= record.checkout.ends_at - decision.DAY
        )

    return patch.object(knowing, "_is_resolved", sooner)


@planted(within=400)
def a_deadline_is_looked_at_a_day_late() -> AbstractContextManager[Any]:
    """The days are right everywhere, and nobody comes when they are over."""
    next_deadline = Record.next_deadline

    def late(self: Record, now: int) -> int | None:
        found = next_deadline(self, now)
        return found if found is None or found == self.retry_at else found + decision.DAY

    return patch.object(Record, "next_deadline", late)
