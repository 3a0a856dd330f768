"""The Priority plugin: a pod's priority by its class; there are no classes but the system's own."""

from sandbox.kubernetes import kinds, statuses
from sandbox.kubernetes.kinds import Object

_POD = kinds.by_name("Pod")
_CLASSES = {"": 0, "system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}


def ranked(pod: Object) -> Object:
    """The pod with its priority.

    Raises:
        Refusal: 403 for a class that is not there, or a number that is not the class's.
    """
    spec, name = pod["spec"], pod["metadata"]["name"]
    wanted = spec.get("priorityClassName") or ""
    if wanted not in _CLASSES:
        raise statuses.forbidden(_POD, name, f"no PriorityClass with name {wanted} was found")
    priority = _CLASSES[wanted]
    if spec.get("priority") not in (None, priority):
        why = (
            f"the integer value of priority ({spec['priority']}) must not be provided in pod spec; "
            f"priority admission controller computed {priority} from the given PriorityClass name"
        )
        raise statuses.forbidden(_POD, name, why)
    return {**pod, "spec": {**spec, "priority": priority}}
