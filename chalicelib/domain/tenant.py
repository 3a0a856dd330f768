"""A tenant as Kubernetes objects: what is applied, and the hash that says it stands."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from chalicelib.domain import inventory, isolation, placeholders, workloads
from chalicelib.domain.catalogue import Catalogue, Plan
from chalicelib.domain.labels import MANAGED_BY, Labels

Manifest = Mapping[str, Any]

_SIZED = ("cpu", "memory", "ephemeral-storage")


@dataclass(frozen=True, slots=True)
class TenantNamespace:
    """A namespace of ours as it was found; what its labels do not say is empty."""

    name: str
    tenant_id: str
    plan_id: str
    suspended: bool
    terminating: bool


def namespace_of(catalogue: Catalogue, tenant_id: str) -> str:
    """The name of a tenant's namespace: prefix and hash."""
    return f"{catalogue.product.namespace_prefix}-{tenant_id}"


def ownership(catalogue: Catalogue, tenant_id: str) -> Mapping[str, str]:
    """The labels that a namespace must carry to be this tenant's: without them it is not ours."""
    return {
        MANAGED_BY: catalogue.product.app,
        Labels.of(catalogue.product).tenant: tenant_id,
    }


def objects(
    catalogue: Catalogue, tenant_id: str, plan: Plan, *, suspended: bool = False
) -> tuple[Manifest, ...]:
    """All objects of a tenant on a plan: the namespace, what is ours, then the adopter's templates.

    A suspended tenant keeps everything but the right to run pods; what templates run is at zero.
    """
    namespace = namespace_of(catalogue, tenant_id)
    labels = _labels(catalogue, tenant_id, plan)
    children = [
        _placed(child, namespace, labels)
        for child in _own(catalogue, namespace, plan, suspended=suspended)
    ]
    children += [
        _placed(template, namespace, labels)
        for template in _from_templates(catalogue, tenant_id, plan, suspended=suspended)
    ]
    return (
        _namespace(catalogue, children, labels, plan, suspended=suspended),
        *children,
    )


def own_names(catalogue: Catalogue, plan: Plan) -> set[tuple[str, str]]:
    """Kind and name of each object that is in every tenant: no template may have them."""
    return {
        (child["kind"], child["metadata"]["name"])
        for child in _own(catalogue, "", plan, suspended=False)
    }


def _own(
    catalogue: Catalogue, namespace: str, plan: Plan, *, suspended: bool
) -> tuple[Manifest, ...]:
    return (
        _quota(plan, suspended=suspended),
        isolation.neighbours(),
        _limits(plan),
        *isolation.network_policies(catalogue.cluster),
        isolation.service_account(),
        isolation.role(),
        isolation.role_binding(namespace),
    )


def _from_templates(
    catalogue: Catalogue, tenant_id: str, plan: Plan, *, suspended: bool
) -> list[Manifest]:
    if not plan.templates:
        return []
    values = {
        "app": catalogue.product.app,
        "namespace": namespace_of(catalogue, tenant_id),
        "plan": plan.id,
        "tenant": tenant_id,
        **{f"entitlement.{name}": value for name, value in plan.entitlements.items()},
    }
    filled = [placeholders.filled(template, values) for template in plan.templates]
    if not suspended:
        return filled
    labels = Labels.of(catalogue.product)
    return [workloads.as_stopped(manifest, labels) for manifest in filled]


def revision(manifests: tuple[Manifest, ...]) -> str:
    """The hash of what is applied; the catalogue is in it by what it put into the objects."""
    canonical = json.dumps(manifests, sort_keys=True, separators=(",", ":"))
    return sha256(canonical.encode()).hexdigest()[:16]


def _labels(catalogue: Catalogue, tenant_id: str, plan: Plan) -> dict[str, str]:
    return {
        **ownership(catalogue, tenant_id),
        "app.kubernetes.io/part-of": catalogue.product.app,
        "app.kubernetes.io/name": "tenant",
        "app.kubernetes.io/instance": tenant_id,
        Labels.of(catalogue.product).plan: plan.id,
    }


def _placed(manifest: Manifest, namespace: str, labels: Mapping[str, str]) -> Manifest:
    metadata = manifest["metadata"]
    both = {**(metadata.get("labels") or {}), **labels}
    return {**manifest, "metadata": {**metadata, "namespace": namespace, "labels": both}}


def _namespace(
    catalogue: Catalogue,
    children: Sequence[Manifest],
    labels: Mapping[str, str],
    plan: Plan,
    *,
    suspended: bool,
) -> Manifest:
    ours = Labels.of(catalogue.product)
    security = {
        f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "audit", "warn")
    }
    namespace = children[0]["metadata"]["namespace"]
    entitlements = {ours.entitlement(key): value for key, value in plan.entitlements.items()}
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": namespace,
            "labels": {**labels, **security},
            "annotations": {
                **entitlements,
                **_allowed(catalogue, namespace, plan),
                ours.suspended: str(suspended).lower(),
                ours.objects: inventory.note(children),
            },
        },
    }


def _allowed(catalogue: Catalogue, namespace: str, plan: Plan) -> dict[str, str]:
    """What the admission policies of infra/cluster.yaml read: the plan's lists, whose hosts."""
    ours, domain = Labels.of(catalogue.product), catalogue.cluster.apps_domain
    lists = {ours.allowed(name): text for name, text in plan.allowed.words.items()}
    return {**lists, ours.hosts: f"{namespace}.{domain}" if domain else ""}


def _quota(plan: Plan, *, suspended: bool) -> Manifest:
    hard = {**plan.quota, "pods": "0"} if suspended else dict(plan.quota)
    return {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "plan"},
        "spec": {"hard": hard},
    }


def _limits(plan: Plan) -> Manifest:
    """What a container without sizes gets, so that quotas count it, and the most it may have."""

    def sizes(of: str) -> dict[str, str]:
        keys = {name: f"{of}_{name.replace('-', '_')}" for name in _SIZED}
        return {name: plan.container[key] for name, key in keys.items() if key in plan.container}

    limit = {
        "type": "Container",
        "default": sizes("default"),
        "defaultRequest": sizes("request"),
        "max": sizes("max"),
    }
    return {
        "apiVersion": "v1",
        "kind": "LimitRange",
        "metadata": {"name": "defaults"},
        "spec": {"limits": [limit]},
    }
