"""Kubernetes: server-side apply of plain objects; no discovery, no types."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from chalicelib.domain import inventory
from chalicelib.domain.drift import differences
from chalicelib.domain.errors import DomainError, Permanent, Waiting
from chalicelib.domain.labels import MANAGED_BY, Labels
from chalicelib.domain.tenant import Manifest, TenantNamespace
from chalicelib.domain.workloads import SIZES, STOPPABLE
from chalicelib.gateways.cluster_objects import PATHS, ClusterObjects, collection
from chalicelib.gateways.cluster_refusals import why_stuck
from chalicelib.gateways.cluster_workloads import Workloads
from chalicelib.gateways.kubernetes_http import KubernetesHttp
from chalicelib.gateways.side_by_side import WORKERS, done, raise_worst, tried

ISOLATING = frozenset({"ResourceQuota", "LimitRange", "NetworkPolicy", "Role", "RoleBinding"})
"""Kinds whose fields are taken back by force: they are what keeps a tenant to itself."""

FIRST = ISOLATING | {"ServiceAccount"}
"""Kinds that stand before anything of a template's: nothing runs unbounded, not for a moment."""

_NAMESPACES = "/api/v1/namespaces"


@dataclass(frozen=True, slots=True)
class _Namespace:
    uid: str
    terminating: bool
    stuck_because: str
    annotations: Mapping[str, str]


