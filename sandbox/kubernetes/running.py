"""What makes workloads run: their controllers, a scheduler, one node; all of it at once.

Deployments have ReplicaSets, to which their annotations are copied; those, StatefulSets, DaemonSets
and Jobs have pods, which are ready as soon as they are admitted; claims of a StatefulSet come and
go with its pods as it says; what nobody owns any more is collected. A Job never ends by itself, no
CronJob begins one, and no autoscaler measures anything.
"""

import json
from hashlib import sha256

from sandbox.kubernetes import deletion, kinds, managed, writing
from sandbox.kubernetes.authorization import service_account
from sandbox.kubernetes.kinds import KINDS, Kind, Object
from sandbox.kubernetes.managed import Manager
from sandbox.kubernetes.requests import Request, Target
from sandbox.kubernetes.statuses import Refusal
from sandbox.kubernetes.store import Store

_DEPLOYMENT, _REPLICA_SET, _STATEFUL_SET, _DAEMON_SET, _JOB, _POD, _CLAIM = map(
    kinds.by_name,
    (
        "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job", "Pod",
        "PersistentVolumeClaim",
    ),
)  # fmt: skip
_MANAGER = "kube-controller-manager"
_USER = service_account("kube-system", "workload-controllers")
_NODE = "node"
_HASH = "pod-template-hash"
_REVISION = "deployment.kubernetes.io/revision"
_NOT_COPIED = ("kubectl.kubernetes.io/last-applied-configuration", _REVISION)
_TURNS = 8
"""Rounds until nothing changes: what one controller makes is what the next one looks at."""


def settle(store: Store, namespace: str, now: str) -> bool:
    """Bring what runs to where it should be; whether pods are on their way out."""
    for _ in range(_TURNS):
        before = store.version
        _collect(store, namespace, now)
        for deployment in store.all(_DEPLOYMENT, namespace):
            _roll_out(store, deployment, now)
        for kind in (_REPLICA_SET, _STATEFUL_SET, _DAEMON_SET, _JOB):
            for owner in store.all(kind, namespace):
                _run(store, kind, owner, now)
        if store.version == before:
            break
    return any("deletionTimestamp" in pod["metadata"] for pod in store.all(_POD, namespace))


def _collect(store: Store, namespace: str, now: str) -> None:
    """What names only owners that are gone goes, too."""
    there = {
        obj["metadata"]["uid"]
        for kind in KINDS
        if kind.namespaced
        for obj in store.all(kind, namespace)
    }
    for kind in KINDS:
        if not kind.namespaced:
            continue
        for obj in store.all(kind, namespace):
            owners = obj["metadata"].get("ownerReferences") or []
            if owners and not any(owner.get("uid") in there for owner in owners):
                deletion.take(store, kind, obj, now)


def _roll_out(store: Store, deployment: Object, now: str) -> None:
    """The ReplicaSet of the template has the size, the others none; each has the annotations."""
    metadata, spec = deployment["metadata"], deployment["spec"]
    if "deletionTimestamp" in metadata or spec.get("paused"):
        return
    text = json.dumps(spec["template"], sort_keys=True)
    mark = sha256(text.encode()).hexdigest()[:10]
    name = f"{metadata['name']}-{mark}"
    sets = _owned(store, _REPLICA_SET, deployment)
    if name not in {each["metadata"]["name"] for each in sets}:
        revision = 1 + max((int(_noted(each).get(_REVISION, 0)) for each in sets), default=0)
        template = _labelled(spec["template"], mark)
        selector = {"matchLabels": {**(spec["selector"].get("matchLabels") or {}), _HASH: mark}}
        body = {"replicas": spec["replicas"], "selector": selector, "template": template}
        notes = {**_copied(deployment), _REVISION: str(revision)}
        labels = template["metadata"]["labels"]
        if not _make(store, _REPLICA_SET, deployment, name, body, now, labels, notes):
            return
    sets = _owned(store, _REPLICA_SET, deployment)
    for each in sets:
        current = each["metadata"]["name"] == name
        notes = {**_noted(each), **(_copied(deployment) if current else {})}
        size = spec["replicas"] if current else 0
        after = {**each, "spec": {**each["spec"], "replicas": size}}
        _put(store, _REPLICA_SET, each, _with_notes(after, notes), now)
    ready = sum((each.get("status") or {}).get("readyReplicas", 0) for each in sets)
    total = sum((each.get("status") or {}).get("replicas", 0) for each in sets)
    mine = next(each for each in sets if each["metadata"]["name"] == name)
    updated = (mine.get("status") or {}).get("replicas", 0)
    status = {
        "observedGeneration": metadata["generation"], "replicas": total,
        "updatedReplicas": updated, "readyReplicas": ready, "availableReplicas": ready,
        "conditions": [
            _condition("Available", ready >= spec["replicas"], "MinimumReplicasAvailable", now),
            _condition("Progressing", updated or not spec["replicas"], "NewReplicaSetAvailable",
                       now),
        ],
    }  # fmt: skip
    _tell(store, _DEPLOYMENT, deployment, status, now)
    revision = _noted(mine).get(_REVISION, "1")
    live = store.get(_DEPLOYMENT, metadata["namespace"], metadata["name"]) or deployment
    notes = {**_noted(live), _REVISION: revision}
    _put(store, _DEPLOYMENT, live, _with_notes(live, notes), now)


