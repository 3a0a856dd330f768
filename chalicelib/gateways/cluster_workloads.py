"""What runs in a tenant: stopped when it is suspended, started as it was when that is over."""

from collections.abc import Callable, Mapping
from typing import Any

from chalicelib.domain import ending, workloads
from chalicelib.domain.errors import Changed, Waiting
from chalicelib.domain.labels import Labels
from chalicelib.gateways.cluster_objects import ClusterObjects, collection
from chalicelib.gateways.cluster_pods import Pods
from chalicelib.gateways.side_by_side import done

Object = Mapping[str, Any]
Change = Callable[[str, Object, Labels], Object | None]

LOOKS = 3
"""A patch holds for the version that was looked at; a rollout under way may change it meanwhile."""


class Workloads:
    """The workloads of one namespace at a time."""

    def __init__(self, objects: ClusterObjects, labels: Labels) -> None:
        self._objects = objects
        self._labels = labels
        self._pods = Pods(objects)

    def stop(self, namespace: str) -> None:
        """Bring every workload to zero, and delete the Jobs and every pod there is.

        Raises:
            Waiting: pods are still there, or could still come in.
        """
        self.patch_all(namespace, workloads.to_stop)
        done(self._end, self._objects.all("Job", namespace))
        quota = self._objects.at(f"{collection('ResourceQuota', namespace)}/plan", "quota")
        self._pods.end_all(namespace)
        if not ending.admits_no_pod(quota):
            raise Waiting(f"{namespace}: the quota of no pods was set and does not hold yet")

    def resume(self, namespace: str) -> None:
        """Give back what `stop` took; what it did not stop stays as it is."""
        self.patch_all(namespace, workloads.to_resume)

    def patch_all(self, namespace: str, change: Change) -> None:
        """Patch every workload that is to change.

        Raises:
            Changed: one never held still; every other was patched.
        """
        for look in range(1, LOOKS + 1):
            found = self._objects.of(namespace, workloads.STOPPABLE)
            changes = [
                (kind, obj, patch)
                for kind, obj in workloads.with_a_size_of_their_own(found)
                if (patch := change(kind, obj, self._labels)) is not None
            ]
            try:
                done(self._patch, changes)
            except Changed:
                if look == LOOKS:
                    raise
            else:
                return

    def _patch(self, change: tuple[str, Object, Object]) -> None:
        kind, found, patch = change
        self._objects.patch(_path(kind, found), patch, f"{kind} {found['metadata']['name']}")

    def _end(self, job: Object) -> None:
        path, what = _path("Job", job), f"Job {job['metadata']['name']}"
        if not ending.is_ending(job):
            self._objects.delete(path, job["metadata"]["uid"], what)
        if job["metadata"].get("finalizers"):
            self._objects.lift(path, job, what)


def _path(kind: str, found: Object) -> str:
    metadata = found["metadata"]
    return f"{collection(kind, metadata['namespace'])}/{metadata['name']}"
