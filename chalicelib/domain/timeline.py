"""Lines of a tenant's timeline: what happened to one customer, in order, in words."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from chalicelib.domain.record import Billing
    from chalicelib.domain.standing import Standing
    from chalicelib.domain.stripe_event import StripeEvent

Kind = Literal["event", "decision", "cluster", "customer", "sweep", "audit", "operator"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line; `created` is epoch seconds, `id` tells lines of one second apart."""

    created: int
    id: str
    kind: Kind
    text: str


def of_event(event: "StripeEvent") -> Line:
    """An event's line is keyed by the event, so that it is written once however often it comes."""
    return Line(created=event.created, id=event.id, kind="event", text=event.type)


def of_standing(standing: "Standing", why: str, now: int, line_id: str) -> Line:
    """What was decided, when it differs from what stood, and why."""
    plan = standing.plan_id or "no plan"
    text = f"{plan}: {standing.status}; the tenant should be {standing.wanted}, since {why}"
    return Line(created=now, id=line_id, kind="decision", text=text)


def of_unread(billing: "Billing", now: int, line_id: str) -> Line:
    """What is charged and cannot be read as a sale of ours, told to whoever looks."""
    return Line(created=now, id=line_id, kind="decision", text="; ".join(billing.unread))


def of_duplicates(billing: "Billing", now: int, line_id: str) -> Line:
    """A customer who pays twice, told to whoever looks."""
    kept = billing.subscription.id if billing.subscription else "none"
    text = f"two live subscriptions: {kept} counts, beside {', '.join(billing.duplicates)}"
    return Line(created=now, id=line_id, kind="decision", text=text)
