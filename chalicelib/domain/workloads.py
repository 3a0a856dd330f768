"""How what runs in a tenant is stopped and started again: each kind by one patch, or by none.

A size is remembered in the patch that takes it away, and only if none is remembered yet: so a
suspension that was cut short and begins anew still knows the first size. Whatever else a tenant
writes, such as who owns an object, decides nothing.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from chalicelib.domain.labels import Labels

Object = Mapping[str, Any]
Patch = dict[str, Any]

SIZED = ("Deployment", "StatefulSet", "ReplicaSet")
STOPPABLE = (*SIZED, "CronJob", "DaemonSet")

SIZES = (
    ".spec.replicas",
    ".spec.suspend",
    ".spec.template.spec.nodeSelector",
    ".spec.persistentVolumeClaimRetentionPolicy",
)
"""The fields that stopping and starting change, as an API server names them in a conflict."""

_RAN = "running"
_CLAIMS = "persistentVolumeClaimRetentionPolicy"
_KEPT: Patch = {_CLAIMS: {"whenScaled": "Retain"}}
"""No pod of a StatefulSet is taken away but in a patch that keeps its volumes."""

_LARGEST = 2**31 - 1
"""Replicas that an API server takes; an annotation may say more."""


def to_stop(kind: str, found: Object, labels: Labels) -> Patch | None:
    """The merge patch that stops a workload; None if there is nothing to stop.

    It holds for the version that was looked at: whoever has changed it since is not overwritten.
    """
    if kind == "DaemonSet":
        return on_no_node(found, labels.suspended, {})
    spec, remembered = found["spec"], annotations(found).get(labels.size)
    if kind == "CronJob":
        if spec.get("suspend"):
            return None
        return patch(found, {"suspend": True}, {labels.size: remembered or _RAN})
    size = spec.get("replicas", 1)
    if size == 0:
        return None
    return sized(found, 0, {labels.size: remembered or str(size)}, labels)


def to_resume(kind: str, found: Object, labels: Labels) -> Patch | None:
    """The merge patch that starts a workload as it was; None if we have not stopped it."""
    if kind == "DaemonSet":
        return on_nodes_again(found, labels.suspended, {})
    remembered = annotations(found).get(labels.size)
    if remembered is None:
        return None
    if kind == "CronJob":
        return patch(found, {"suspend": False}, {labels.size: None})
    size = found["spec"].get("replicas") or remembered_size(remembered)
    return sized(found, size, {labels.size: None}, labels)


def sized(found: Object, size: int, notes: Patch, labels: Labels) -> Patch:
    """The merge patch that gives a workload a size, with notes as its annotations.

    Smaller, a StatefulSet keeps its volumes, whatever it says; what it says comes back as soon as
    it is not smaller than it was any more.
    """
    said = annotations(found).get(labels.claims)
    spec: Patch = {"replicas": size}
    if size < found["spec"].get("replicas", 1):
        if (found["spec"].get(_CLAIMS) or {}).get("whenScaled") == "Delete":
            spec, notes = spec | _KEPT, {**notes, labels.claims: "Delete"}
    elif said is not None and _is_whole(found, notes, labels):
        spec = spec | {_CLAIMS: {"whenScaled": "Delete" if said == "Delete" else "Retain"}}
        notes = {**notes, labels.claims: None}
    return patch(found, spec, notes)


def _is_whole(found: Object, notes: Patch, labels: Labels) -> bool:
    """Whether no size is remembered any more after such notes."""
    after = {**annotations(found), **notes}
    return not any(after.get(name) for name in (labels.size, labels.unfitted_size))


def remembered_size(text: str) -> int:
    """A size as an annotation says it; whoever has written something else there gets one."""
    return min(int(text), _LARGEST) if text.isdecimal() else 1


def as_stopped(manifest: Object, labels: Labels) -> Object:
    """One of our own manifests as it is applied to a suspended tenant: it says its size itself."""
    stop: dict[str, Callable[[], dict[str, Any]]] = {
        **dict.fromkeys(SIZED, lambda: {"replicas": 0, **_kept(manifest["spec"])}),
        "CronJob": lambda: {"suspend": True},
        "DaemonSet": lambda: _without_nodes(manifest["spec"], labels),
    }
    if manifest["kind"] not in stop:
        return manifest
    return {**manifest, "spec": {**manifest["spec"], **stop[manifest["kind"]]()}}


def unless_scaled(manifest: Object, found: Object | None) -> Object:
    """A manifest without its size, where an autoscaler, or a person, has scaled what stands."""
    if manifest["kind"] not in SIZED or found is None or not _is_scaled(found):
        return manifest
    spec = {name: value for name, value in manifest["spec"].items() if name != "replicas"}
    return {**manifest, "spec": spec}


def _is_scaled(found: Object) -> bool:
    return any(
        "f:replicas" in ((entry.get("fieldsV1") or {}).get("f:spec") or {})
        for entry in found["metadata"].get("managedFields") or []
        if entry.get("subresource") == "scale"
    )


def on_no_node(found: Object, mark: str, notes: Patch) -> Patch | None:
    """The merge patch that has a DaemonSet select what no node has; None if it does."""
    if mark in _node_selector(found):
        return None
    return patch(found, _selecting({mark: "true"}), notes)


def on_nodes_again(found: Object, mark: str, notes: Patch) -> Patch | None:
    """The merge patch that takes such a mark off; None if it is not there."""
    if mark not in _node_selector(found):
        return None
    return patch(found, _selecting({mark: None}), notes)


def with_a_size_of_their_own(found: Iterable[tuple[str, Object]]) -> list[tuple[str, Object]]:
    """Without the ReplicaSets of Deployments: their size is the Deployment's to set.

    Its controller also copies annotations to them, ours too, so that what stands on them says
    nothing. Theirs are those of a Deployment that is there, not of one that they name.
    """
    both = list(found)
    deployments = {obj["metadata"]["uid"] for kind, obj in both if kind == "Deployment"}
    return [
        (kind, obj) for kind, obj in both if kind != "ReplicaSet" or not owners(obj) & deployments
    ]


def owners(found: Object) -> set[str]:
    """The uids of whom an object names as its controller, which anybody may write."""
    named = found["metadata"].get("ownerReferences") or []
    return {str(owner.get("uid")) for owner in named if owner.get("controller")}


def annotations(found: Object) -> Mapping[str, str]:
    """What stands on an object; none is as an empty map."""
    noted: Mapping[str, str] = found["metadata"].get("annotations") or {}
    return noted


def patch(found: Object, spec: Patch, notes: Patch) -> Patch:
    """A merge patch of the version that was found, with notes as annotations."""
    metadata: Patch = {"resourceVersion": found["metadata"]["resourceVersion"]}
    if notes:
        metadata["annotations"] = notes
    return {"metadata": metadata, "spec": spec}


def _kept(spec: Object) -> Patch:
    says = spec.get(_CLAIMS) or {}
    return {_CLAIMS: {**says, "whenScaled": "Retain"}} if says.get("whenScaled") else {}


def _node_selector(found: Object) -> Mapping[str, str]:
    selector: Mapping[str, str] = found["spec"]["template"]["spec"].get("nodeSelector") or {}
    return selector


def _selecting(selector: Patch) -> Patch:
    return {"template": {"spec": {"nodeSelector": selector}}}


def _without_nodes(spec: Object, labels: Labels) -> Patch:
    template = spec["template"]
    selector = {**(template["spec"].get("nodeSelector") or {}), labels.suspended: "true"}
    return {"template": {**template, "spec": {**template["spec"], "nodeSelector": selector}}}
