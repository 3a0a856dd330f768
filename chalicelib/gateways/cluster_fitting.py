"""What uses more than its plan has: measured, made smaller, and given back when there is room."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from chalicelib.domain import ending, making_room
from chalicelib.domain.errors import Changed, Permanent, Waiting
from chalicelib.domain.fitting import Over, over
from chalicelib.domain.labels import Labels
from chalicelib.domain.making_room import Step
from chalicelib.domain.tenant import Manifest
from chalicelib.gateways.cluster_namespaces import Namespace, Namespaces
from chalicelib.gateways.cluster_objects import ClusterObjects, collection
from chalicelib.gateways.cluster_pods import Pods
from chalicelib.gateways.side_by_side import done, raise_worst, tried

_NAMED = 5
"""Objects to name in a message; the rest is counted."""


class Fitting:
    """The size of what runs in one namespace at a time."""

    def __init__(self, objects: ClusterObjects, labels: Labels) -> None:
        self._objects = objects
        self._namespaces = Namespaces(objects)
        self._pods = Pods(objects)
        self._labels = labels

    def overuse(self, namespace: str, owner: Mapping[str, str]) -> tuple[Over, ...]:
        """What the quota says is used beyond it."""
        quota = self._quota(namespace)
        if quota is None:
            return ()
        labels = quota["metadata"].get("labels") or {}
        if any(labels.get(key) != value for key, value in owner.items()):
            raise Permanent(f"the quota in namespace {namespace} is not ours: it is not looked at")
        return over(_hard(quota), _used(quota))

    def fit(self, found: Namespace) -> tuple[Over, ...]:
        """Make smaller what does not fit; what is left is not of pods.

        Raises:
            Waiting: something was made smaller, or is on its way out.
        """
        quota = self._quota(found.name)
        if quota is None:
            return ()
        too_much = over(_hard(quota), _used(quota))
        suspended = found.annotations.get(self._labels.suspended) == "true"
        if suspended or not any(each.is_of_pods for each in too_much):
            return too_much  # suspended, whatever is still counted is on its way out
        self._namespaces.mark(found, {self._labels.fitted: "true"})
        standing = self._objects.of(found.name, making_room.LOOKED_AT)
        steps = making_room.to_fit(standing, _hard(quota), self._labels)
        self._take(steps)
        going = [obj for kind, obj in standing if kind == "Pod" and ending.is_ending(obj)]
        self._pods.end(going)
        if steps:
            raise Waiting(f"{found.name}: made smaller to fit its plan: {_listed(steps)}")
        if going:
            raise Waiting(f"{found.name}: {ending.still_there(going)}")
        raise Waiting(f"{found.name}: all fits, and its quota has not been counted since")

    def give_back(self, found: Namespace, manifests: Sequence[Manifest]) -> None:
        """Give the sizes back that a plan has room for; the mark goes with the last of them."""
        quota, limit_range = (_one(manifests, kind) for kind in ("ResourceQuota", "LimitRange"))
        standing = self._objects.of(found.name, making_room.LOOKED_AT)
        steps, whole = making_room.to_give_back(standing, _hard(quota), limit_range, self._labels)
        done(self._do, steps)
        if whole:
            self._namespaces.mark(found, {self._labels.fitted: None})

    def _take(self, steps: Iterable[Step]) -> None:
        """What changed since it was looked at is looked at again: it is waited for in any case."""
        failures = tried(self._do, steps)
        raise_worst([each for each in failures if not isinstance(each, Changed)])

    def _do(self, step: Step) -> None:
        metadata = step.obj["metadata"]
        path = f"{collection(step.kind, metadata['namespace'])}/{metadata['name']}"
        if step.patch is None:
            self._objects.delete(path, metadata["uid"], step.name)
        else:
            self._objects.patch(path, step.patch, step.name)

    def _quota(self, namespace: str) -> Mapping[str, Any] | None:
        return self._objects.at(f"{collection('ResourceQuota', namespace)}/plan", "quota")


def _hard(quota: Mapping[str, Any]) -> Mapping[str, str]:
    """As it is written: its status follows, and is what was used to be paid for until it has."""
    return (quota.get("spec") or {}).get("hard") or {}


def _used(quota: Mapping[str, Any]) -> Mapping[str, str]:
    return (quota.get("status") or {}).get("used") or {}


def _one(manifests: Sequence[Manifest], kind: str) -> Manifest:
    return next((each for each in manifests if each["kind"] == kind), {})


def _listed(steps: Sequence[Step]) -> str:
    names = [step.name for step in steps]
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
