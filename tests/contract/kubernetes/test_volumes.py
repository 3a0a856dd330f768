"""Nothing that we make smaller loses its volumes, whatever it says of itself."""

import pytest

from chalicelib.domain import workloads
from chalicelib.domain.labels import Labels
from chalicelib.wiring import catalogue
from tests.contract.kubernetes.test_suspension import (
    APPS,
    MERGE,
    NAMESPACE,
    workload,
)

pytestmark = pytest.mark.cluster

POLICY = "persistentVolumeClaimRetentionPolicy"
DB = f"{APPS}/statefulsets/db"
LABELS = Labels.of(catalogue().product)


def stateful(**says):
    return workload("StatefulSet", "db", replicas=2, serviceName="db", **{POLICY: says})


def policy(cluster):
    return cluster.ask("GET", DB)[1]["spec"][POLICY]


@pytest.mark.parametrize("verb", ["suspend", "stop"])
def test_a_stateful_set_keeps_its_volumes_while_it_is_stopped(cluster, objects, owner, verb):
    """One that deletes them when it is scaled down says otherwise until it is back."""
    gateway = cluster.gateway()
    gateway.apply(objects(), owner)
    says = {"whenScaled": "Delete", "whenDeleted": "Delete"}
    cluster.ask("POST", f"{APPS}/statefulsets", stateful(**says))
    for _ in range(2):
        if verb == "suspend":
            gateway.suspend(objects(suspended=True), owner)
        else:
            gateway.stop(NAMESPACE, owner)
    assert policy(cluster) == {"whenScaled": "Retain", "whenDeleted": "Delete"}
    gateway.apply(objects(), owner)
    assert policy(cluster) == says
    found = cluster.ask("GET", DB)[1]
    assert found["spec"]["replicas"] == 2
    assert LABELS.claims not in found["metadata"].get("annotations", {})


def test_it_keeps_them_in_the_patch_that_scales_it(cluster, objects, owner):
    """So nothing can come between."""
    gateway = cluster.gateway()
    gateway.apply(objects(), owner)
    cluster.ask("POST", f"{APPS}/statefulsets", stateful(whenScaled="Delete"))
    cluster.seen()
    gateway.stop(NAMESPACE, owner)
    assert [each for each in cluster.seen() if each[1] == "db"] == [("PATCH", "db")]


def test_one_that_keeps_them_is_only_scaled(cluster, objects, owner):
    """There is nothing to give back."""
    gateway = cluster.gateway()
    gateway.apply(objects(), owner)
    says = {"whenScaled": "Retain", "whenDeleted": "Delete"}
    cluster.ask("POST", f"{APPS}/statefulsets", stateful(**says))
    gateway.stop(NAMESPACE, owner)
    assert LABELS.claims not in cluster.ask("GET", DB)[1]["metadata"]["annotations"]
    gateway.apply(objects(), owner)
    assert policy(cluster) == says


def test_a_plans_own_stateful_set_keeps_its_volumes_too(cluster, objects, owner):
    """Applied at zero, it is applied with what keeps them; and it comes back as the plan has it."""
    stands = stateful(whenScaled="Delete")
    (wanted,) = [o for o in objects() if o["kind"] == "LimitRange"]
    stands["metadata"] |= {name: wanted["metadata"][name] for name in ("namespace", "labels")}
    gateway = cluster.gateway()
    running = [*objects(), stands]
    gateway.apply(running, owner)
    stopped = [*objects(suspended=True), workloads.as_stopped(stands, LABELS)]
    gateway.suspend(stopped, owner)
    assert policy(cluster)["whenScaled"] == "Retain"
    assert gateway.drift(stopped, owner) == []
    gateway.stop(NAMESPACE, owner)
    gateway.apply(running, owner)
    assert policy(cluster)["whenScaled"] == "Delete"
    gateway.stop(NAMESPACE, owner)
    assert policy(cluster)["whenScaled"] == "Retain"
    gateway.apply(running, owner)
    assert policy(cluster)["whenScaled"] == "Delete"
    assert gateway.drift(running, owner) == []


@pytest.mark.parametrize(
    ("noted", "size"),
    [("3", 3), ("many", 1), ("", 1), ("-2", 1), ("99999999999999999999", 2**31 - 1)],
)
def test_a_size_that_a_tenant_has_written_stops_nothing(cluster, objects, owner, noted, size):
    """A number that no API server takes is not asked for; the quota bounds what it comes to."""
    gateway = cluster.gateway()
    gateway.apply(objects(), owner)
    cluster.ask("POST", f"{APPS}/deployments", workload("Deployment", "web"))
    gateway.stop(NAMESPACE, owner)
    patch = {"metadata": {"annotations": {LABELS.size: noted}}}
    cluster.ask("PATCH", f"{APPS}/deployments/web", patch, content_type=MERGE)
    gateway.apply(objects(), owner)
    assert cluster.ask("GET", f"{APPS}/deployments/web")[1]["spec"]["replicas"] == size
