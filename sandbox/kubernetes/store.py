"""What is stored, and what happened to it lately: the place of etcd.

Objects are never changed in place: whoever changes one puts a new one.
"""

from collections import deque
from dataclasses import dataclass
from threading import Condition, RLock

from sandbox.kubernetes import statuses
from sandbox.kubernetes.kinds import Kind, Object

_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that happened to one object."""

    version: int
    kind: Kind
    before: Object | None
    """None: it was made."""
    after: Object | None
    """None: it is gone."""


def _place_of(obj: Object) -> tuple[str, str]:
    """Namespace (empty if it has none) and name."""
    metadata = obj["metadata"]
    return metadata.get("namespace", ""), metadata["name"]


class Store:
    """Objects by kind, namespace and name, under one lock and one counter of versions."""

    def __init__(self) -> None:
        self.lock = RLock()
        self.changed = Condition(self.lock)
        self.version = 0
        self._objects: dict[Kind, dict[str, dict[str, Object]]] = {}
        self._changes: deque[Change] = deque(maxlen=_REMEMBERED)

    def get(self, kind: Kind, namespace: str, name: str) -> Object | None:
        """The object, if it is there."""
        return self._objects.get(kind, {}).get(namespace, {}).get(name)

    def all(self, kind: Kind, namespace: str | None = None) -> list[Object]:
        """The objects of a kind, in a namespace or everywhere, by namespace and name."""
        found = self._objects.get(kind, {})
        spaces = sorted(found) if namespace is None else [namespace]
        return [obj for space in spaces for _, obj in sorted(found.get(space, {}).items())]

    def put(self, kind: Kind, obj: Object) -> Object:
        """Store an object, new or changed; answers it with its new resourceVersion."""
        namespace, name = _place_of(obj)
        objects = self._objects.setdefault(kind, {}).setdefault(namespace, {})
        before, stored = objects.get(name), self._stamped(obj)
        objects[name] = stored
        self._remember(Change(self.version, kind, before, stored))
        return stored

    def remove(self, kind: Kind, obj: Object) -> None:
        """Forget an object."""
        namespace, name = _place_of(obj)
        last = self._stamped(self._objects[kind][namespace].pop(name))
        self._remember(Change(self.version, kind, last, None))

    def since(self, version: int, kind: Kind) -> list[Change]:
        """What happened to objects of a kind after this version.

        Raises:
            Refusal: 410, that is too long ago to be remembered.
        """
        if self._changes and version < self._changes[0].version - 1:
            raise statuses.gone(f"too old resource version: {version} ({self._changes[0].version})")
        return [each for each in self._changes if each.version > version and each.kind == kind]

    def _stamped(self, obj: Object) -> Object:
        self.version += 1
        metadata = {**obj["metadata"], "resourceVersion": str(self.version)}
        return {**obj, "metadata": metadata}

    def _remember(self, change: Change) -> None:
        self._changes.append(change)
        self.changed.notify_all()
