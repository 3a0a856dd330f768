"""Sizes: how quantities read, and what a tenant's quota and limits do to its pods."""

from decimal import Decimal

import pytest

from sandbox.kubernetes import quantities

pytestmark = pytest.mark.cluster

PODS = "/api/v1/namespaces/arm-4f9c2ab81d07e635/pods"


@pytest.mark.parametrize(
    ("written", "amount"),
    [
        ("0", "0"),
        ("500m", "0.5"),
        ("8Gi", "8589934592"),
        ("1.5Ki", "1536"),
        ("2k", "2000"),
        ("1e3", "1000"),
        ("-1", "-1"),
        (4, "4"),
    ],
)
def test_quantities(written, amount):
    """Powers of 1000, of 1024, and exponents."""
    assert quantities.amount(written) == Decimal(amount)


@pytest.mark.parametrize("written", ["", "banana", "1.2.3", "1ee", "Gi", "1 Gi", None, True])
def test_what_is_no_quantity(written):
    """None of these is a number with a suffix."""
    assert not quantities.is_one(written)


def pod(name="p", **resources):
    security = {
        "allowPrivilegeEscalation": False, "runAsNonRoot": True,
        "capabilities": {"drop": ["ALL"]}, "seccompProfile": {"type": "RuntimeDefault"},
    }  # fmt: skip
    container = {"name": "c", "image": "x", "securityContext": security, "resources": resources}
    spec = {"containers": [container]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


def test_a_tenants_pod_without_sizes_gets_the_plans(cluster, objects, owner):
    """The LimitRange's defaults stand in it, and the quota counts it."""
    cluster.gateway().apply(objects(), owner)
    status, made = cluster.ask("POST", PODS, pod())
    limits = next(o for o in objects() if o["kind"] == "LimitRange")["spec"]["limits"][0]
    assert status == 201
    assert made["spec"]["containers"][0]["resources"] == {
        "limits": limits["default"], "requests": limits["defaultRequest"]
    }  # fmt: skip
    quota = cluster.ask("GET", PODS.replace("pods", "resourcequotas/plan"))[1]
    assert quota["status"]["used"]["pods"] == "1"


def test_a_pod_past_the_plans_container_is_refused(cluster, objects, owner):
    """More than the LimitRange's maximum for one container."""
    cluster.gateway().apply(objects(), owner)
    status, body = cluster.ask("POST", PODS, pod(limits={"cpu": "1000"}))
    assert status == 403
    assert "maximum cpu usage per Container is" in body["message"]


def test_what_a_container_writes_is_bounded(cluster, objects, owner):
    """Unsized it has the plan's default, which the quota adds up; past the maximum it is refused."""
    cluster.gateway().apply(objects(), owner)
    assert cluster.ask("POST", PODS, pod())[0] == 201
    used = cluster.ask("GET", PODS.replace("pods", "resourcequotas/plan"))[1]["status"]["used"]
    (limits,) = (each for each in objects() if each["kind"] == "LimitRange")
    default = limits["spec"]["limits"][0]["default"]["ephemeral-storage"]
    assert quantities.amount(used["limits.ephemeral-storage"]) == quantities.amount(default)
    status, body = cluster.ask("POST", PODS, pod("q", limits={"ephemeral-storage": "1Ti"}))
    assert status == 403
    assert "maximum ephemeral-storage usage per Container is" in body["message"]


def test_a_quota_asks_for_cpu_and_memory_alone(cluster, objects, owner):
    """Where no LimitRange gives a default, a pod must name those; disk it need not name."""
    cluster.gateway().apply(objects(), owner)
    cluster.ask("DELETE", PODS.replace("pods", "limitranges/defaults"))
    sizes = {"cpu": "1", "memory": "1Gi"}
    status, body = cluster.ask("POST", PODS, pod(limits={"memory": "1Gi"}))
    assert status == 403
    assert "must specify limits.cpu for: c; requests.cpu for: c" in body["message"]
    assert cluster.ask("POST", PODS, pod(limits=sizes))[0] == 201


def test_a_suspended_tenants_pod_is_refused(cluster, objects, owner):
    """Its quota has no room for any."""
    cluster.gateway().apply(objects(suspended=True), owner)
    status, body = cluster.ask("POST", PODS, pod())
    assert status == 403
    assert (
        "exceeded quota: plan, requested: pods=1, used: pods=0, limited: pods=0" in body["message"]
    )


def test_a_deleted_pod_leaves_room(cluster, objects, owner):
    """What is gone counts no more."""
    cluster.gateway().apply(objects(), owner)
    cluster.ask("POST", PODS, pod())
    cluster.ask("DELETE", f"{PODS}/p")
    quota = cluster.ask("GET", PODS.replace("pods", "resourcequotas/plan"))[1]
    assert quota["status"]["used"]["pods"] == "0"


@pytest.mark.parametrize(
    ("rank", "status", "why"),
    [
        ({}, 201, ""),
        ({"priority": 0}, 201, ""),
        ({"priority": 7}, 403, "must not be provided in pod spec"),
        ({"priorityClassName": "mine"}, 403, "no PriorityClass with name mine was found"),
        ({"priorityClassName": "system-node-critical"}, 422, "may not push out others"),
    ],
)
def test_a_pods_rank_is_its_classs(cluster, objects, owner, rank, status, why):
    """The number comes from the class, before any policy looks at it."""
    cluster.gateway().apply(objects(), owner)
    body = pod()
    body["spec"] |= rank
    got, answer = cluster.ask("POST", PODS, body)
    assert got == status, answer
    assert answer["spec"]["priority"] == 0 if status == 201 else why in answer["message"]
