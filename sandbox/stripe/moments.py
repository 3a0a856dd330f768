"""What happens by itself as time goes on."""

from collections.abc import Callable, Iterator

from sandbox.stripe import checkout, subscriptions
from sandbox.stripe.ledger import Ledger
from sandbox.stripe.objects import Obj
from sandbox.stripe.periods import DAY

NOTICE = 3 * DAY
"""How long before its end a trial is announced to end."""

INCOMPLETE_FOR = 23 * 3600
"""Seconds that a first payment may take, unless a bank is at it."""

Moment = tuple[int, Callable[[], None]]


def catch_up(ledger: Ledger) -> bool:
    """Do all that is due by now, in the order of time; whether anything was."""
    with ledger.lock:
        done = False
        while (first := _first(ledger)) and first[0] <= ledger.now():
            first[1]()
            done = True
        return done


def next_due(ledger: Ledger) -> int | None:
    """When something will happen by itself, as far as is known now."""
    with ledger.lock:
        first = _first(ledger)
        return first[0] if first else None


def _first(ledger: Ledger) -> Moment | None:
    return min(_all(ledger), key=lambda moment: moment[0], default=None)


def _all(ledger: Ledger) -> Iterator[Moment]:
    for session in ledger.all("checkout.session", status="open"):
        yield session["expires_at"], lambda s=session: checkout.expired(ledger, s)  # type: ignore[misc]
    for subscription in ledger.all("subscription"):
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
        yield at, lambda i=invoice: subscriptions.settle(ledger, i)  # type: ignore[misc]
    for invoice in ledger.all("invoice", status="open"):
        if invoice["next_payment_attempt"]:
            yield (
                invoice["next_payment_attempt"],
                lambda i=invoice: subscriptions.retry(ledger, i),  # type: ignore[misc]
            )


def _of_subscription(ledger: Ledger, subscription: Obj) -> Iterator[Moment]:
    end = subscriptions.period_end(subscription)
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


def _cancel(ledger: Ledger, subscription: Obj) -> None:
    subscriptions.cancel(ledger, subscription)


def _announce(ledger: Ledger, subscription: Obj) -> None:
    ledger.announced.add(subscription["id"])
    ledger.emit("customer.subscription.trial_will_end", subscription)
