"""The most that a tenant can store in etcd: what its quota counts, as large as its plan allows."""

from pathlib import Path

import pytest

from chalicelib.domain import isolation
from chalicelib.wiring import catalogue

DOC = Path(__file__).parents[2] / "docs" / "security.md"
ETCD_KIB = 8 * 1024 * 1024
BESIDES_KIB = 16
"""What controllers and kubelets write into an object: its status, and who wrote which field."""
ADDRESS_KIB = 1
"""Of one pod behind one Service, in its EndpointSlices and its Endpoints."""

PLAIN = {
    "pods": "count/pods",
    "services": "services",
    "configmaps": "configmaps",
    "secrets": "secrets",
    "persistentvolumeclaims": "persistentvolumeclaims",
}
GROUPS = {
    "deployments": "apps", "statefulsets": "apps", "daemonsets": "apps", "replicasets": "apps",
    "controllerrevisions": "apps", "jobs": "batch", "cronjobs": "batch",
    "horizontalpodautoscalers": "autoscaling", "ingresses": "networking.k8s.io",
    "poddisruptionbudgets": "policy",
}  # fmt: skip


def stored():
    """Every resource that a tenant makes, or has controllers make: `controllerrevisions`."""
    made = {
        name
        for rule in isolation.role()["rules"]
        for name in rule["resources"]
        if "create" in rule["verbs"] and "/" not in name
    }
    return made | {"controllerrevisions"}


def counted_by(name):
    if name in PLAIN:
        return PLAIN[name]
    group = GROUPS.get(name)
    return f"count/{name}.{group}" if group else f"count/{name}"


def worst_kib(plan):
    """The number of objects, and KiB of them all."""
    counts = {name: int(plan.quota[counted_by(name)]) for name in stored()}
    kib = sum(
        count * BESIDES_KIB
        + count
        * (plan.allowed.data_kib if name in {"configmaps", "secrets"} else plan.allowed.object_kib)
        for name, count in counts.items()
    )
    behind = counts["services"] * int(plan.quota["pods"]) * ADDRESS_KIB
    return sum(counts.values()), kib + behind


@pytest.mark.parametrize("plan", catalogue().plans, ids=lambda plan: plan.id)
def test_everything_that_a_tenant_can_store_is_counted(plan):
    """By the quota of each plan, under the name that quotas have for it."""
    assert {counted_by(name) for name in stored()} <= set(plan.quota)


def test_the_sum_stands_in_the_documentation():
    """Per plan: how many objects, how many MiB, and how many such tenants fill etcd."""
    rows = []
    for plan in catalogue().plans:
        objects, kib = worst_kib(plan)
        rows.append(f"| {plan.id} | {objects} | {kib // 1024} MiB | {ETCD_KIB // kib} |")
    text = DOC.read_text("utf-8")
    assert [row for row in rows if row not in text] == []


def test_old_versions_fit_the_quota():
    """Ten that are kept, the current one, and the next, for each workload that has them."""
    for plan in catalogue().plans:
        numbers = {name: int(plan.quota[counted_by(name)]) for name in stored()}
        assert numbers["replicasets"] >= 12 * numbers["deployments"]
        assert numbers["controllerrevisions"] >= 12 * (
            numbers["statefulsets"] + numbers["daemonsets"]
        )
