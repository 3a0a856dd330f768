"""A record as a table item and back. Old items are brought up to date when they are read."""

from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from typing import Any, TypeVar

from chalicelib.domain.record import (
    SCHEMA,
    Billing,
    Checkout,
    Excess,
    Failure,
    FreeGrant,
    Hold,
    Record,
    Resolution,
    User,
)
from chalicelib.domain.standing import Standing
from chalicelib.domain.subscription import Subscription

Item = dict[str, Any]
T = TypeVar("T")

_NESTED = (
    *("user", "billing", "free", "checkout", "hold"),
    *("failure", "resolution", "excess", "stood"),
)
_PLAIN = (
    "customer_id",
    "customer_generation",
    "free_until",
    "trialed_at",
    "paid_session",
    "nudged",
    "reconciled",
    "attempts",
    "version",
    "applied",
    "ready_since",
    "phase",
    "grace_until",
    "retention_until",
    "retry_at",
    "due_at",
    "polled_at",
    "updated_at",
    "not_before",
    "busy_until",
)
_SETS = ("disputes", "lost_disputes", "settled")
_NAMES = (*_PLAIN, *_NESTED, *_SETS)
_COUNTERS = frozenset({"customer_generation", "nudged", "reconciled", "attempts", "version"})


def attributes(record: Record) -> Item:
    """The item's attributes without its key; what is None is not there."""
    kept = {name: _kept(record, name) for name in _NAMES}
    present = {name: value for name, value in kept.items() if value is not None}
    return {"schema": SCHEMA, "due_shard": record.due_shard, **present}


def changes(before: Record, after: Record) -> tuple[Item, list[str]]:
    """What to set and what to remove, so that an item of `before` becomes one of `after`."""
    changed = [name for name in _NAMES if getattr(before, name) != getattr(after, name)]
    kept = {name: _kept(after, name) for name in changed}
    to_set = {name: value for name, value in kept.items() if value is not None}
    return to_set, [name for name in changed if name not in to_set]


def _kept(record: Record, name: str) -> Any:  # noqa: ANN401 - whatever an item holds
    """A part of a record as an item holds it; None for what is not there."""
    value = getattr(record, name)
    if name in _SETS:
        return set(value) or None
    if name == "user":
        return {"issuer": value.issuer, "subject": value.subject, "email": value.email}
    if name not in _NESTED or value is None:
        return value
    kept = asdict(value)
    if name == "billing" and kept["subscription"]:
        # They have been read: what came of it is what is kept.
        del kept["subscription"]["items"]
    return kept


def record_of(tenant_id: str, item: Mapping[str, Any]) -> Record:
    """Read an item of this schema or of any before it."""
    counters: Item = {name: item.get(name, 0) for name in _COUNTERS}
    rest: Item = {name: item.get(name) for name in _PLAIN if name not in _COUNTERS}
    billing = item.get("billing") or {}
    subscription = billing.get("subscription")
    return Record(
        tenant_id=tenant_id,
        user=User(**{name: item["user"].get(name) for name in ("issuer", "subject", "email")}),
        billing=Billing(
            subscription=_known(Subscription, subscription),
            duplicates=tuple(billing.get("duplicates", ())),
            incomplete=billing.get("incomplete", False),
            unread=tuple(billing.get("unread", ())),
        ),
        disputes=tuple(sorted(item.get("disputes", ()))),
        lost_disputes=tuple(sorted(item.get("lost_disputes", ()))),
        settled=tuple(sorted(item.get("settled", ()))),
        free=_known(FreeGrant, item.get("free")),
        checkout=_known(Checkout, item.get("checkout")),
        hold=_hold(item.get("hold")),
        failure=_known(Failure, item.get("failure")),
        resolution=_known(Resolution, item.get("resolution")),
        excess=_known(Excess, item.get("excess")),
        stood=_known(Standing, item.get("stood")),
        **counters,
        **rest,
    )


def _hold(found: Mapping[str, Any] | None) -> Hold | None:
    hold = _known(Hold, found)
    return hold and replace(hold, others=tuple(hold.others))


def _known(kind: type[T], found: Mapping[str, Any] | None) -> T | None:
    """A part of a record. While a deployment goes on, newer code may have written more into it."""
    if not found:
        return None
    names = {field.name for field in fields(kind)}  # type: ignore[arg-type]  # all are dataclasses
    return kind(**{name: value for name, value in found.items() if name in names})
