"""Applies that the stand-in has answered before, remembered across histories.

A tenant's own objects are applied in the same few forms to the same few states, in every history
anew, and working out a server-side apply is most of what the stand-in does. What came of an apply
depends on its body and on the object that was there, so the stand-in is asked the first time and
believed from then on. Kinds that a quota counts are always asked about.
"""

import json
from hashlib import sha256
from typing import Any

from chalicelib.domain import tenant
from chalicelib.domain.catalogue import Catalogue, Plan
from sandbox.kubernetes import controllers
from sandbox.kubernetes.cluster import Cluster
from sandbox.kubernetes.requests import Answer, Request, Target, as_json, target_of

APPLY = "application/apply-patch+yaml"
ALONE = frozenset(
    {"Namespace", "ResourceQuota", "LimitRange", "ServiceAccount", "NetworkPolicy", "Role",
     "RoleBinding"}
)  # fmt: skip
"""Kinds whose apply depends on nothing but themselves and their namespace's being there."""

SETTLED = frozenset({"Namespace", "ResourceQuota"})
"""Kinds after which the controllers have something to do."""

_OWN = ("uid", "creationTimestamp", "resourceVersion")
Known = tuple[str, bytes, str]

_known: dict[Known, tuple[int, Any, str]] = {}
"""Status, object and its mark, by path and query, body, and the mark of what was there."""


_manifests: dict[tuple[str, str, bool], tuple[tenant.Manifest, ...]] = {}
_revisions: dict[int, str] = {}
_objects, _revision = tenant.objects, tenant.revision


def objects(
    catalogue: Catalogue, tenant_id: str, plan: Plan, *, suspended: bool = False
) -> tuple[tenant.Manifest, ...]:
    """A tenant's objects: the same for the same tenant and plan, in every history."""
    key = (tenant_id, plan.id, suspended)
    if key not in _manifests:
        _manifests[key] = _objects(catalogue, tenant_id, plan, suspended=suspended)
    return _manifests[key]


def revision(manifests: tuple[tenant.Manifest, ...]) -> str:
    """Their hash."""
    if id(manifests) not in _revisions:
        _revisions[id(manifests)] = _revision(manifests)
    return _revisions[id(manifests)]


def _digest(stored: Any) -> str:
    """What an object is, without what every history has anew: ids, versions and times."""
    metadata = {k: v for k, v in stored["metadata"].items() if k not in {*_OWN, "generation"}}
    managers = [{**m, "time": ""} for m in metadata.get("managedFields", ())]
    content = {**stored, "metadata": {**metadata, "managedFields": managers}}
    return sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


class Remembering:
    """A cluster that is asked only what it has not answered yet."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._store = cluster._store
        self._marks: dict[int, tuple[Any, str]] = {}

    def handle(self, request: Request, line: str) -> Answer:
        """Answer one request; `line` is its path with its query."""
        target = target_of(request.path)
        if request.content_type != APPLY or target is None or target.kind.name not in ALONE:
            return self._cluster.handle(request)
        live = self._store.get(target.kind, target.namespace, target.name)
        mark = self._mark(live)
        if mark is None or self._is_going(target):
            return self._cluster.handle(request)
        key = (line, request.body, mark)
        if key in _known:
            status, obj, after = _known[key]
            if obj is not None:
                with self._store.lock:
                    self._put(target, obj, live, after)
            return as_json(status, {})
        answer = self._cluster.handle(request)
        stored = self._store.get(target.kind, target.namespace, target.name)
        if answer.status in {200, 201} and stored is not None:
            changed = stored is not live
            after = _digest(stored) if changed else mark
            _known[key] = (answer.status, stored if changed else None, after)
            if changed and target.kind.name != "ResourceQuota":
                self._marks[id(stored)] = (stored, after)
        return answer

    def _mark(self, live: Any) -> str | None:
        """What stands for an object's content; None for one that we do not know."""
        if live is None:
            return ""
        found = self._marks.get(id(live))
        if found is None and live["kind"] == "ResourceQuota":
            # Its status is the controllers': the rest of it is what the note says.
            noted = live["metadata"].get("annotations", {})
            return str((sorted(live["spec"]["hard"].items()), live["metadata"]["labels"], noted))
        return found[1] if found else None

    def _is_going(self, target: Target) -> bool:
        space = target.name if target.kind.name == "Namespace" else target.namespace
        found = self._store.get(controllers._NAMESPACE, "", space)
        if found is None:
            return target.kind.name != "Namespace"
        return "deletionTimestamp" in found["metadata"]

    def _put(self, target: Target, obj: Any, live: Any, mark: str) -> None:
        own = {"uid": f"uid-{self._store.version}", "creationTimestamp": self._cluster._now}
        if live is not None:
            own = {name: live["metadata"][name] for name in _OWN}
        again = {**obj, "metadata": {**obj["metadata"], **own}}
        if live is not None and "status" in live:
            again["status"] = live["status"]
        stored = self._store.put(target.kind, again)
        if target.kind.name != "ResourceQuota":
            self._marks[id(stored)] = (stored, mark)
        if target.kind.name in SETTLED:
            controllers.settle(self._store, target.scope or target.name, self._cluster._now)