def _run(store: Store, kind: Kind, owner: Object, now: str) -> None:
    metadata, spec = owner["metadata"], owner["spec"]
    pods = [each for each in _owned(store, _POD, owner) if not _goes(each)]
    wanted = 0 if "deletionTimestamp" in metadata else _wanted(kind, spec)
    if "deletionTimestamp" not in metadata:
        for number in range(wanted):
            if len(pods) >= wanted:
                break
            name = f"{metadata['name']}-{number}"
            if store.get(_POD, metadata["namespace"], name) is None:
                pods += _begun(store, kind, owner, name, now)
    order = sorted(pods, key=lambda pod: int(pod["metadata"]["name"].rpartition("-")[2]))
    for pod in order[wanted:]:
        deletion.take(store, _POD, pod, now)
        if kind == _STATEFUL_SET:
            _drop_claims(store, owner, pod, now)
    ready = min(len(pods), wanted)
    live = store.get(kind, metadata["namespace"], metadata["name"])
    if live is not None:
        _tell(store, kind, live, _status(kind, live, ready, wanted), now)


def _wanted(kind: Kind, spec: Object) -> int:
    if kind == _JOB:
        return 0 if spec.get("suspend") else int(spec.get("parallelism", 1))
    if kind == _DAEMON_SET:
        return 0 if (spec["template"]["spec"].get("nodeSelector") or {}) else 1
    return int(spec.get("replicas", 1))


def _begun(store: Store, kind: Kind, owner: Object, name: str, now: str) -> list[Object]:
    """A pod, admitted, scheduled and ready; none where admission refuses it."""
    template = owner["spec"]["template"]
    spec = dict(template["spec"])
    if kind == _STATEFUL_SET:
        spec["volumes"] = [*(spec.get("volumes") or []), *_claims(store, owner, name, now)]
    labels = (template.get("metadata") or {}).get("labels") or {}
    notes = (template.get("metadata") or {}).get("annotations") or {}
    pod = _make(store, _POD, owner, name, spec, now, labels, notes)
    if pod is None:
        return []
    status = {
        **pod["status"], "phase": "Running", "startTime": now,
        "conditions": [
            _condition(each, "it runs", "", now)
            for each in ("PodScheduled", "Initialized", "ContainersReady", "Ready")
        ],
        "containerStatuses": [
            {
                "name": each["name"], "image": each.get("image", ""), "imageID": "",
                "ready": True, "restartCount": 0, "started": True,
                "state": {"running": {"startedAt": now}}, "lastState": {},
            }
            for each in pod["spec"]["containers"]
        ],
    }  # fmt: skip
    return [store.put(_POD, {**pod, "spec": {**pod["spec"], "nodeName": _NODE}, "status": status})]


def _claims(store: Store, owner: Object, pod: str, now: str) -> list[Object]:
    volumes = []
    for each in owner["spec"].get("volumeClaimTemplates") or []:
        volume = each["metadata"]["name"]
        claim = f"{volume}-{pod}"
        if store.get(_CLAIM, owner["metadata"]["namespace"], claim) is None:
            _make(store, _CLAIM, None, claim, each["spec"], now, {}, {}, owner["metadata"])
        volumes.append({"name": volume, "persistentVolumeClaim": {"claimName": claim}})
    return volumes


def _drop_claims(store: Store, owner: Object, pod: Object, now: str) -> None:
    policy = owner["spec"].get("persistentVolumeClaimRetentionPolicy") or {}
    if policy.get("whenScaled") != "Delete":
        return
    for each in owner["spec"].get("volumeClaimTemplates") or []:
        name = f"{each['metadata']['name']}-{pod['metadata']['name']}"
        claim = store.get(_CLAIM, owner["metadata"]["namespace"], name)
        if claim is not None:
            deletion.take(store, _CLAIM, claim, now)


