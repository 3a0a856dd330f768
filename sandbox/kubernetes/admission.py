"""Admission: what an object needs to come in, and what is changed about it on the way."""

from sandbox.kubernetes import (
    authorization,
    defaults,
    kinds,
    limits,
    pod_security,
    policies,
    priority,
    quota,
    statuses,
    storage,
)
from sandbox.kubernetes.authorization import User
from sandbox.kubernetes.kinds import Kind, Object
from sandbox.kubernetes.requests import Request, Target
from sandbox.kubernetes.store import Store

_NAMESPACE = kinds.by_name("Namespace")
_RBAC = "rbac.authorization.k8s.io"
_GRANTING = ("rules", "roleRef", "subjects")
_LEVEL = "pod-security.kubernetes.io/enforce"
_POD: Object = {
    "serviceAccountName": "default",
    "preemptionPolicy": "PreemptLowerPriority",
    "tolerations": [
        {
            "key": f"node.kubernetes.io/{state}",
            "operator": "Exists",
            "effect": "NoExecute",
            "tolerationSeconds": 300,
        }
        for state in ("not-ready", "unreachable")
    ],
}


def check_namespace(store: Store, kind: Kind, namespace: str, name: str, *, creating: bool) -> None:
    """Refuse what would go into a namespace that is not there, or is going.

    Raises:
        Refusal: 404 or 403.
    """
    if not kind.namespaced:
        return
    found = store.get(_NAMESPACE, "", namespace)
    if found is None:
        raise statuses.not_found(_NAMESPACE, namespace)
    if creating and "deletionTimestamp" in found["metadata"]:
        cause = {
            "reason": "NamespaceTerminating",
            "message": f"namespace {namespace} is being terminated",
            "field": "metadata.namespace",
        }
        why = (
            f"unable to create new content in namespace {namespace} because it is being terminated"
        )
        raise statuses.forbidden(kind, name, why, [cause])


def admitted(store: Store, kind: Kind, obj: Object, live: Object | None) -> Object:
    """The object as it comes in.

    Raises:
        Refusal: 403, by whom and why.
    """
    if kind.name == "PersistentVolumeClaim" and live is None:
        return storage.classed(store, obj)
    if kind.name != "Pod" or live is not None:
        return obj
    spec = {**_POD, **obj["spec"]}
    spec["serviceAccount"] = spec["serviceAccountName"]
    pod = limits.sized(store, priority.ranked({**obj, "spec": spec}))
    namespace = store.get(_NAMESPACE, "", obj["metadata"]["namespace"]) or {}
    level = (namespace.get("metadata", {}).get("labels") or {}).get(_LEVEL, "privileged")
    broken = pod_security.violations(level, pod["spec"])
    if broken:
        why = f'violates PodSecurity "{level}:latest": {broken}'
        raise statuses.forbidden(kind, obj["metadata"]["name"], why)
    limits.check(store, pod)
    return {**pod, "status": {**pod["status"], "qosClass": defaults.quality(pod["spec"])}}


def check_grants(store: Store, user: User, kind: Kind, obj: Object, live: Object | None) -> None:
    """Refuse a role, or a binding, that grants what its author may not grant.

    Raises:
        Refusal: 403, or 404 for a role that is not there.
    """
    if kind.group == _RBAC and (
        live is None or any(obj.get(part) != live.get(part) for part in _GRANTING)
    ):
        authorization.check_grant(store, user, kind, obj)


def check_policies(  # noqa: PLR0913, PLR0917 - a write, and both sides of it
    store: Store,
    user: User,
    request: Request,
    target: Target,
    after: Object | None,
    before: Object | None,
) -> None:
    """Refuse what an admission policy denies.

    Raises:
        Refusal: in its words.
    """
    some = after if after is not None else before
    operation = "DELETE" if after is None else "CREATE" if before is None else "UPDATE"
    policies.check(
        store,
        policies.Attempt(
            user=user,
            operation=operation,
            kind=target.kind,
            subresource=target.subresource,
            namespace=target.namespace,
            name=target.name or (some or {}).get("metadata", {}).get("name", ""),
            after=after,
            before=before,
            namespace_object=store.get(_NAMESPACE, "", target.namespace),
            dry_run=request.dry_run,
            options=_options(request) if operation == "DELETE" else {},
        ),
    )


def _options(request: Request) -> Object:
    """How something is to be deleted, as the body or the address says."""
    found = request.json() if request.body else {}
    grace = request.query.get("gracePeriodSeconds", "")
    return {**found, "gracePeriodSeconds": int(grace)} if grace.isdecimal() else found


def check_quota(store: Store, kind: Kind, obj: Object, live: Object | None) -> None:
    """Refuse what a quota has no room for.

    Raises:
        Refusal: 403.
    """
    if kind.namespaced:
        quota.check(store, kind, obj, live)
