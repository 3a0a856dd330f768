"""Storage classes: a claim without one gets the default class, as the API server gives it."""

from sandbox.kubernetes import kinds
from sandbox.kubernetes.kinds import Object
from sandbox.kubernetes.store import Store

_CLASS = kinds.by_name("StorageClass")
_DEFAULT = "storageclass.kubernetes.io/is-default-class"


def classed(store: Store, claim: Object) -> Object:
    """The claim with its class; where no class is the default, as it is."""
    spec = claim.get("spec") or {}
    if spec.get("storageClassName") is not None:
        return claim
    for each in store.all(_CLASS):
        if (each["metadata"].get("annotations") or {}).get(_DEFAULT) == "true":
            return {**claim, "spec": {**spec, "storageClassName": each["metadata"]["name"]}}
    return claim
