"""Kubernetes: server-side apply of plain objects; no discovery, no types."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from chalicelib.domain import inventory, workloads
from chalicelib.domain.drift import differences
from chalicelib.domain.errors import Waiting
from chalicelib.domain.fitting import Over
from chalicelib.domain.labels import MANAGED_BY, Labels
from chalicelib.domain.tenant import Manifest, TenantNamespace
from chalicelib.gateways.cluster_fitting import Fitting
from chalicelib.gateways.cluster_namespaces import NAMESPACES, Namespace, Namespaces, named
from chalicelib.gateways.cluster_objects import PATHS, ClusterObjects, collection
from chalicelib.gateways.cluster_refusals import OthersFields
from chalicelib.gateways.cluster_workloads import Workloads
from chalicelib.gateways.kubernetes_http import KubernetesHttp
from chalicelib.gateways.side_by_side import WORKERS, done, raise_worst, tried

ISOLATING = frozenset({"ResourceQuota", "LimitRange", "NetworkPolicy", "Role", "RoleBinding"})
"""Kinds whose fields are taken back by force: they are what keeps a tenant to itself."""

FIRST = ISOLATING | {"ServiceAccount"}
"""Kinds that stand before anything of a template's: nothing runs unbounded, not for a moment."""

_NO_PODS = {"spec": {"hard": {"pods": "0"}}}


