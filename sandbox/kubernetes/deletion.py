"""DELETE: at once for most kinds; a namespace is Terminating first, and takes its objects along.

A pod that a node runs is given time to end, as much as it asks for or as the request says; a later
request can shorten it.
"""

from collections import Counter
from datetime import UTC, datetime, timedelta

from sandbox.kubernetes import kinds, statuses
from sandbox.kubernetes.kinds import KINDS, Kind, Object
from sandbox.kubernetes.requests import Request, Target
from sandbox.kubernetes.store import Store

PROTECTED = ("default", "kube-public", "kube-system")
_NAMESPACE = kinds.by_name("Namespace")
_POD = kinds.by_name("Pod")
_ENDED = ("Succeeded", "Failed")
_TIME = "%Y-%m-%dT%H:%M:%SZ"

SHORT = 60
"""Seconds of grace that are over as soon as somebody says that what is short is over."""


def check(request: Request, target: Target, found: Object) -> None:
    """Refuse what may not be deleted, or not like this.

    Raises:
        Refusal: 409 for a precondition that does not hold, 403 for a protected namespace.
    """
    _check_preconditions(request, target, found)
    if target.kind == _NAMESPACE and target.name in PROTECTED:
        raise statuses.forbidden(target.kind, target.name, "this namespace may not be deleted")


def delete(
    store: Store, request: Request, target: Target, found: Object, now: str
) -> tuple[Object, bool]:
    """What to answer, and whether there is something left to finish later."""
    kind = target.kind
    if kind == _NAMESPACE:
        if "deletionTimestamp" in found["metadata"]:
            return found, False
        metadata = {**found["metadata"], "deletionTimestamp": now}
        dying = {**found, "metadata": metadata, "status": {"phase": "Terminating"}}
        return (dying, False) if request.dry_run else (store.put(kind, dying), True)
    if kind == _POD and (grace := _grace(request, found)):
        if not request.dry_run:
            found = _ending(store, found, grace, now)
        return found, True
    if found["metadata"].get("finalizers"):
        if "deletionTimestamp" in found["metadata"] or request.dry_run:
            return found, False
        metadata = {**found["metadata"], "deletionTimestamp": now}
        return store.put(kind, {**found, "metadata": metadata}), False
    if not request.dry_run:
        store.remove(kind, found)
    return _answer(kind, found), False


def _answer(kind: Kind, found: Object) -> Object:
    if kind.returned_when_deleted:
        return found
    metadata = found["metadata"]
    return statuses.success(kind, metadata["name"], metadata["uid"])


def let_go(store: Store, target: Target, obj: Object) -> bool:
    """Remove an object that was deleted before, once its last finalizer is gone; whether it was."""
    metadata = obj["metadata"]
    held = "deletionTimestamp" not in metadata or metadata.get("finalizers")
    if held or metadata.get("deletionGracePeriodSeconds") or not target.kind.namespaced:
        return False
    store.remove(target.kind, obj)
    return True


def _grace(request: Request, pod: Object) -> int:
    """Seconds that a pod gets to end; none where no node runs it, or nothing in it runs."""
    if not _is_running(pod):
        return 0
    options = request.json() if request.body else {}
    asked = options.get("gracePeriodSeconds", request.query.get("gracePeriodSeconds"))
    return int(pod["spec"]["terminationGracePeriodSeconds"] if asked is None else asked)


def _ending(store: Store, pod: Object, grace: int, now: str) -> Object:
    """The pod, on its way out; what is under way gets shorter, never longer."""
    metadata = pod["metadata"]
    begun = datetime.strptime(now, _TIME).replace(tzinfo=UTC)
    if "deletionTimestamp" in metadata:
        was = metadata.get("deletionGracePeriodSeconds") or 0
        if grace >= was:
            return pod
        until = datetime.strptime(metadata["deletionTimestamp"], _TIME).replace(tzinfo=UTC)
        begun = until - timedelta(seconds=was)
    own = {
        "deletionTimestamp": (begun + timedelta(seconds=grace)).strftime(_TIME),
        "deletionGracePeriodSeconds": grace,
    }
    return store.put(_POD, {**pod, "metadata": {**metadata, **own}})


