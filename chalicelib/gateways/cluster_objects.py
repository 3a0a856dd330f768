"""Objects in the cluster one by one: where each is, and how it is read, applied and removed."""

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from chalicelib.domain.ending import GRACE_SECONDS
from chalicelib.domain.errors import Temporary
from chalicelib.domain.tenant import Manifest
from chalicelib.gateways.cluster_refusals import (
    conflicting_fields,
    error,
    exceeds_quota,
    scaled_by_others,
)
from chalicelib.gateways.kubernetes_http import Answer, KubernetesHttp
from chalicelib.gateways.side_by_side import done

PAGE = 500
"""Objects per page of a list, as kubectl asks for them."""

_RBAC = "/apis/rbac.authorization.k8s.io/v1"
_NETWORKING = "/apis/networking.k8s.io/v1"
_APPLY = "application/apply-patch+yaml"
_MERGE = "application/merge-patch+json"
_GONE = (HTTPStatus.OK, HTTPStatus.ACCEPTED, HTTPStatus.NOT_FOUND)
_NOT_THERE = (HTTPStatus.CREATED, HTTPStatus.NOT_FOUND)
_NOT_OURS_TO_LIFT = (
    HTTPStatus.FORBIDDEN,
    HTTPStatus.CONFLICT,
    HTTPStatus.UNPROCESSABLE_ENTITY,
)

PATHS = {
    "ConfigMap": ("/api/v1", "configmaps"),
    "LimitRange": ("/api/v1", "limitranges"),
    "PersistentVolumeClaim": ("/api/v1", "persistentvolumeclaims"),
    "Pod": ("/api/v1", "pods"),
    "ResourceQuota": ("/api/v1", "resourcequotas"),
    "Secret": ("/api/v1", "secrets"),
    "Service": ("/api/v1", "services"),
    "ServiceAccount": ("/api/v1", "serviceaccounts"),
    "DaemonSet": ("/apis/apps/v1", "daemonsets"),
    "Deployment": ("/apis/apps/v1", "deployments"),
    "ReplicaSet": ("/apis/apps/v1", "replicasets"),
    "StatefulSet": ("/apis/apps/v1", "statefulsets"),
    "HorizontalPodAutoscaler": ("/apis/autoscaling/v2", "horizontalpodautoscalers"),
    "CronJob": ("/apis/batch/v1", "cronjobs"),
    "Job": ("/apis/batch/v1", "jobs"),
    "Ingress": (_NETWORKING, "ingresses"),
    "NetworkPolicy": (_NETWORKING, "networkpolicies"),
    "Role": (_RBAC, "roles"),
    "RoleBinding": (_RBAC, "rolebindings"),
}
"""The kinds that a tenant may consist of; nothing is discovered."""

UNREAD = ("ConfigMap", "Secret")
"""Kinds that hold what is none of ours elsewhere in the cluster, where rights to read reach."""


def collection(kind: str, namespace: str) -> str:
    """The path of all objects of a kind in a namespace."""
    base, plural = PATHS[kind]
    return f"{base}/namespaces/{namespace}/{plural}"


def path_of(manifest: Manifest) -> str:
    """The path of an object."""
    metadata = manifest["metadata"]
    if manifest["kind"] == "Namespace":
        return f"/api/v1/namespaces/{metadata['name']}"
    return f"{collection(manifest['kind'], metadata['namespace'])}/{metadata['name']}"


