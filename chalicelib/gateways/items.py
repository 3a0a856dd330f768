"""A record as a table item and back. Old items are brought up to date when they are read."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any, TypeVar

from chalicelib.domain.record import (
    SCHEMA,
    Billing,
    Checkout,
    Failure,
    FreeGrant,
    Hold,
    Record,
    Resolution,
    User,
)
from chalicelib.domain.subscription import Subscription

Item = dict[str, Any]
T = TypeVar("T")

_NESTED = ("user", "billing", "free", "checkout", "hold", "failure", "resolution")
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
_NAMES = (*_PLAIN, *_NESTED, "disputes")
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
    if name == "disputes":
        return set(value) or None
    if name == "user":
        return {"issuer": value.issuer, "subject": value.subject, "email": value.email}
    return asdict(value) if name in _NESTED and value is not None else value


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
        ),
        disputes=tuple(sorted(item.get("disputes", ()))),
        free=_known(FreeGrant, item.get("free")),
        checkout=_known(Checkout, item.get("checkout")),
        hold=_known(Hold, item.get("hold")),
        failure=_known(Failure, item.get("failure")),
        resolution=_known(Resolution, item.get("resolution")),
        **counters,
        **rest,
    )


def _known(kind: type[T], found: Mapping[str, Any] | None) -> T | None:
    """A part of a record. While a deployment goes on, newer code may have written more into it."""
    if not found:
        return None
    names = {field.name for field in fields(kind)}  # type: ignore[arg-type]  # all are dataclasses
    return kind(**{name: value for name, value in found.items() if name in names})
