"""Selling exactly one subscription: the checkout guard, carried out."""

from dataclasses import dataclass, replace

from chalicelib.domain.catalogue import Plan
from chalicelib.domain.checkout import Shop, next_step, refuse_if_blocked, session_params
from chalicelib.domain.errors import (
    Conflict,
    CustomerGone,
    InvalidRequest,
    PaymentProcessing,
    Permanent,
    SessionClosed,
    Temporary,
    UnknownPlan,
    UpstreamBroken,
)
from chalicelib.domain.record import Checkout, Record, User
from chalicelib.domain.subscription import CheckoutSession
from chalicelib.ports import Clock, NewId, Payments, Queue, Records

TRIES = 12
"""Rounds before giving up: each lost round means that somebody else's write went through."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkouts:
    """Opens checkouts; whatever crashes or races, at most one session is payable per tenant."""

    records: Records
    payments: Payments
    queue: Queue
    shop: Shop
    clock: Clock
    new_id: NewId

    def open(self, user: User, plan_id: str) -> CheckoutSession:
        """The one session that this customer may pay, made or found.

        Raises:
            UnknownPlan, InvalidRequest: no such plan, or one that is not paid for.
            AlreadySubscribed, PaymentProcessing, TenantBeingRemoved: see the guard's rules.
            Temporary: something did not answer; trying again is safe.
        """
        plan = self._paid_plan(plan_id)
        for _ in range(TRIES):
            try:
                return self._attempt(user, plan)
            except Conflict:
                continue
        raise Temporary(f"tenant {user.tenant_id}: its record is written too often to sell to it")

    def _paid_plan(self, plan_id: str) -> Plan:
        plan = self.shop.catalogue.plan(plan_id)
        if plan is None:
            raise UnknownPlan
        if plan.is_free:
            raise InvalidRequest("The Free plan needs no checkout.")
        return plan

    def _attempt(self, user: User, plan: Plan) -> CheckoutSession:
        record = self._record_of(user)
        refuse_if_blocked(record)
        record = self._with_customer(record)
        checkout, now = record.checkout, int(self.clock())
        known = checkout.session_id if checkout else None
        session = self.payments.session(known) if known else None
        match next_step(checkout, session, plan.id, now):
            case "return" if session:
                return session
            case "refuse":
                self._ask_for_a_look(record, now)
                raise PaymentProcessing
            case "replay":
                session = self._call_stripe(record)
                if checkout and checkout.plan_id != plan.id:
                    raise Conflict("the replayed session is for another plan: look again")
                return session
            case "expire" if session:
                self._expire(session)
            case "sweep out" if record.customer_id:
                self.payments.expire_open_sessions(record.customer_id)
        return self._call_stripe(self._started(record, plan, now))

    def _record_of(self, user: User) -> Record:
        record = self.records.read(user.tenant_id)
        if record is None:
            record = Record(tenant_id=user.tenant_id, user=user)
            self.records.create(record)
        return record

    def _with_customer(self, record: Record) -> Record:
        """The Stripe customer, made once per generation and stored before any session."""
        if record.customer_id:
            return record
        deployment = self.shop.catalogue.deployment(self.shop.stage)
        customer_id = self.payments.create_customer(
            email=record.user.email,
            metadata={"tenant_id": record.tenant_id, "deployment": deployment},
            idempotency_key=f"{deployment}-{record.tenant_id}-{record.customer_generation}",
        )
        return self.records.save(record, replace(record, customer_id=customer_id))

    def _started(self, record: Record, plan: Plan, now: int) -> Record:
        """Write the attempt down before Stripe is called, so that a crash replays the same call."""
        catalogue, stage = self.shop.catalogue, self.shop.stage
        nonce = self.new_id()
        price_id = self.payments.price_id(catalogue.lookup_key(stage, plan))
        params = session_params(
            self.shop, plan, record.tenant_id, record.customer_id or "", price_id, nonce
        )
        checkout = Checkout(plan_id=plan.id, nonce=nonce, params=params, started_at=now)
        return self.records.save(record, replace(record, checkout=checkout), nudge_at=now)

    def _call_stripe(self, record: Record) -> CheckoutSession:
        checkout = record.checkout
        if checkout is None:
            raise Conflict("the attempt is gone: look again")
        try:
            session = self.payments.create_session(checkout.params, checkout.nonce)
        except (UpstreamBroken, Permanent):
            # Stripe repeats a failure of its own for a day under this key, and frozen parameters
            # that it refuses (an archived price) get no better: the next click starts anew.
            self.records.save(record, replace(record, checkout=replace(checkout, burnt=True)))
            raise
        except CustomerGone as e:
            self.records.save(
                record,
                replace(
                    record,
                    customer_id=None,
                    customer_generation=record.customer_generation + 1,
                    checkout=None,
                ),
            )
            raise Conflict("the Stripe customer was deleted: a new one is made") from e
        written = replace(checkout, session_id=session.id, expires_at=session.expires_at)
        self.records.save(record, replace(record, checkout=written))
        self._send(record.tenant_id)
        return session

    def _expire(self, session: CheckoutSession) -> None:
        try:
            self.payments.expire_session(session.id)
        except SessionClosed as e:
            raise Conflict("the session was paid or expired meanwhile: look again") from e

    def _ask_for_a_look(self, record: Record, now: int) -> None:
        self.records.nudge(record.tenant_id, now, polled=True)
        self._send(record.tenant_id)

    def _send(self, tenant_id: str) -> None:
        try:
            self.queue.send_tenant(tenant_id)
        except Temporary:
            # Only a hint is lost: the nudge stands in the record, and the sweep finds it.
            return
