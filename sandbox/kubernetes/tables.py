"""Lists as the table that kubectl prints."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

from sandbox.kubernetes.kinds import Kind, Object
from sandbox.kubernetes.requests import Request


class _Column(NamedTuple):
    name: str
    cell: Callable[[Object], str]
    form: str = ""


def _quota(side: str) -> Callable[[Object], str]:
    def shown(obj: Object) -> str:
        status = obj.get("status") or {}
        used, hard = status.get("used") or {}, status.get("hard") or {}
        return ", ".join(
            f"{name}: {used.get(name, '0')}/{hard[name]}"
            for name in sorted(hard)
            if name.startswith("limits.") is (side == "limits")
        )

    return shown


def _selector(obj: Object) -> str:
    labels = (obj["spec"].get("podSelector") or {}).get("matchLabels") or {}
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items())) or "<none>"


def _phase(obj: Object) -> str:
    return str(obj["status"]["phase"])


def _role(obj: Object) -> str:
    return f"{obj['roleRef']['kind']}/{obj['roleRef']['name']}"


_BETWEEN = {  # name and age are everybody's
    "Namespace": (_Column("Status", _phase),),
    "Pod": (_Column("Status", _phase),),
    "ResourceQuota": (
        _Column("Request", _quota("requests")),
        _Column("Limit", _quota("limits")),
    ),
    "NetworkPolicy": (_Column("Pod-Selector", _selector),),
    "RoleBinding": (_Column("Role", _role),),
    "ConfigMap": (_Column("Data", lambda obj: str(len(obj.get("data") or {}))),),
}


def wanted(request: Request) -> bool:
    """Whether the client prefers a table."""
    first = request.headers.get("accept", "").partition(",")[0].replace(" ", "")
    return "as=Table" in first.split(";") and "v=v1" in first.split(";")


def of(kind: Kind, found: Sequence[Object], version: int, now: str) -> Object:
    """The objects as a table, each with its metadata."""
    columns = (
        _Column("Name", lambda obj: str(obj["metadata"]["name"]), "name"),
        *_BETWEEN.get(kind.name, ()),
        _Column("Age", lambda obj: _age(obj["metadata"]["creationTimestamp"], now)),
    )
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {"resourceVersion": str(version)},
        "columnDefinitions": [
            {"name": c.name, "type": "string", "format": c.form, "description": "", "priority": 0}
            for c in columns
        ],
        "rows": [
            {
                "cells": [column.cell(obj) for column in columns],
                "object": {
                    "kind": "PartialObjectMetadata",
                    "apiVersion": "meta.k8s.io/v1",
                    "metadata": obj["metadata"],
                },
            }
            for obj in found
        ],
    }


def _age(created: str, now: str) -> str:
    born, moment = datetime.fromisoformat(created), datetime.fromisoformat(now)
    seconds = int((moment - born).total_seconds())
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= 2 * size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