class KubernetesCluster:
    """Fits `chalicelib.ports.Cluster`."""

    def __init__(self, http: KubernetesHttp, labels: Labels) -> None:
        self._objects = ClusterObjects(http, field_manager=labels.app)
        self._namespaces = Namespaces(self._objects)
        self._workloads = Workloads(self._objects, labels)
        self._fitting = Fitting(self._objects, labels)
        self._labels = labels

    def apply(self, manifests: Sequence[Manifest], owner: Mapping[str, str]) -> None:
        """Make the objects be as given: one GET, then one request per object.

        More only where there is more to do: who was suspended is resumed, what was made smaller
        gets back what there is room for, what leaves is pruned.
        """
        found = self._found(manifests[0], owner)
        was_suspended = found and found.annotations.get(self._labels.suspended) == "true"
        begun, first, then = self._begin(found, manifests)
        done(self._apply_one, first)
        done(self._apply_resumed if was_suspended else self._apply_one, then)
        if was_suspended:
            self._workloads.resume(str(begun["metadata"]["name"]))
        if found and found.annotations.get(self._labels.fitted) == "true":
            self._fitting.give_back(found, manifests)
        self._finish(found, begun, manifests[0])

    def suspend(self, manifests: Sequence[Manifest], owner: Mapping[str, str]) -> bool:
        """Apply, the quota first, then stop what runs; an object that fails holds up neither.

        What others have set stays theirs, but for what bounds and what runs: nobody's mark on an
        object keeps a tenant running.

        Returns:
            False when the namespace is not there, since nothing is made to be suspended.

        Raises:
            Waiting: pods are still ending; suspended is who has none.
        """
        found = self._found(manifests[0], owner)
        if found is None:
            return False
        begun, first, then = self._begin(found, manifests)
        done(self._apply_one, (each for each in first if each["kind"] == "ResourceQuota"))
        rest = [each for each in first if each["kind"] != "ResourceQuota"]
        failures = [*tried(self._apply_one, rest), *tried(self._apply_stopped, then)]
        self._workloads.stop(found.name)
        raise_worst([each for each in failures if not isinstance(each, OthersFields)])
        self._finish(found, begun, manifests[0])
        return True

    def stop(self, namespace: str, owner: Mapping[str, str]) -> bool:
        """Suspend with what stands: no plan is needed to take away.

        Returns:
            False when the namespace is not there.

        Raises:
            Waiting: pods are still ending; suspended is who has none.
        """
        found = self._namespaces.read(namespace, owner)
        if found is None:
            return False
        if found.terminating:
            raise found.going
        self._namespaces.mark(found, {self._labels.suspended: "true"})
        self._admit_no_pods(namespace, owner)
        self._workloads.stop(namespace)
        return True

    def overuse(self, namespace: str, owner: Mapping[str, str]) -> tuple[Over, ...]:
        """What is used beyond the plan's quota: one GET."""
        return self._fitting.overuse(namespace, owner)

    def fit(self, namespace: str, owner: Mapping[str, str]) -> tuple[Over, ...]:
        """Make what runs smaller until it fits; sizes are remembered.

        Returns:
            What is still too much: volumes and counts of objects, which nobody deletes for them.

        Raises:
            Waiting: something was made smaller, and pods are still ending.
        """
        found = self._namespaces.read(namespace, owner)
        if found is None or found.terminating:
            return ()
        return self._fitting.fit(found)

    def stands(self, namespace: str, owner: Mapping[str, str]) -> bool:
        """Whether the namespace is there."""
        return self._namespaces.read(namespace, owner) is not None

    def delete(self, namespace: str, owner: Mapping[str, str]) -> None:
        """Delete the namespace that was looked at and no other; returns when it is gone."""
        found = self._namespaces.read(namespace, owner)
        if found is not None:
            raise self._namespaces.delete(found)

    def namespaces(self) -> Iterator[TenantNamespace]:
        """Every namespace of ours, by label, page by page."""
        for page in self._objects.pages(NAMESPACES, self._labels.selector):
            for item in page:
                yield self._as_found(item["metadata"])

    def drift(self, manifests: Sequence[Manifest], owner: Mapping[str, str]) -> list[str]:
        """What is missing or not as given, one text each."""
        namespace = self._found(manifests[0], owner)
        if namespace is None:
            return [f"Namespace {manifests[0]['metadata']['name']} is missing"]
        if namespace.terminating:
            return [str(namespace.going)]
        try:
            with ThreadPoolExecutor(max_workers=WORKERS) as pool:
                found = list(pool.map(self._objects.read, manifests))
        except Waiting as e:
            return [str(e)]  # it began to go meanwhile: that is this tenant's alone
        pairs = zip(manifests, found, strict=True)
        return [
            line
            for wanted, stands in pairs
            for line in differences(workloads.unless_scaled(wanted, stands), stands)
        ]

    def _begin(
        self, found: Namespace | None, manifests: Sequence[Manifest]
    ) -> tuple[Manifest, list[Manifest], list[Manifest]]:
        """Apply the namespace; what comes first and what then."""
        namespace, *rest = manifests
        if found and found.terminating:
            raise found.going
        if found:
            namespace = inventory.until_done(namespace, found.annotations, self._labels)
        self._namespaces.apply(namespace)
        first = [each for each in rest if each["kind"] in FIRST]
        return namespace, first, [each for each in rest if each["kind"] not in FIRST]

    def _finish(self, found: Namespace | None, begun: Manifest, wanted: Manifest) -> None:
        """Prune what has left, and only then say on the namespace that all is as wanted."""
        if found is None or begun == wanted:
            return
        name = str(wanted["metadata"]["name"])
        left = inventory.leaving(wanted, found.annotations, self._labels)
        done(self._prune, [named(each, kind, name) for kind, each in left if kind in PATHS])
        self._namespaces.apply(wanted)

    def _apply_one(self, manifest: Manifest) -> None:
        if manifest["kind"] in workloads.SIZED:
            self._objects.apply_unless_scaled(manifest)
        else:
            self._objects.apply(manifest, force=manifest["kind"] in ISOLATING)

    def _apply_resumed(self, manifest: Manifest) -> None:
        """The sizes of a suspended tenant are ours, also where a patch has set them to zero."""
        self._objects.apply_taking(manifest, workloads.SIZES)

    def _apply_stopped(self, manifest: Manifest) -> None:
        """That a suspended tenant runs nothing is not up to whoever has scaled it meanwhile."""
        self._objects.apply(manifest, force=manifest["kind"] in workloads.STOPPABLE)

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

    def _admit_no_pods(self, namespace: str, owner: Mapping[str, str]) -> None:
        """The rest of the quota stays as it is; where none stands there is one of no pods."""
        path = f"{collection('ResourceQuota', namespace)}/plan"
        if not self._objects.patch(path, _NO_PODS, "ResourceQuota plan"):
            bare = named("plan", "ResourceQuota", namespace)
            ours = {**bare, **_NO_PODS, "metadata": {**bare["metadata"], "labels": dict(owner)}}
            self._objects.apply(ours, force=True)

    def _found(self, wanted: Manifest, owner: Mapping[str, str]) -> Namespace | None:
        return self._namespaces.read(str(wanted["metadata"]["name"]), owner)

    def _as_found(self, metadata: Mapping[str, Any]) -> TenantNamespace:
        labels, annotations = metadata.get("labels") or {}, metadata.get("annotations") or {}
        return TenantNamespace(
            name=str(metadata["name"]),
            tenant_id=labels.get(self._labels.tenant, ""),
            plan_id=labels.get(self._labels.plan, ""),
            suspended=annotations.get(self._labels.suspended) == "true",
            terminating="deletionTimestamp" in metadata,
        )
