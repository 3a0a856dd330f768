"""Selling exactly one subscription: the checkout guard, carried out."""

from contextlib import suppress
from dataclasses import dataclass, replace

from chalicelib.domain.catalogue import Offer
from chalicelib.domain.checkout import (
    Shop,
    next_step,
    refuse_if_blocked,
    refuse_if_stopped,
    refuse_if_subscribed,
    session_params,
)
from chalicelib.domain.errors import (
    AlreadySubscribed,
    Conflict,
    CustomerGone,
    InvalidRequest,
    OtherCurrency,
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
from chalicelib.services.customers import Customers
from chalicelib.services.nudging import hint

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

    def open(self, user: User, offer_id: str) -> CheckoutSession:
        """The one session that this customer may pay, made or found.

        Raises:
            UnknownPlan, InvalidRequest: no such plan, or one that is not paid for.
            AlreadySubscribed, PaymentProcessing, TenantBeingRemoved, WorkspaceHeld,
            PaymentDisputed: see the guard's rules.
            OtherCurrency: this customer has paid in another one.
            Temporary: something did not answer; trying again is safe.
        """
        offer = self._offer(offer_id)
        refused = False
        for _ in range(TRIES):
            try:
                return self._attempt(user, offer)
            except Conflict:
                continue
            except Permanent:
                # What was remembered of a price may have been archived since: once more, anew.
                if refused:
                    raise
                refused = True
        raise Temporary(f"tenant {user.tenant_id}: its record is written too often to sell to it")

    def _offer(self, offer_id: str) -> Offer:
        offer = self.shop.catalogue.offer(offer_id)
        if offer is None:
            if (plan := self.shop.catalogue.plan(offer_id)) and plan.is_free:
                raise InvalidRequest("The Free plan needs no checkout.")
            raise UnknownPlan
        return offer

    def _attempt(self, user: User, offer: Offer) -> CheckoutSession:
        record, is_new = self._record_of(user)
        try:
            refuse_if_blocked(record, self.shop.deployment)
        except (AlreadySubscribed, PaymentProcessing):
            self._ask_for_a_look(record)
            raise
        refuse_if_stopped(record, self.shop.catalogue)
        record, had_customer = self._customers.ensure(record, is_new=is_new)
        try:
            return self._next(record, offer, had_customer=had_customer)
        except CustomerGone as e:
            self._customers.forget(record)
            raise Conflict("the Stripe customer was deleted: a new one is made") from e

    def _next(self, record: Record, offer: Offer, *, had_customer: bool) -> CheckoutSession:
        checkout, now = record.checkout, int(self.clock())
        known = checkout.session_id if checkout else None
        session = self.payments.session(known) if known else None
        step = next_step(checkout, session, offer, now)
        if step == "return" and session:
            return session
        if step == "refuse":
            self._ask_for_a_look(record)
            raise PaymentProcessing
        if step in {"expire", "forget customer"} and session:
            self._expire(session)
        if step == "forget customer":
            raise CustomerGone(str(record.customer_id))
        trialed = self._refuse_if_subscribed(record) if had_customer else False
        if step != "replay":
            record = self._started(record, offer, now, trial=not trialed)
        sold = self._sell(record, had_customer=had_customer)
        if step == "replay" and checkout:
            written = replace(checkout, session_id=sold.id)
            # What is replayed is how it was when it was made.
            if next_step(written, self.payments.session(sold.id), offer, now) != "return":
                raise Conflict("the replayed session is not for what was asked: look again")
        return sold

    @property
    def _customers(self) -> Customers:
        return Customers(
            records=self.records,
            payments=self.payments,
            catalogue=self.shop.catalogue,
            stage=self.shop.stage,
            clock=self.clock,
        )

    def _record_of(self, user: User) -> tuple[Record, bool]:
        record = self.records.read(user.tenant_id)
        if record is not None:
            return record, False
        record = Record(tenant_id=user.tenant_id, user=user)
        self.records.create(record)
        return record, True

    def _refuse_if_subscribed(self, record: Record) -> bool:
        """Ask Stripe whether something stands that we do not know of; whether a trial was had."""
        listed = self.payments.subscriptions(record.customer_id or "")
        subscriptions = [s for s in listed if s.is_sold_by(self.shop.deployment)]
        try:
            refuse_if_subscribed(subscriptions)
        except (AlreadySubscribed, PaymentProcessing):
            self._ask_for_a_look(record)
            raise
        return any(s.trialed_at is not None for s in subscriptions)

    def _started(self, record: Record, offer: Offer, now: int, *, trial: bool) -> Record:
        """Write the attempt down before Stripe is called, so that a crash replays the same call."""
        catalogue, stage = self.shop.catalogue, self.shop.stage
        nonce = self.new_id()
        price_id = self.payments.price_id(catalogue.lookup_key(stage, offer.plan, offer.interval))
        params = session_params(
            *(self.shop, offer, record.tenant_id, record.customer_id or "", price_id, nonce),
            trial=trial and record.trialed_at is None,
        )
        checkout = Checkout(
            plan_id=offer.plan.id,
            interval=offer.interval,
            nonce=nonce,
            params=params,
            started_at=now,
        )
        return self.records.save(record, replace(record, checkout=checkout), nudge_at=now)

    def _sell(self, record: Record, *, had_customer: bool) -> CheckoutSession:
        """Make the recorded attempt's session the only one that can be paid."""
        checkout = record.checkout
        if checkout is None:
            raise Conflict("the attempt is gone: look again")
        if had_customer:
            self._expire_others(record, checkout)
        try:
            session = self.payments.create_session(checkout.params, checkout.nonce)
        except (UpstreamBroken, Permanent, OtherCurrency):
            # Stripe repeats a failure of its own for a day under this key, and frozen parameters
            # that it refuses (an archived price) get no better: the next click starts anew.
            self.records.save(record, replace(record, checkout=replace(checkout, burnt=True)))
            raise
        written = replace(checkout, session_id=session.id, expires_at=session.expires_at)
        try:
            self.records.save(record, replace(record, checkout=written))
        except Conflict:
            self._expire_if_overtaken(record.tenant_id, checkout, session)
            raise
        hint(self.queue, record.tenant_id)
        return session

    def _expire_others(self, record: Record, checkout: Checkout) -> None:
        """A crash may have left a session that nobody wrote down."""
        try:
            self.payments.expire_open_sessions(record.customer_id or "", but=checkout.nonce)
        except SessionClosed as e:
            raise Conflict("a session was paid or expired meanwhile: look again") from e

    def _expire_if_overtaken(
        self, tenant_id: str, checkout: Checkout, session: CheckoutSession
    ) -> None:
        """Whoever wrote meanwhile may know nothing of this session: nobody else would expire it."""
        now_there = self.records.read(tenant_id)
        if now_there and now_there.checkout and now_there.checkout.nonce == checkout.nonce:
            return
        with suppress(SessionClosed):
            self.payments.expire_session(session.id)

    def _expire(self, session: CheckoutSession) -> None:
        try:
            self.payments.expire_session(session.id)
        except SessionClosed as e:
            raise Conflict("the session was paid or expired meanwhile: look again") from e

    def _ask_for_a_look(self, record: Record) -> None:
        """What was refused may be a record that is behind: the reconciler looks, soon."""
        try:
            if self.records.nudge(record.tenant_id, int(self.clock()), polled=True) == "nudged":
                self.queue.send_tenant(record.tenant_id)
        except Temporary:
            # The answer stands without it; events and the sweep bring the record up to date.
            return
