"""What happens by itself as time goes on."""

from collections.abc import Callable, Iterator

from sandbox.stripe import checkout, invoices, subscriptions
from sandbox.stripe.ledger import Ledger
from sandbox.stripe.objects import Obj
from sandbox.stripe.periods import DAY, period_end

NOTICE = 3 * DAY
"""How long before its end a trial is announced to end."""

INCOMPLETE_FOR = 23 * 3600
"""Seconds that a first payment may take, unless a bank is at it."""

CLOCKS = "test_helpers.test_clock"

Moment = tuple[int, Callable[[], None]]


def catch_up(ledger: Ledger) -> bool:
    """Do all that is due by now, in the order of time; whether anything was."""
    with ledger.lock:
        done = False
        while (first := _first(ledger)) and first[0] <= ledger.now():
            first[1]()
            done = True
        for clock in list(ledger.all(CLOCKS, status="advancing")):
            _advance(ledger, clock)
            done = True
        return done


def _advance(ledger: Ledger, clock: Obj) -> None:
    """Only what lives by this clock goes on, each thing at its own moment."""
    target = clock["status_details"]["advancing"]["target_frozen_time"]
    while (first := _first(ledger, clock["id"])) and first[0] <= target:
        clock["frozen_time"] = max(first[0], clock["frozen_time"])
        with ledger.at(clock["frozen_time"]):
            first[1]()
    clock |= {"frozen_time": target, "status": "ready", "status_details": {}}
    ledger.emit("test_helpers.test_clock.ready", clock)


def next_due(ledger: Ledger) -> int | None:
    """When something will happen by itself, as far as is known now."""
    with ledger.lock:
        first = _first(ledger)
        return first[0] if first else None


def _first(ledger: Ledger, clock: str | None = None) -> Moment | None:
    return min(_all(ledger, clock), key=lambda moment: moment[0], default=None)


def _all(ledger: Ledger, clock: str | None) -> Iterator[Moment]:
    for session in ledger.all("checkout.session", status="open"):
        if ledger.clock_of(session["customer"]) == clock:
            yield session["expires_at"], lambda s=session: checkout.expired(ledger, s)  # type: ignore[misc]
    for subscription in ledger.all("subscription", test_clock=clock):
        if subscription["status"] in subscriptions.LIVE:
            yield from _of_subscription(ledger, subscription)
        elif subscription["status"] == "incomplete" and (
            subscription["latest_invoice"] not in ledger.settling
        ):
            yield (
                subscription["created"] + INCOMPLETE_FOR,
                lambda s=subscription: subscriptions.expire_incomplete(ledger, s),  # type: ignore[misc]
            )
    for invoice_id, (at, _) in ledger.settling.items():
        invoice = ledger.tables["invoice"][invoice_id]
        if invoice["test_clock"] == clock:
            yield at, lambda i=invoice: subscriptions.settle(ledger, i)  # type: ignore[misc]
    for invoice in ledger.all("invoice", status="open", test_clock=clock):
        if invoice["next_payment_attempt"]:
            yield (
                invoice["next_payment_attempt"],
                lambda i=invoice: subscriptions.retry(ledger, i),  # type: ignore[misc]
            )


def _of_subscription(ledger: Ledger, subscription: Obj) -> Iterator[Moment]:
    end = period_end(subscription)
    yield end, lambda: subscriptions.turn(ledger, subscription)
    cancel_at = subscription["cancel_at"]
    if cancel_at and not subscription["cancel_at_period_end"]:
        yield cancel_at, lambda: _cancel(ledger, subscription)
    if subscription["status"] == "trialing" and subscription["id"] not in ledger.announced:
        yield end - NOTICE, lambda: _announce(ledger, subscription)
    paused = subscription["pause_collection"]
    if paused and paused.get("resumes_at"):
        yield (
            paused["resumes_at"],
            lambda: ledger.change(subscriptions.UPDATED, subscription, pause_collection=None),
        )
    if subscription["pending_update"]:
        yield (
            subscription["pending_update"]["expires_at"],
            lambda: subscriptions.give_up_change(ledger, subscription),
        )
    if subscription["status"] == "paused":
        yield from _of_its_resumption(ledger, subscription)


def _of_its_resumption(ledger: Ledger, subscription: Obj) -> Iterator[Moment]:
    invoice = ledger.tables["invoice"].get(subscription["latest_invoice"] or "")
    if invoice and invoice["status"] == "open" and not invoice["auto_advance"]:
        yield (
            invoice["status_transitions"]["finalized_at"] + invoices.VOID_AFTER,
            lambda: invoices.close(ledger, invoice, "void"),
        )


def _cancel(ledger: Ledger, subscription: Obj) -> None:
    subscriptions.cancel(ledger, subscription)


def _announce(ledger: Ledger, subscription: Obj) -> None:
    ledger.announced.add(subscription["id"])
    ledger.emit("customer.subscription.trial_will_end", subscription)
