"""Stopped with what stands: no plan, no manifest is needed to take away."""

import pytest

from chalicelib.domain.errors import Waiting
from tests.contract.kubernetes import verbs
from tests.contract.kubernetes.test_suspension import (
    APPS,
    CORE,
    MERGE,
    NAMESPACE,
    RESUMED,
    STOPPED,
    SUSPENDED,
    running,
    specs,
)

pytestmark = pytest.mark.cluster

__all__ = ["running"]

QUOTA = f"{CORE}/resourcequotas/plan"


def quota(cluster):
    return cluster.ask("GET", QUOTA)[1]["spec"]["hard"]


def test_stopped_without_a_plan_and_resumed_with_one(cluster, objects, owner, running):
    """Everything is at zero, no pod gets in, and nothing else about the quota has changed."""
    before = quota(cluster)
    assert running.stop(NAMESPACE, owner) is True
    assert specs(cluster) == STOPPED
    assert quota(cluster) == {**before, "pods": "0"}
    (found,) = running.namespaces()
    assert found.suspended
    running.apply(objects(), owner)
    assert specs(cluster) == RESUMED
    assert running.drift(objects(), owner) == []


@pytest.mark.parametrize("then", ["suspended", "running"])
def test_what_was_stopped_by_patches_can_be_applied(cluster, then):
    """The same field manager comes with manifests later: no conflict, and no field is lost."""
    gateway = cluster.gateway()
    gateway.apply(verbs.PRO, verbs.OWNER)
    gateway.stop(NAMESPACE, verbs.OWNER)
    wanted = verbs.SUSPENDED if then == "suspended" else verbs.PRO
    (gateway.suspend if then == "suspended" else gateway.apply)(wanted, verbs.OWNER)
    assert gateway.drift(wanted, verbs.OWNER) == []
    gateway.apply(verbs.PRO, verbs.OWNER)
    assert gateway.drift(verbs.PRO, verbs.OWNER) == []
    assert cluster.ask("GET", f"{APPS}/deployments/product")[1]["spec"]["replicas"] == 3


def test_stopped_twice_nothing_is_written(cluster, owner, running, versions):
    """Every version stays."""
    running.stop(NAMESPACE, owner)
    before = versions()
    assert running.stop(NAMESPACE, owner) is True
    assert versions() == before


def test_stopped_whatever_the_plan_is_called(cluster, objects, owner, running):
    """A plan that nobody sells any more takes nothing away from stopping."""
    label = {"metadata": {"labels": {"arm-engine.io/plan": "withdrawn"}}}
    cluster.ask("PATCH", CORE, label, content_type=MERGE)
    running.stop(NAMESPACE, owner)
    assert specs(cluster) == STOPPED
    running.apply(objects(), owner)
    assert specs(cluster) == RESUMED


def test_stopped_without_a_quota_there_is_one_of_no_pods(cluster, objects, owner, running):
    """Ours, so that nobody in the namespace takes it away; the plan's comes back with it."""
    cluster.ask("DELETE", QUOTA)
    running.stop(NAMESPACE, owner)
    assert specs(cluster) == STOPPED
    found = cluster.ask("GET", QUOTA)[1]
    assert found["spec"]["hard"] == {"pods": "0"}
    assert found["metadata"]["labels"] == dict(owner)
    running.apply(objects(), owner)
    assert specs(cluster) == RESUMED
    assert running.drift(objects(), owner) == []


def test_what_is_not_there_is_not_stopped(cluster, owner):
    """There is nothing to take away."""
    assert cluster.gateway().stop(NAMESPACE, owner) is False


def test_what_goes_is_not_stopped(cluster, objects, owner):
    """Its deletion stops it."""
    gateway = cluster.gateway()
    gateway.apply(objects(), owner)
    with pytest.raises(Waiting):
        gateway.delete(NAMESPACE, owner)
    with pytest.raises(Waiting, match="is Terminating"):
        gateway.stop(NAMESPACE, owner)


def test_the_mark_and_the_quota_come_before_anything_is_stopped(cluster, owner, running):
    """A worker that dies on the way is followed by one that knows that it was suspended."""
    cluster.seen()
    running.stop(NAMESPACE, owner)
    names = [name for method, name in cluster.seen() if method in {"PATCH", "DELETE"}]
    assert names[:2] == [NAMESPACE, "plan"]
    assert cluster.ask("GET", CORE)[1]["metadata"]["annotations"][SUSPENDED] == "true"
