"""A timeline in words."""

from collections.abc import Iterable
from datetime import UTC, datetime

from chalicelib.domain.timeline import Line

EVENTS = {
    "checkout.session.completed": "the checkout was completed",
    "checkout.session.async_payment_succeeded": "a payment that took days has arrived",
    "checkout.session.async_payment_failed": "a payment that took days has failed",
    "checkout.session.expired": "the checkout expired unpaid",
    "customer.subscription.created": "the subscription was made",
    "customer.subscription.updated": "the subscription changed",
    "customer.subscription.deleted": "the subscription ended",
    "customer.subscription.paused": "the subscription was paused",
    "customer.subscription.resumed": "the subscription was resumed",
    "customer.subscription.trial_will_end": "the trial ends in three days",
    "invoice.paid": "an invoice was paid",
    "invoice.payment_failed": "a payment failed",
    "invoice.payment_action_required": "a payment waits for the customer's bank",
    "payment_intent.succeeded": "a payment went through",
    "charge.refunded": "money was given back",
    "charge.dispute.created": "a payment is disputed",
    "charge.dispute.updated": "a dispute has changed",
    "charge.dispute.closed": "a dispute was closed",
    "customer.deleted": "the customer was deleted in Stripe",
}
"""Every type that we subscribe to; a test holds them equal."""

WHO = {
    "event": "Stripe",
    "customer": "customer",
    "operator": "operator",
    "sweep": "sweep",
    "audit": "audit",
    "cluster": "cluster",
    "decision": "decided",
}
"""Whose act a line tells of; in the order of cause and effect."""


def said(line: Line) -> str:
    """What a line says."""
    if line.kind == "event":
        return f"{EVENTS.get(line.text, line.text)} ({line.text}, {line.id})"
    return line.text


def in_order(lines: Iterable[Line]) -> list[Line]:
    """As they happened; what bears the same second, causes before what came of them."""
    kinds = list(WHO)
    return sorted(lines, key=lambda line: (line.created, kinds.index(line.kind), line.id))


def sentence(line: Line) -> str:
    """One line of a timeline: when, who, what."""
    return f"{moment(line.created)}  {WHO[line.kind]:<8}  {said(line)}"


def moment(at: int | None) -> str | None:
    """Epoch seconds as people and programs read them: RFC 3339, UTC."""
    return None if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