def take(store: Store, kind: Kind, obj: Object, now: str) -> None:
    """Delete as a controller does: a pod with the time that it asks for."""
    metadata = obj["metadata"]
    if "deletionTimestamp" in metadata:
        return
    if kind == _POD and _is_running(obj):
        _ending(store, obj, int(obj["spec"]["terminationGracePeriodSeconds"]), now)
    elif metadata.get("finalizers"):
        store.put(kind, {**obj, "metadata": {**metadata, "deletionTimestamp": now}})
    else:
        store.remove(kind, obj)


def _is_running(pod: Object) -> bool:
    return bool(pod["spec"].get("nodeName")) and pod["status"].get("phase") not in _ENDED


def end_pods(store: Store) -> set[str]:
    """Pods with a short grace have ended; in which namespaces. A finalizer keeps what has ended."""
    namespaces = set()
    for pod in store.all(_POD):
        metadata = pod["metadata"]
        grace = metadata.get("deletionGracePeriodSeconds") or 0
        if "deletionTimestamp" not in metadata or grace > SHORT:
            continue
        namespaces.add(metadata["namespace"])
        if not metadata.get("finalizers"):
            store.remove(_POD, pod)
        elif grace:
            ended = {**metadata, "deletionGracePeriodSeconds": 0}
            store.put(_POD, {**pod, "metadata": ended})
    return namespaces


def finish(store: Store, uid: str | None = None) -> None:
    """Let every Terminating namespace go, or the one of this uid, with all that is in it."""
    for namespace in store.all(_NAMESPACE):
        metadata = namespace["metadata"]
        if "deletionTimestamp" not in metadata or uid not in (None, metadata["uid"]):
            continue
        held: list[Object] = []
        for kind in KINDS:
            if kind.namespaced:
                held += _emptied(store, kind, metadata["name"], metadata["deletionTimestamp"])
        finalized = [obj for obj in held if obj["metadata"].get("finalizers")]
        if not held:
            store.remove(_NAMESPACE, namespace)
        elif finalized and not namespace["status"].get("conditions"):
            conditions = [_held_up(finalized, metadata["deletionTimestamp"])]
            status = {**namespace["status"], "conditions": conditions}
            store.put(_NAMESPACE, {**namespace, "status": status})


def _emptied(store: Store, kind: Kind, namespace: str, now: str) -> list[Object]:
    """Delete all objects of a kind; those that a finalizer holds are left, and say that they go."""
    held = []
    for obj in store.all(kind, namespace):
        metadata = obj["metadata"]
        if kind == _POD and (lasts := _lasts(obj)):
            if "deletionTimestamp" not in metadata:
                _ending(store, obj, lasts, now)
            held.append(obj)
        elif metadata.get("finalizers"):
            if "deletionTimestamp" not in metadata:
                store.put(kind, {**obj, "metadata": {**metadata, "deletionTimestamp": now}})
            held.append(obj)
        else:
            store.remove(kind, obj)
    return held


def _lasts(pod: Object) -> int:
    """Seconds that a pod still takes to end; none where they are short."""
    if not _is_running(pod):
        return 0
    metadata, own = pod["metadata"], pod["spec"]["terminationGracePeriodSeconds"]
    grace = metadata["deletionGracePeriodSeconds"] if "deletionTimestamp" in metadata else own
    return int(grace) if grace > SHORT else 0


def _held_up(held: list[Object], since: str) -> Object:
    """What the namespace controller says of a namespace that does not get empty."""
    count = Counter(name for obj in held for name in obj["metadata"]["finalizers"])
    listed = ", ".join(f"{name} in {n} resource instances" for name, n in sorted(count.items()))
    return {
        "type": "NamespaceFinalizersRemaining",
        "status": "True",
        "lastTransitionTime": since,
        "reason": "SomeFinalizersRemain",
        "message": f"Some content in the namespace has finalizers remaining: {listed}",
    }


def _check_preconditions(request: Request, target: Target, found: Object) -> None:
    wanted = (request.json() if request.body else {}).get("preconditions") or {}
    for option, field, word in (
        ("uid", "uid", "UID"),
        ("resourceVersion", "resourceVersion", "ResourceVersion"),
    ):
        has = found["metadata"][field]
        if wanted.get(option) not in (None, has):
            why = (
                f"Precondition failed: {word} in precondition: {wanted[option]}, "
                f"{word} in object meta: {has}"
            )
            raise statuses.conflict(target.kind, target.name, why)