def _make(  # noqa: PLR0913, PLR0917 - the parts of an object
    store: Store,
    kind: Kind,
    owner: Object | None,
    name: str,
    spec: Object,
    now: str,
    labels: Object,
    notes: Object,
    place: Object | None = None,
) -> Object | None:
    """Made as anybody makes it, through admission; None where that refuses it."""
    namespace = (place or (owner or {}).get("metadata") or {})["namespace"]
    metadata: Object = {"name": name, "namespace": namespace}
    metadata |= {"labels": labels} if labels else {}
    metadata |= {"annotations": notes} if notes else {}
    if owner is not None:
        own = {field: owner["metadata"][field] for field in ("name", "uid")}
        kept = {field: owner[field] for field in ("apiVersion", "kind")}
        flags = {"controller": True, "blockOwnerDeletion": True}
        metadata["ownerReferences"] = [{**kept, **own, **flags}]
    head = {"apiVersion": kind.api_version, "kind": kind.name}
    body = json.dumps({**head, "metadata": metadata, "spec": spec}).encode()
    headers = {"content-type": "application/json", "user-agent": _MANAGER}
    try:
        target = Target(kind, namespace, "")
        return writing.write(store, _USER, Request("POST", "", {}, headers, body), target, now)[1]
    except Refusal:
        return None


def _owned(store: Store, kind: Kind, owner: Object) -> list[Object]:
    uid = owner["metadata"]["uid"]
    return [
        obj
        for obj in store.all(kind, owner["metadata"]["namespace"])
        for ref in obj["metadata"].get("ownerReferences") or []
        if ref.get("uid") == uid and ref.get("controller")
    ]


def _goes(obj: Object) -> bool:
    return "deletionTimestamp" in obj["metadata"]


def _status(kind: Kind, owner: Object, ready: int, wanted: int) -> Object:
    seen = {"observedGeneration": owner["metadata"].get("generation", 1)}
    match kind.name:
        case "DaemonSet":
            return {
                **seen, "currentNumberScheduled": ready, "desiredNumberScheduled": wanted,
                "numberAvailable": ready, "numberMisscheduled": 0, "numberReady": ready,
                "updatedNumberScheduled": ready,
            }  # fmt: skip
        case "Job":
            return {"active": ready, "ready": ready} if ready else {}
        case "StatefulSet":
            revision = f"{owner['metadata']['name']}-1"
            return {
                **seen, "replicas": ready, "readyReplicas": ready, "availableReplicas": ready,
                "currentReplicas": ready, "updatedReplicas": ready, "collisionCount": 0,
                "currentRevision": revision, "updateRevision": revision,
            }  # fmt: skip
    counted = {"replicas": ready, "fullyLabeledReplicas": ready}
    both = {"readyReplicas": ready, "availableReplicas": ready} if ready else {}
    return {**seen, **counted, **both}


def _condition(name: str, holds: object, why: str, now: str) -> Object:
    status = "True" if holds else "False"
    return {"type": name, "status": status, "reason": why, "lastTransitionTime": now}


def _tell(store: Store, kind: Kind, obj: Object, status: Object, now: str) -> None:
    """Write a status, if it says anything new; when something became so is no news."""
    old = obj.get("status") or {}
    if _timeless(old) == _timeless(status):
        return
    by = Manager(_MANAGER, "Update", kind.api_version, "status")
    store.put(kind, managed.updated(obj, {**obj, "status": status}, kind, by, now))


def _timeless(status: Object) -> Object:
    conditions = [
        {name: value for name, value in each.items() if name != "lastTransitionTime"}
        for each in status.get("conditions") or []
    ]
    return {**status, "conditions": conditions}


def _put(store: Store, kind: Kind, before: Object, after: Object, now: str) -> None:
    if after == before:
        return
    if after["spec"] != before["spec"]:
        generation = before["metadata"]["generation"] + 1
        after = {**after, "metadata": {**after["metadata"], "generation": generation}}
    by = Manager(_MANAGER, "Update", kind.api_version)
    store.put(kind, managed.updated(before, after, kind, by, now))


def _noted(obj: Object) -> Object:
    return obj["metadata"].get("annotations") or {}


def _with_notes(obj: Object, notes: Object) -> Object:
    return {**obj, "metadata": {**obj["metadata"], "annotations": notes}} if notes else obj


def _copied(deployment: Object) -> Object:
    return {name: value for name, value in _noted(deployment).items() if name not in _NOT_COPIED}


def _labelled(template: Object, mark: str) -> Object:
    metadata = template.get("metadata") or {}
    labels = {**(metadata.get("labels") or {}), _HASH: mark}
    return {**template, "metadata": {**metadata, "labels": labels}}