class KubernetesCluster:
    """Fits `chalicelib.ports.Cluster`."""

    def __init__(self, http: KubernetesHttp, labels: Labels) -> None:
        self._objects = ClusterObjects(http, field_manager=labels.app)
        self._workloads = Workloads(self._objects, labels)
        self._labels = labels
        self._isolating = tuple(
            f".metadata.labels.{label}"
            for label in ("pod-security.kubernetes.io/", MANAGED_BY, labels.tenant)
        )

    def apply(self, manifests: Sequence[Manifest], owner: Mapping[str, str]) -> None:
        """Make the objects be as given: one GET, then one request per object.

        More only where there is more to do: who was suspended is resumed, what leaves is pruned.
        """
        found = self._namespace(manifests[0], owner)
        was_suspended = found and found.annotations.get(self._labels.suspended) == "true"
        begun, first, then = self._begin(found, manifests)
        done(self._apply_one, first)
        done(self._apply_resumed if was_suspended else self._apply_one, then)
        if was_suspended:
            self._workloads.resume(str(begun["metadata"]["name"]))
        self._finish(found, begun, manifests[0])

    def suspend(self, manifests: Sequence[Manifest], owner: Mapping[str, str]) -> bool:
        """Apply, the quota first, then stop what runs; an object that fails holds up neither.

        False when the namespace is not there, since nothing is made to be suspended.
        """
        found = self._namespace(manifests[0], owner)
        if found is None:
            return False
        begun, first, then = self._begin(found, manifests)
        done(self._apply_one, (each for each in first if each["kind"] == "ResourceQuota"))
        rest = [each for each in first if each["kind"] != "ResourceQuota"]
        failures = [*tried(self._apply_one, rest), *tried(self._apply_stopped, then)]
        self._workloads.stop(str(begun["metadata"]["name"]))
        raise_worst(failures)
        self._finish(found, begun, manifests[0])
        return True

    def stands(self, namespace: str, owner: Mapping[str, str]) -> bool:
        """Whether the namespace is there."""
        return self._namespace(_named(namespace), owner) is not None

    def delete(self, namespace: str, owner: Mapping[str, str]) -> None:
        """Delete the namespace that was looked at and no other; returns when it is gone."""
        found = self._namespace(_named(namespace), owner)
        if found is None:
            return
        if not found.terminating:
            path = f"{_NAMESPACES}/{namespace}"
            self._objects.delete(path, found.uid, f"namespace {namespace}")
        raise _terminating(namespace, found)

    def namespaces(self) -> Iterator[TenantNamespace]:
        """Every namespace of ours, by label, page by page."""
        for page in self._objects.pages(_NAMESPACES, self._labels.selector):
            for item in page:
                yield self._as_found(item["metadata"])

    def drift(self, manifests: Sequence[Manifest], owner: Mapping[str, str]) -> list[str]:
        """What is missing or not as given, one text each."""
        if self._namespace(manifests[0], owner) is None:
            return [f"Namespace {manifests[0]['metadata']['name']} is missing"]
        with ThreadPoolExecutor(max_workers=WORKERS) as pool:
            found = list(pool.map(self._objects.read, manifests))
        pairs = zip(manifests, found, strict=True)
        return [line for wanted, stands in pairs for line in differences(wanted, stands)]

    def _begin(
        self, found: _Namespace | None, manifests: Sequence[Manifest]
    ) -> tuple[Manifest, list[Manifest], list[Manifest]]:
        """Apply the namespace; what comes first and what then."""
        namespace, *rest = manifests
        if found and found.terminating:
            raise _terminating(namespace["metadata"]["name"], found)
        if found:
            namespace = inventory.until_done(namespace, found.annotations, self._labels)
        self._apply_namespace(namespace)
        first = [each for each in rest if each["kind"] in FIRST]
        return namespace, first, [each for each in rest if each["kind"] not in FIRST]

    def _finish(self, found: _Namespace | None, begun: Manifest, wanted: Manifest) -> None:
        """Prune what has left, and only then say on the namespace that all is as wanted."""
        if found is None or begun == wanted:
            return
        name = str(wanted["metadata"]["name"])
        left = inventory.leaving(wanted, found.annotations, self._labels)
        done(self._prune, [_named(each, kind, name) for kind, each in left if kind in PATHS])
        self._apply_namespace(wanted)

    def _apply_namespace(self, manifest: Manifest) -> None:
        self._objects.apply_taking(manifest, self._isolating)

    def _apply_one(self, manifest: Manifest) -> None:
        self._objects.apply(manifest, force=manifest["kind"] in ISOLATING)

    def _apply_resumed(self, manifest: Manifest) -> None:
        """The sizes of a suspended tenant are ours, also where a patch has set them to zero."""
        self._objects.apply_taking(manifest, SIZES)

    def _apply_stopped(self, manifest: Manifest) -> None:
        """That a suspended tenant runs nothing is not up to whoever has scaled it meanwhile."""
        self._objects.apply(manifest, force=manifest["kind"] in STOPPABLE)

    def _prune(self, gone: Manifest) -> None:
        found = self._objects.read(gone)
        if found is None:
            return
        metadata = found["metadata"]
        if (metadata.get("labels") or {}).get(MANAGED_BY) != self._labels.app:
            return  # somebody's own by now
        kind, name = gone["kind"], metadata["name"]
        path = f"{collection(kind, metadata['namespace'])}/{name}"
        self._objects.delete(path, metadata["uid"], f"{kind} {name}")

    def _namespace(self, wanted: Manifest, owner: Mapping[str, str]) -> _Namespace | None:
        body = self._objects.read(wanted)
        if body is None:
            return None
        metadata = body.get("metadata", {})
        labels = metadata.get("labels") or {}
        if any(labels.get(key) != value for key, value in owner.items()):
            raise Permanent(
                f"namespace {wanted['metadata']['name']} exists and is not ours: it lacks the "
                f"labels {dict(owner)}; remove it or rename it, then nudge the tenant"
            )
        return _Namespace(
            uid=str(metadata.get("uid")),
            terminating="deletionTimestamp" in metadata,
            stuck_because=why_stuck(body),
            annotations=metadata.get("annotations") or {},
        )

    def _as_found(self, metadata: Mapping[str, Any]) -> TenantNamespace:
        labels, annotations = metadata.get("labels") or {}, metadata.get("annotations") or {}
        return TenantNamespace(
            name=str(metadata["name"]),
            tenant_id=labels.get(self._labels.tenant, ""),
            plan_id=labels.get(self._labels.plan, ""),
            suspended=annotations.get(self._labels.suspended) == "true",
            terminating="deletionTimestamp" in metadata,
        )


def _named(name: str, kind: str = "Namespace", namespace: str = "") -> Manifest:
    version = PATHS[kind][0].removeprefix("/apis/").removeprefix("/api/") if namespace else "v1"
    place = {"namespace": namespace} if namespace else {}
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, **place}}


def _terminating(name: str, found: _Namespace) -> DomainError:
    return Waiting(f"namespace {name} is Terminating{found.stuck_because}")
