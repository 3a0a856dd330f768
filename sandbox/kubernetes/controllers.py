"""What the controller manager does, done at once: a namespace's defaults, a quota's status."""

from sandbox.kubernetes import kinds, managed, quota, writing
from sandbox.kubernetes.kinds import Kind, Object
from sandbox.kubernetes.managed import Manager
from sandbox.kubernetes.store import Store

_NAMESPACE = kinds.by_name("Namespace")
_QUOTA = kinds.by_name("ResourceQuota")
_ACCOUNT = kinds.by_name("ServiceAccount")
_CONFIG = kinds.by_name("ConfigMap")
_MANAGER = "kube-controller-manager"
_PUBLISHED: Object = {
    "metadata": {
        "annotations": {
            "kubernetes.io/description": (
                "Contains a CA bundle that can be used to verify the kube-apiserver when using "
                "internal endpoints such as the internal service IP or "
                "kubernetes.default.svc. No other usage is guaranteed across distributions of "
                "Kubernetes clusters."
            )
        }
    },
    "data": {"ca.crt": ""},
}


def settle(store: Store, namespace: str, now: str) -> None:
    """Bring a namespace to where the controllers would have brought it."""
    found = store.get(_NAMESPACE, "", namespace)
    if found is None or "deletionTimestamp" in found["metadata"]:
        return
    _made(store, _ACCOUNT, {"name": "default", "namespace": namespace}, {}, now)
    place = {"name": "kube-root-ca.crt", "namespace": namespace}
    _made(store, _CONFIG, place, _PUBLISHED, now)
    for each in store.all(_QUOTA, namespace):
        _count(store, each, now)


def _made(store: Store, kind: Kind, place: Object, rest: Object, now: str) -> None:
    if store.get(kind, place["namespace"], place["name"]) is not None:
        return
    metadata = {**place, **rest.get("metadata", {})}
    config = {"apiVersion": kind.api_version, "kind": kind.name, **rest, "metadata": metadata}
    store.put(kind, writing.new(kind, config, now, _MANAGER))


def _count(store: Store, found: Object, now: str) -> None:
    status = quota.status(store, found)
    if status == found["status"]:
        return
    manager = Manager(_MANAGER, "Update", "v1", "status")
    after = {**found, "status": status}
    store.put(_QUOTA, managed.updated(found, after, _QUOTA, manager, now))
