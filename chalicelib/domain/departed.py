"""Who is charged and has no account any more: billing goes on, and nobody can end it."""

from dataclasses import dataclass

from chalicelib.domain.record import Record


@dataclass(frozen=True, slots=True)
class Departed:
    """Somebody whose account is gone while what they bought goes on, in words for an operator."""

    tenant_id: str
    text: str


def needs_an_account(record: Record, issuer: str) -> bool:
    """Whether something is charged by us of somebody who signed in by this issuer."""
    subscription = record.subscription
    return record.user.issuer == issuer and subscription is not None and subscription.is_live


def departed(record: Record) -> Departed | None:
    """What to say of somebody whom we charge and whom the pool does not know."""
    subscription = record.subscription
    if subscription is None:
        return None
    ends = ", to end with its period" if subscription.cancel_at_period_end else ""
    return Departed(
        record.tenant_id,
        f"{subscription.id} is {subscription.status}{ends}, and the account it belongs to is gone: "
        "nobody can sign in to end it",
    )
