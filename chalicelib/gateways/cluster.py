"""Kubernetes: raw server-side apply on the official client's transport; no discovery, no types."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from chalicelib.domain.drift import differences
from chalicelib.domain.errors import DomainError, Permanent, Temporary, Waiting
from chalicelib.domain.labels import MANAGED_BY, Labels
from chalicelib.domain.tenant import Manifest, TenantNamespace
from chalicelib.gateways.cluster_objects import ClusterObjects
from chalicelib.gateways.cluster_refusals import why_stuck, worst
from chalicelib.gateways.kubernetes_http import KubernetesHttp

WORKERS = 12
"""Requests at once, after the namespace: all of a tenant's own objects in one round trip."""

ISOLATING = frozenset({"ResourceQuota", "LimitRange", "NetworkPolicy", "Role", "RoleBinding"})
"""Kinds whose fields are taken back by force: they are what keeps a tenant to itself."""

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
        self._labels = labels
        self._isolating = tuple(
            f".metadata.labels.{label}"
            for label in ("pod-security.kubernetes.io/", MANAGED_BY, labels.tenant)
        )

    def apply(self, manifests: Sequence[Manifest], owner: Mapping[str, str]) -> None:
        """Make the objects be as given: one GET, then one request per object."""
        found = self._namespace(manifests[0], owner)
        self._apply_onto(found, manifests)

    def suspend(self, manifests: Sequence[Manifest], owner: Mapping[str, str]) -> bool:
        """Apply; False when the namespace is not there, since nothing is made to be suspended."""
        found = self._namespace(manifests[0], owner)
        if found is None:
            return False
        self._apply_onto(found, manifests)
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
        raise Waiting(f"namespace {namespace} is Terminating{found.stuck_because}")

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

    def _apply_onto(self, found: _Namespace | None, manifests: Sequence[Manifest]) -> None:
        namespace, *rest = manifests
        if found and found.terminating:
            name = namespace["metadata"]["name"]
            raise Waiting(f"namespace {name} is Terminating{found.stuck_because}")
        self._apply_one(namespace)
        if failure := worst(self._side_by_side(self._apply_one, rest)):
            raise failure

    def _apply_one(self, manifest: Manifest) -> None:
        if manifest["kind"] == "Namespace":
            self._objects.apply_unless_others(manifest, self._isolating)
        else:
            self._objects.apply(manifest, force=manifest["kind"] in ISOLATING)

    def _side_by_side(
        self, action: Callable[[Any], None], subjects: Iterable[Any]
    ) -> list[DomainError]:
        """Every subject gets its try; what failed is weighed when all are done."""
        with ThreadPoolExecutor(max_workers=WORKERS) as pool:
            return [e for e in pool.map(_caught(action), subjects) if e]

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


def _named(namespace: str) -> Manifest:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}


def _caught(action: Callable[[Any], None]) -> Callable[[Any], DomainError | None]:
    def attempt(subject: Any) -> DomainError | None:  # noqa: ANN401 - whatever the action takes
        try:
            action(subject)
        except (Temporary, Permanent, Waiting) as e:
            return e
        return None

    return attempt
