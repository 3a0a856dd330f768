"""managedFields: who owns which fields of an object, and how that changes with each write."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from sandbox.kubernetes import fields, schema
from sandbox.kubernetes.fields import Fields
from sandbox.kubernetes.kinds import Kind, Object

_NOBODYS = ("apiVersion", "kind")
_NOBODYS_METADATA = (
    "name", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp",
    "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "managedFields",
    "generateName",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Manager:
    """Who writes, and how."""

    name: str
    operation: str
    """`Apply` or `Update`."""
    api_version: str
    subresource: str = ""

    def __str__(self) -> str:
        """As conflicts name it."""
        text = f'"{self.name}"'
        if self.subresource:
            text += f' with subresource "{self.subresource}"'
        return f"{text} using {self.api_version}" if self.operation == "Update" else text


@dataclass(frozen=True, slots=True)
class Share:
    """What one manager owns, and since when it has been so."""

    manager: Manager
    owns: Fields
    time: str


def visible(obj: Object, kind: Kind, subresource: str = "") -> Object:
    """The part of an object that this way of writing can change, and so own."""
    if subresource == "status":
        return {"status": obj["status"]} if "status" in obj else {}
    hidden = (*_NOBODYS, "status") if kind.status else _NOBODYS
    shown = {name: value for name, value in obj.items() if name not in hidden}
    if "metadata" in shown:
        shown["metadata"] = {
            name: value for name, value in obj["metadata"].items() if name not in _NOBODYS_METADATA
        }
    return shown


def shares(obj: Object) -> list[Share]:
    """What stands in an object's managedFields."""
    return [
        Share(
            Manager(
                entry.get("manager", ""),
                entry["operation"],
                entry["apiVersion"],
                entry.get("subresource", ""),
            ),
            fields.decode(entry["fieldsV1"]),
            entry["time"],
        )
        for entry in obj.get("metadata", {}).get("managedFields", [])
    ]


def own(shared: Iterable[Share], manager: Manager) -> Fields:
    """What this manager owns."""
    return next((share.owns for share in shared if share.manager == manager), frozenset())


def written(shared: Iterable[Share], manager: Manager, owns: Fields, now: str) -> list[Share]:
    """The shares with this manager's set; its time moves only if the set does."""
    others = [share for share in shared if share.manager != manager]
    mine = next((share for share in shared if share.manager == manager), None)
    if mine is None or mine.owns != owns:
        mine = Share(manager, owns, now)
    return [*others, mine]


def less(shared: Iterable[Share], lost: Fields, *, but: Manager) -> list[Share]:
    """The shares when everybody else has lost some fields."""
    return [
        share if share.manager == but or not share.owns & lost else _reduced(share, lost)
        for share in shared
    ]


def _reduced(share: Share, lost: Fields) -> Share:
    return replace(share, owns=share.owns - lost)


def put(obj: Object, shared: Iterable[Share]) -> Object:
    """The object with these shares written into it, in the API's order."""
    order = sorted(
        (share for share in shared if share.owns),
        key=lambda share: (
            share.manager.operation,
            share.time,
            share.manager.name,
            share.manager.api_version,
            share.manager.subresource,
        ),
    )
    metadata = {k: v for k, v in obj["metadata"].items() if k != "managedFields"}
    if order:
        metadata["managedFields"] = [_entry(share) for share in order]
    return {**obj, "metadata": metadata}


def _entry(share: Share) -> dict[str, Any]:
    manager = share.manager
    entry = {
        "manager": manager.name,
        "operation": manager.operation,
        "apiVersion": manager.api_version,
        "time": share.time,
        "fieldsType": "FieldsV1",
        "fieldsV1": fields.encode(share.owns),
    }
    return {**entry, "subresource": manager.subresource} if manager.subresource else entry


def updated(before: Object, after: Object, kind: Kind, manager: Manager, now: str) -> Object:
    """`after`, with the ownership that follows from a plain write of what differs."""
    shared = shares(before)
    changed, removed = fields.difference(
        visible(before, kind, manager.subresource),
        visible(after, kind, manager.subresource),
        schema.of(kind),
    )
    if changed or removed:
        mine = (own(shared, manager) | changed) - removed
        shared = written(less(shared, changed | removed, but=manager), manager, mine, now)
    return put(after, shared)
