"""DELETE: at once for most kinds; a namespace is Terminating first, and takes its objects along."""

from sandbox.kubernetes import kinds, statuses
from sandbox.kubernetes.kinds import KINDS, Object
from sandbox.kubernetes.requests import Request, Target
from sandbox.kubernetes.store import Store

PROTECTED = ("default", "kube-public", "kube-system")
_NAMESPACE = kinds.by_name("Namespace")


def delete(
    store: Store, request: Request, target: Target, found: Object, now: str
) -> tuple[Object, bool]:
    """What to answer, and whether there is something left to finish later.

    Raises:
        Refusal: 409 for a precondition that does not hold, 403 for a protected namespace.
    """
    kind, name = target.kind, target.name
    _check_preconditions(request, target, found)
    if kind == _NAMESPACE:
        if name in PROTECTED:
            raise statuses.forbidden(kind, name, "this namespace may not be deleted")
        if "deletionTimestamp" in found["metadata"]:
            return found, False
        metadata = {**found["metadata"], "deletionTimestamp": now}
        dying = {**found, "metadata": metadata, "status": {"phase": "Terminating"}}
        return (dying, False) if request.dry_run else (store.put(kind, dying), True)
    if not request.dry_run:
        store.remove(kind, found)
    if kind.returned_when_deleted:
        return found, False
    return statuses.success(kind, name, found["metadata"]["uid"]), False


def finish(store: Store, uid: str | None = None) -> None:
    """Let every Terminating namespace go, or the one of this uid, with all that is in it."""
    for namespace in store.all(_NAMESPACE):
        metadata = namespace["metadata"]
        if "deletionTimestamp" not in metadata or uid not in (None, metadata["uid"]):
            continue
        for kind in KINDS:
            if kind.namespaced:
                for obj in store.all(kind, metadata["name"]):
                    store.remove(kind, obj)
        store.remove(_NAMESPACE, namespace)


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
