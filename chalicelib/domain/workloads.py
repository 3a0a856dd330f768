"""How what runs in a tenant is stopped and started again: each kind by one patch, or by none.

A size is remembered in the patch that takes it away, and only if none is remembered yet: so a
suspension that was cut short and begins anew still knows the first size.
"""

from collections.abc import Callable, Mapping
from typing import Any

from chalicelib.domain.labels import Labels

Object = Mapping[str, Any]
Patch = dict[str, Any]

SIZED = ("Deployment", "StatefulSet", "ReplicaSet")
STOPPABLE = (*SIZED, "CronJob", "DaemonSet")
ENDED = ("Job", "Pod")
"""Kinds that cannot be stopped, only deleted."""

SIZES = (".spec.replicas", ".spec.suspend", ".spec.template.spec.nodeSelector")
"""The fields that stopping and starting change, as an API server names them in a conflict."""

_RAN = "running"


def to_stop(kind: str, found: Object, labels: Labels) -> Patch | None:
    """The merge patch that stops a workload; None if there is nothing to stop.

    It holds for the version that was looked at: whoever has changed it since is not overwritten.
    """
    if is_controlled(found):
        return None
    if kind == "DaemonSet":
        return _on_no_node(found, labels)
    spec, remembered = found["spec"], _annotations(found).get(labels.size)
    if kind == "CronJob":
        if spec.get("suspend"):
            return None
        return _patch(found, {"suspend": True}, {labels.size: remembered or _RAN})
    size = spec.get("replicas", 1)
    if size == 0:
        return None
    return _patch(found, {"replicas": 0}, {labels.size: remembered or str(size)})


def to_resume(kind: str, found: Object, labels: Labels) -> Patch | None:
    """The merge patch that starts a workload as it was; None if we have not stopped it."""
    if kind == "DaemonSet":
        if labels.suspended not in (_node_selector(found) or {}):
            return None
        return _patch(found, _selecting({labels.suspended: None}), {})
    remembered = _annotations(found).get(labels.size)
    if remembered is None:
        return None
    if kind == "CronJob":
        spec: dict[str, Any] = {"suspend": False}
    else:
        was = int(remembered) if remembered.isdecimal() else 1
        spec = {"replicas": found["spec"].get("replicas") or was}
    return _patch(found, spec, {labels.size: None})


def as_stopped(manifest: Object, labels: Labels) -> Object:
    """One of our own manifests as it is applied to a suspended tenant: it says its size itself."""
    stop: dict[str, Callable[[], dict[str, Any]]] = {
        **dict.fromkeys(SIZED, lambda: {"replicas": 0}),
        "CronJob": lambda: {"suspend": True},
        "DaemonSet": lambda: _without_nodes(manifest["spec"], labels),
    }
    if manifest["kind"] not in stop:
        return manifest
    return {**manifest, "spec": {**manifest["spec"], **stop[manifest["kind"]]()}}


def is_controlled(found: Object) -> bool:
    """Whether somebody else looks after it: a ReplicaSet's Deployment, a pod's ReplicaSet."""
    owners = found["metadata"].get("ownerReferences") or []
    return any(owner.get("controller") for owner in owners)


def _annotations(found: Object) -> Mapping[str, str]:
    annotations: Mapping[str, str] = found["metadata"].get("annotations") or {}
    return annotations


def _patch(found: Object, spec: Patch, annotations: Patch) -> Patch:
    metadata: Patch = {"resourceVersion": found["metadata"]["resourceVersion"]}
    if annotations:
        metadata["annotations"] = annotations
    return {"metadata": metadata, "spec": spec}


def _node_selector(found: Object) -> Mapping[str, str] | None:
    return (found["spec"].get("template") or {}).get("spec", {}).get("nodeSelector")  # type: ignore[no-any-return]


def _selecting(selector: Patch) -> Patch:
    return {"template": {"spec": {"nodeSelector": selector}}}


def _on_no_node(found: Object, labels: Labels) -> Patch | None:
    if labels.suspended in (_node_selector(found) or {}):
        return None
    return _patch(found, _selecting({labels.suspended: "true"}), {})


def _without_nodes(spec: Object, labels: Labels) -> Patch:
    template = spec["template"]
    selector = {**(template["spec"].get("nodeSelector") or {}), labels.suspended: "true"}
    return {"template": {**template, "spec": {**template["spec"], "nodeSelector": selector}}}
