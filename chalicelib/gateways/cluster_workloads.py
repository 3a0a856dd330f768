"""What runs in a tenant: stopped when it is suspended, started as it was when that is over."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from chalicelib.domain import workloads
from chalicelib.domain.errors import Changed
from chalicelib.domain.labels import Labels
from chalicelib.gateways.cluster_objects import ClusterObjects, collection
from chalicelib.gateways.side_by_side import done

Object = Mapping[str, Any]
_Found = tuple[str, Object]
"""A kind and an object of it: items of a list do not name theirs."""

LOOKS = 3
"""A patch holds for the version that was looked at; a rollout under way may change it meanwhile."""


class Workloads:
    """The workloads of one namespace at a time."""

    def __init__(self, objects: ClusterObjects, labels: Labels) -> None:
        self._objects = objects
        self._labels = labels

    def stop(self, namespace: str) -> None:
        """Bring every controller to zero; then delete bare pods and Jobs, which have no size."""
        self._patch_all(namespace, workloads.to_stop)
        ended = [
            (kind, found)
            for kind, found in self._of(namespace, workloads.ENDED)
            if not (kind == "Pod" and workloads.is_controlled(found))
            and "deletionTimestamp" not in found["metadata"]
        ]
        done(self._delete, ended)

    def resume(self, namespace: str) -> None:
        """Give back what `stop` took; what it did not stop stays as it is."""
        self._patch_all(namespace, workloads.to_resume)

    def _patch_all(
        self, namespace: str, change: Callable[[str, Object, Labels], Object | None]
    ) -> None:
        for look in range(1, LOOKS + 1):
            changes = [
                (kind, found, patch)
                for kind, found in self._of(namespace, workloads.STOPPABLE)
                if (patch := change(kind, found, self._labels)) is not None
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

    def _delete(self, subject: _Found) -> None:
        kind, found = subject
        what = f"{kind} {found['metadata']['name']}"
        self._objects.delete(_path(kind, found), found["metadata"]["uid"], what)

    def _of(self, namespace: str, kinds: tuple[str, ...]) -> Iterator[_Found]:
        lists: dict[str, list[Object]] = {}

        def look(kind: str) -> None:
            pages = self._objects.pages(collection(kind, namespace))
            lists[kind] = [found for page in pages for found in page]

        done(look, kinds)
        return ((kind, found) for kind in kinds for found in lists[kind])


def _path(kind: str, found: Object) -> str:
    metadata = found["metadata"]
    return f"{collection(kind, metadata['namespace'])}/{metadata['name']}"
