"""DELETE: at once for most kinds; a namespace is Terminating first, and takes its objects along."""

from collections import Counter

from sandbox.kubernetes import kinds, statuses
from sandbox.kubernetes.kinds import KINDS, Kind, Object
from sandbox.kubernetes.requests import Request, Target
from sandbox.kubernetes.store import Store

PROTECTED = ("default", "kube-public", "kube-system")
_NAMESPACE = kinds.by_name("Namespace")


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
    kind, name = target.kind, target.name
    if kind == _NAMESPACE:
        if "deletionTimestamp" in found["metadata"]:
            return found, False
        metadata = {**found["metadata"], "deletionTimestamp": now}
        dying = {**found, "metadata": metadata, "status": {"phase": "Terminating"}}
        return (dying, False) if request.dry_run else (store.put(kind, dying), True)
    if found["metadata"].get("finalizers"):
        if "deletionTimestamp" in found["metadata"] or request.dry_run:
            return found, False
        metadata = {**found["metadata"], "deletionTimestamp": now}
        return store.put(kind, {**found, "metadata": metadata}), False
    if not request.dry_run:
        store.remove(kind, found)
    if kind.returned_when_deleted:
        return found, False
    return statuses.success(kind, name, found["metadata"]["uid"]), False


def let_go(store: Store, target: Target, obj: Object) -> bool:
    """Remove an object that was deleted before, once its last finalizer is gone; whether it was."""
    metadata = obj["metadata"]
    held = "deletionTimestamp" not in metadata or metadata.get("finalizers")
    if held or not target.kind.namespaced:
        return False
    store.remove(target.kind, obj)
    return True


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
        if not held:
            store.remove(_NAMESPACE, namespace)
        elif not namespace["status"].get("conditions"):
            conditions = [_held_up(held, metadata["deletionTimestamp"])]
            status = {**namespace["status"], "conditions": conditions}
            store.put(_NAMESPACE, {**namespace, "status": status})


def _emptied(store: Store, kind: Kind, namespace: str, now: str) -> list[Object]:
    """Delete all objects of a kind; those that a finalizer holds are left, and say that they go."""
    held = []
    for obj in store.all(kind, namespace):
        metadata = obj["metadata"]
        if metadata.get("finalizers"):
            if "deletionTimestamp" not in metadata:
                store.put(kind, {**obj, "metadata": {**metadata, "deletionTimestamp": now}})
            held.append(obj)
        else:
            store.remove(kind, obj)
    return held


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
