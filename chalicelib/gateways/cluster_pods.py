"""Pods, ended whoever owns them: what a pod names as its owner is the tenant's to write."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from chalicelib.domain import ending
from chalicelib.domain.errors import Changed, Waiting
from chalicelib.gateways.cluster_objects import ClusterObjects, collection
from chalicelib.gateways.side_by_side import done

Object = Mapping[str, Any]


class Pods:
    """The pods of one namespace at a time."""

    def __init__(self, objects: ClusterObjects) -> None:
        self._objects = objects

    def all(self, namespace: str) -> list[Object]:
        """As they stand."""
        return self._objects.all("Pod", namespace)

    def end(self, pods: Sequence[Object]) -> None:
        """Have these end within our grace, and lift what holds those that do."""
        done(self._delete, filter(ending.must_be_deleted, pods))
        done(self._lift, filter(ending.is_held, pods))

    def end_all(self, namespace: str) -> None:
        """End every pod.

        Raises:
            Waiting: some are still there.
        """
        found = self.all(namespace)
        if not found:
            return
        self.end(found)
        if left := self.all(namespace):
            done(self._lift, filter(ending.is_held, left))
            raise Waiting(f"{namespace}: {ending.still_there(left)}")

    def _delete(self, pod: Object) -> None:
        # One that took its name meanwhile is another pod, which the next look finds.
        with suppress(Changed):
            self._objects.delete(_path(pod), pod["metadata"]["uid"], _named(pod))

    def _lift(self, pod: Object) -> None:
        self._objects.lift(_path(pod), pod, _named(pod))


def _path(pod: Object) -> str:
    metadata = pod["metadata"]
    return f"{collection('Pod', metadata['namespace'])}/{metadata['name']}"


def _named(pod: Object) -> str:
    return f"Pod {pod['metadata']['name']}"
