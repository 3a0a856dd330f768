"""Kubernetes: raw server-side apply on the official client's transport; no discovery, no types."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from chalicelib.domain.errors import DomainError, Permanent, Temporary, Waiting
from chalicelib.domain.tenant import Manifest
from chalicelib.gateways.kubernetes_http import Answer, KubernetesHttp

WORKERS = 6
"""Applies at once, after the namespace."""

ISOLATING = frozenset({"ResourceQuota", "LimitRange", "NetworkPolicy", "Role", "RoleBinding"})
"""Kinds whose fields are taken back by force: they are what keeps a tenant to itself."""

_CORE = "/api/v1"
_PATHS = {
    "ResourceQuota": (_CORE, "resourcequotas"),
    "LimitRange": (_CORE, "limitranges"),
    "ServiceAccount": (_CORE, "serviceaccounts"),
    "NetworkPolicy": ("/apis/networking.k8s.io/v1", "networkpolicies"),
    "Role": ("/apis/rbac.authorization.k8s.io/v1", "roles"),
    "RoleBinding": ("/apis/rbac.authorization.k8s.io/v1", "rolebindings"),
}


@dataclass(frozen=True, slots=True)
class _Namespace:
    uid: str
    terminating: bool
    stuck_because: str


class KubernetesCluster:
    """Fits `chalicelib.ports.Cluster`."""

    def __init__(self, http: KubernetesHttp, *, field_manager: str) -> None:
        self._http = http
        self._manager = field_manager

    def apply(self, manifests: Sequence[Manifest], owner: Mapping[str, str]) -> None:
        """Make the objects be as given: one GET, then one request per object."""
        found = self._namespace(str(manifests[0]["metadata"]["name"]), owner)
        self._apply_onto(found, manifests)

    def suspend(self, manifests: Sequence[Manifest], owner: Mapping[str, str]) -> bool:
        """Apply; False when the namespace is not there, since nothing is made to be suspended."""
        found = self._namespace(str(manifests[0]["metadata"]["name"]), owner)
        if found is None:
            return False
        self._apply_onto(found, manifests)
        return True

    def stands(self, namespace: str, owner: Mapping[str, str]) -> bool:
        """Whether the namespace is there."""
        return self._namespace(namespace, owner) is not None

    def delete(self, namespace: str, owner: Mapping[str, str]) -> None:
        """Delete the namespace that was looked at and no other; returns when it is gone."""
        found = self._namespace(namespace, owner)
        if found is None:
            return
        if not found.terminating:
            path = f"{_CORE}/namespaces/{namespace}"
            body = {"preconditions": {"uid": found.uid}}
            answer = self._http.request("DELETE", path, body=body)
            if answer.status not in {HTTPStatus.OK, HTTPStatus.ACCEPTED, HTTPStatus.NOT_FOUND}:
                raise _error(f"delete namespace {namespace}", answer)
        raise Waiting(f"namespace {namespace} is Terminating{found.stuck_because}")

    def _apply_onto(self, found: _Namespace | None, manifests: Sequence[Manifest]) -> None:
        namespace, *rest = manifests
        if found and found.terminating:
            name = namespace["metadata"]["name"]
            raise Waiting(f"namespace {name} is Terminating{found.stuck_because}")
        self._apply_one(namespace)
        with ThreadPoolExecutor(max_workers=WORKERS) as pool:
            failures = [e for e in pool.map(_caught(self._apply_one), rest) if e]
        for kind in (Permanent, Waiting, Temporary):
            for failure in failures:
                if isinstance(failure, kind):
                    raise failure

    def _apply_one(self, manifest: Manifest) -> None:
        force = "&force=true" if manifest["kind"] in ISOLATING else ""
        answer = self._http.request(
            "PATCH",
            f"{_path(manifest)}?fieldManager={self._manager}{force}",
            body=manifest,
            content_type="application/apply-patch+yaml",
        )
        if answer.status not in {HTTPStatus.OK, HTTPStatus.CREATED}:
            raise _error(f"apply {manifest['kind']} {manifest['metadata']['name']}", answer)

    def _namespace(self, name: str, owner: Mapping[str, str]) -> _Namespace | None:
        answer = self._http.request("GET", f"{_CORE}/namespaces/{name}")
        if answer.status == HTTPStatus.NOT_FOUND:
            return None
        if answer.status != HTTPStatus.OK:
            raise _error(f"read namespace {name}", answer)
        metadata = answer.body.get("metadata", {})
        labels = metadata.get("labels") or {}
        if any(labels.get(key) != value for key, value in owner.items()):
            raise Permanent(
                f"namespace {name} exists and is not ours: it lacks the labels {dict(owner)}; "
                "remove it or rename it, then nudge the tenant"
            )
        return _Namespace(
            uid=str(metadata.get("uid")),
            terminating="deletionTimestamp" in metadata,
            stuck_because=_why_stuck(answer.body),
        )


def _path(manifest: Manifest) -> str:
    metadata = manifest["metadata"]
    if manifest["kind"] == "Namespace":
        return f"{_CORE}/namespaces/{metadata['name']}"
    base, plural = _PATHS[manifest["kind"]]
    return f"{base}/namespaces/{metadata['namespace']}/{plural}/{metadata['name']}"


def _caught(
    action: Callable[[Manifest], None],
) -> Callable[[Manifest], DomainError | None]:
    """Side by side, every object gets its try; what failed is weighed when all are done."""

    def attempt(manifest: Manifest) -> DomainError | None:
        try:
            action(manifest)
        except (Temporary, Permanent, Waiting) as e:
            return e
        return None

    return attempt


def _why_stuck(namespace: Mapping[str, Any]) -> str:
    conditions = namespace.get("status", {}).get("conditions") or []
    reasons = [
        f"{c.get('reason')}: {str(c.get('message'))[:200]}"
        for c in conditions
        if c.get("status") == "True"
    ]
    return f" ({'; '.join(reasons)})" if reasons else ""


def _error(what: str, answer: Answer) -> DomainError:
    """What an answer means: will it ever work, soon, or right after something short?"""
    body = answer.body
    said = f"{what}: HTTP {answer.status} {str(body.get('message', ''))[:300]}"
    causes = {c.get("reason") for c in (body.get("details") or {}).get("causes") or []}
    if "NamespaceTerminating" in causes:
        return Waiting(said)
    if answer.status == HTTPStatus.CONFLICT and "FieldManagerConflict" not in causes:
        return Temporary(said)
    if answer.status == HTTPStatus.INTERNAL_SERVER_ERROR and body.get("kind") == "Status":
        # A refused apply (a bad quantity, an unknown field) comes as a 500 without a reason, and
        # so does a store behind the API server that elects a new leader.
        passing = body.get("reason") or answer.tells_of_passing_trouble
        return Temporary(said) if passing else Permanent(said)
    permanent = {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.METHOD_NOT_ALLOWED,
        HTTPStatus.CONFLICT,
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    }
    return Permanent(said) if answer.status in permanent else Temporary(said)
