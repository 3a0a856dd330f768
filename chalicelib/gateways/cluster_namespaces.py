"""A tenant's namespace: read, and held against who should own it; marked; deleted."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chalicelib.domain import ending
from chalicelib.domain.errors import DomainError, Permanent, Waiting
from chalicelib.domain.tenant import Manifest
from chalicelib.gateways.cluster_objects import PATHS, ClusterObjects, collection
from chalicelib.gateways.cluster_pods import Pods
from chalicelib.gateways.cluster_refusals import is_held_by_finalizers, why_stuck
from chalicelib.gateways.side_by_side import done

NAMESPACES = "/api/v1/namespaces"

LIFTED = (
    "ConfigMap",
    "Secret",
    "Deployment",
    "ReplicaSet",
    "StatefulSet",
    "DaemonSet",
    "CronJob",
    "Job",
    "HorizontalPodAutoscaler",
)
"""Kinds whose finalizers are taken off when a namespace goes: nothing stands outside for them.

Those of a Service, an Ingress or a volume are somebody's who has a load balancer, an address or a
disk to give back first.
"""


@dataclass(frozen=True, slots=True)
class Namespace:
    """As it was found."""

    name: str
    uid: str
    terminating: bool
    held: bool
    stuck_because: str
    annotations: Mapping[str, str]

    @property
    def going(self) -> DomainError:
        """What to raise while it goes."""
        return Waiting(f"namespace {self.name} is Terminating{self.stuck_because}")


class Namespaces:
    """The namespaces of tenants, one at a time."""

    def __init__(self, objects: ClusterObjects) -> None:
        self._objects = objects
        self._pods = Pods(objects)

    def read(self, name: str, owner: Mapping[str, str]) -> Namespace | None:
        """The namespace; None if there is none.

        Raises:
            Permanent: it is not this owner's.
        """
        body = self._objects.at(f"{NAMESPACES}/{name}", f"Namespace {name}")
        if body is None:
            return None
        metadata = body.get("metadata", {})
        labels = metadata.get("labels") or {}
        if any(labels.get(key) != value for key, value in owner.items()):
            raise Permanent(
                f"namespace {name} exists and is not ours: it lacks the labels {dict(owner)}; "
                "remove it or rename it, then nudge the tenant"
            )
        return Namespace(
            name=name,
            uid=str(metadata.get("uid")),
            terminating=ending.is_ending(body),
            held=is_held_by_finalizers(body),
            stuck_because=why_stuck(body),
            annotations=metadata.get("annotations") or {},
        )

    def apply(self, manifest: Manifest) -> None:
        """All that we say of a namespace is ours, whoever has put something else there."""
        self._objects.apply(manifest, force=True)

    def mark(self, found: Namespace, annotations: Mapping[str, str | None]) -> None:
        """Note on it what does not stand there yet."""
        if any(found.annotations.get(name) != value for name, value in annotations.items()):
            patch = {"metadata": {"annotations": dict(annotations)}}
            self._objects.patch(f"{NAMESPACES}/{found.name}", patch, f"Namespace {found.name}")

    def delete(self, found: Namespace) -> DomainError:
        """Delete it, or clear the way of one that goes; what to raise until it is gone."""
        if not found.terminating:
            path = f"{NAMESPACES}/{found.name}"
            self._objects.delete(path, found.uid, f"namespace {found.name}")
        self._pods.end(self._pods.all(found.name))
        if found.held:
            done(lambda kind: self._lift_all(found.name, kind), LIFTED)
        return found.going

    def _lift_all(self, namespace: str, kind: str) -> None:
        for obj in self._listed(namespace, kind):
            name = obj["metadata"]["name"]
            if ending.is_held(obj):
                self._objects.lift(f"{collection(kind, namespace)}/{name}", obj, f"{kind} {name}")

    def _listed(self, namespace: str, kind: str) -> list[Mapping[str, Any]]:
        try:
            return self._objects.all(kind, namespace)
        except Permanent:
            return []  # nobody has to let us read ConfigMaps and Secrets


def named(name: str, kind: str, namespace: str) -> Manifest:
    """What stands for an object where only its place matters."""
    version = PATHS[kind][0].removeprefix("/apis/").removeprefix("/api/")
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": version, "kind": kind, "metadata": metadata}