class ClusterObjects:
    """Requests about single objects; everything that goes wrong is raised as the domain has it."""

    def __init__(self, http: KubernetesHttp, *, field_manager: str) -> None:
        self._http = http
        self._manager = field_manager

    def apply(self, manifest: Manifest, *, force: bool) -> None:
        """Server-side apply; `force` takes fields from whoever else has set them."""
        _check_applied(manifest, self._apply(manifest, force=force))

    def apply_unless_scaled(self, manifest: Manifest) -> None:
        """Apply; a size that somebody has set by scaling it, as an autoscaler does, stays."""
        answer = self._apply(manifest, force=False)
        if scaled_by_others(answer):
            rest = {name: value for name, value in manifest["spec"].items() if name != "replicas"}
            answer = self._apply({**manifest, "spec": rest}, force=False)
        _check_applied(manifest, answer)

    def apply_taking(self, manifest: Manifest, ours: tuple[str, ...]) -> None:
        """Apply; fields that others have set are taken back only if all of them are ours.

        Args:
            manifest: what.
            ours: how the paths of such fields begin.
        """
        answer = self._apply(manifest, force=False)
        fields = conflicting_fields(answer)
        if fields and all(field.startswith(ours) for field in fields):
            answer = self._apply(manifest, force=True)
        _check_applied(manifest, answer)

    def read(self, manifest: Manifest) -> Mapping[str, Any] | None:
        """The object as it stands; None if it does not.

        Those in `UNREAD` are looked at by an empty apply that is a dry run, under a name that owns
        nothing: so nobody has to be allowed to read them, and admission confines it like a write.
        """
        if manifest["kind"] not in UNREAD:
            return self.at(path_of(manifest), _named(manifest))
        answer = self._dry_look(manifest)
        if answer.status in _NOT_THERE or exceeds_quota(answer):
            return None  # a quota counts, and refuses, what would be made: it is not there
        if answer.status != HTTPStatus.OK:
            raise error(f"read {_named(manifest)}", answer)
        return answer.body

    def patch(self, path: str, patch: Mapping[str, Any], what: str) -> bool:
        """A JSON merge patch; False for an object that is not there, which needs none."""
        answer = self._merge(path, patch)
        if answer.status not in {HTTPStatus.OK, HTTPStatus.NOT_FOUND}:
            raise error(f"patch {what}", answer)
        return answer.status == HTTPStatus.OK

    def delete(self, path: str, uid: str, what: str) -> None:
        """Delete the object of this uid and no other, with what belongs to it, in bounded time."""
        body = {
            "preconditions": {"uid": uid},
            "propagationPolicy": "Background",
            "gracePeriodSeconds": GRACE_SECONDS,
        }
        answer = self._http.request("DELETE", path, body=body)
        if answer.status not in _GONE:
            raise error(f"delete {what}", answer)

    def lift(self, path: str, found: Mapping[str, Any], what: str) -> None:
        """Take the finalizers off what was deleted, if that is ours to do; it shows when it is not.

        Without the right, or refused by somebody's admission, they stay.
        """
        metadata = {"finalizers": None, "uid": found["metadata"]["uid"]}
        answer = self._merge(path, {"metadata": metadata})
        expected = {HTTPStatus.OK, HTTPStatus.NOT_FOUND, *_NOT_OURS_TO_LIFT}
        if answer.status not in expected:
            raise error(f"lift the finalizers of {what}", answer)

    def at(self, path: str, what: str) -> Mapping[str, Any] | None:
        """The object at a path; None if it is not there."""
        answer = self._http.request("GET", path)
        if answer.status == HTTPStatus.NOT_FOUND:
            return None
        if answer.status != HTTPStatus.OK:
            raise error(f"read {what}", answer)
        return answer.body

    def all(self, kind: str, namespace: str) -> list[Mapping[str, Any]]:
        """Every object of a kind in a namespace."""
        return [obj for page in self.pages(collection(kind, namespace)) for obj in page]

    def of(self, namespace: str, kinds: tuple[str, ...]) -> list[tuple[str, Mapping[str, Any]]]:
        """Every object of these kinds in a namespace, by kind; the lists are asked for at once."""
        lists: dict[str, list[Mapping[str, Any]]] = {}

        def look(kind: str) -> None:
            lists[kind] = self.all(kind, namespace)

        done(look, kinds)
        return [(kind, obj) for kind in kinds for obj in lists[kind]]

    def pages(self, path: str, selector: str = "") -> Iterator[list[Mapping[str, Any]]]:
        """The items of a list, page by page, each asked for when it is wanted."""
        token = ""
        while True:
            query = f"limit={PAGE}"
            query += f"&labelSelector={quote(selector, safe='')}" if selector else ""
            query += f"&continue={quote(token, safe='')}" if token else ""
            answer = self._http.request("GET", f"{path}?{query}")
            if answer.status == HTTPStatus.GONE:
                # The page's version is forgotten: the server gives a token to go on with from
                # where we are, at the price of a list that is not of one moment.
                token = str((answer.body.get("metadata") or {}).get("continue") or "")
                if token:
                    continue
                raise Temporary(f"list {path}: the list is too old to go on with")
            if answer.status != HTTPStatus.OK:
                raise error(f"list {path}", answer)
            yield answer.body.get("items") or []
            token = str((answer.body.get("metadata") or {}).get("continue") or "")
            if not token:
                return

    def _merge(self, path: str, patch: Mapping[str, Any]) -> Answer:
        query = f"?fieldManager={self._manager}"
        return self._http.request("PATCH", path + query, body=patch, content_type=_MERGE)

    def _apply(self, manifest: Manifest, *, force: bool) -> Answer:
        path = f"{path_of(manifest)}?fieldManager={self._manager}"
        return self._http.request(
            "PATCH", path + "&force=true" * force, body=manifest, content_type=_APPLY
        )

    def _dry_look(self, manifest: Manifest) -> Answer:
        return self._http.request(
            "PATCH",
            f"{path_of(manifest)}?fieldManager={self._manager}-look&dryRun=All",
            body={
                "apiVersion": manifest["apiVersion"],
                "kind": manifest["kind"],
                "metadata": {"name": manifest["metadata"]["name"]},
            },
            content_type=_APPLY,
        )


def _check_applied(manifest: Manifest, answer: Answer) -> None:
    if answer.status not in {HTTPStatus.OK, HTTPStatus.CREATED}:
        raise error(f"apply {_named(manifest)}", answer)


def _named(manifest: Manifest) -> str:
    return f"{manifest['kind']} {manifest['metadata']['name']}"
