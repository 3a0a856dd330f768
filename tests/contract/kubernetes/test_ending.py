"""Suspended is who has no pod left, whoever owns it and however long it wants to take."""

import pytest

from chalicelib.domain.errors import Permanent, Waiting
from tests.contract.kubernetes.test_suspension import (
    APPS,
    BATCH,
    CORE,
    MERGE,
    NAMESPACE,
    batch,
    owned_by,
    pod_spec,
    workload,
)

pytestmark = pytest.mark.cluster

PODS = f"{CORE}/pods"
LONGEST = 600
"""Seconds, the most that admission lets a pod ask for; one from before may ask for more."""

HELD = {"finalizers": ["example.com/mine"]}


@pytest.fixture
def gateway(cluster, objects, owner):
    """Of a tenant that stands."""
    found = cluster.gateway()
    found.apply(objects(), owner)
    return found


@pytest.fixture
def stop(gateway, objects, owner):
    """Stop the tenant in either way."""
    return {
        "suspend": lambda: gateway.suspend(objects(suspended=True), owner),
        "stop": lambda: gateway.stop(NAMESPACE, owner),
    }


def started(cluster, name="p", metadata=None, **spec):
    """A pod that a node runs."""
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name} | (metadata or {})}
    status, answer = cluster.ask("POST", PODS, {**body, "spec": pod_spec(**spec)})
    assert status == 201, answer
    target = {"apiVersion": "v1", "kind": "Node", "name": "node"}
    binding = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": name}, "target": target}
    assert cluster.ask("POST", f"{PODS}/{name}/binding", binding)[0] == 201
    return f"{PODS}/{name}"


def made(cluster, collection, body):
    status, answer = cluster.ask("POST", collection, body)
    assert status == 201, answer
    return f"{collection}/{body['metadata']['name']}"


@pytest.mark.parametrize("verb", ["suspend", "stop"])
def test_suspended_is_who_has_no_pod_left(cluster, stop, verb):
    """Until then it is waited for, and the pods say so by name."""
    started(cluster)
    for _ in range(2):
        with pytest.raises(Waiting, match=r"1 pod is still ending \(p\)"):
            stop[verb]()
    cluster.end_pods()
    assert stop[verb]() is True


@pytest.mark.parametrize("verb", ["suspend", "stop"])
def test_a_pod_of_anybodys_is_ended(cluster, stop, verb):
    """Of a ConfigMap, a sick StatefulSet, a Job: what a pod names as its owner is the tenant's."""
    note = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "note"}}
    owners = [
        made(cluster, f"{CORE}/configmaps", note),
        made(cluster, f"{APPS}/statefulsets", workload("StatefulSet", "db", serviceName="db")),
        made(cluster, f"{BATCH}/jobs", batch("Job", "once")),
    ]
    pods = [
        started(cluster, f"p{n}", {"ownerReferences": [owned_by(cluster, path)]})
        for n, path in enumerate(owners)
    ]
    with pytest.raises(Waiting, match="pods are still ending"):
        stop[verb]()
    for path in pods:
        status, pod = cluster.ask("GET", path)
        assert status == 404 or pod["metadata"]["deletionGracePeriodSeconds"] <= 30
    cluster.end_pods()
    assert stop[verb]() is True


def test_a_pod_gets_our_time_to_end_and_not_its_own(cluster, stop):
    """Also where somebody has begun to delete it with its own."""
    new = started(cluster, "new", terminationGracePeriodSeconds=LONGEST)
    old = started(cluster, "old", terminationGracePeriodSeconds=LONGEST)
    cluster.ask("DELETE", old)
    assert cluster.ask("GET", old)[1]["metadata"]["deletionGracePeriodSeconds"] == LONGEST
    with pytest.raises(Waiting):
        stop["suspend"]()
    for path in (new, old):
        assert cluster.ask("GET", path)[1]["metadata"]["deletionGracePeriodSeconds"] == 30
    cluster.end_pods()
    assert stop["suspend"]() is True


def test_a_pod_that_ends_in_time_is_left_alone(cluster, stop):
    """What it was given is not cut short by looking again."""
    path = started(cluster)
    with pytest.raises(Waiting):
        stop["suspend"]()
    before = cluster.ask("GET", path)[1]
    with pytest.raises(Waiting):
        stop["suspend"]()
    assert cluster.ask("GET", path)[1] == before


@pytest.mark.parametrize("where", ["a pod", "a Job", "a pod of a Job"])
def test_a_finalizer_of_the_tenants_own_keeps_nothing_running(cluster, stop, where):
    """It is lifted from what we have deleted."""
    if where != "a pod":
        once = batch("Job", "once")
        once["metadata"] |= HELD if where == "a Job" else {}
        job = made(cluster, f"{BATCH}/jobs", once)
    metadata = {} if where == "a pod" else {"ownerReferences": [owned_by(cluster, job)]}
    pod = started(cluster, metadata=metadata | ({} if where == "a Job" else HELD))
    with pytest.raises(Waiting):
        stop["suspend"]()
    cluster.end_pods()
    assert stop["suspend"]() is True
    assert cluster.ask("GET", pod)[0] == 404
    if where != "a pod":
        assert cluster.ask("GET", job)[0] == 404


def test_a_quota_that_does_not_hold_yet_is_waited_for(cluster, stop, gateway, monkeypatch):
    """What keeps pods out is its status, and its controller may be away."""
    look = gateway._objects.at

    def behind(path, what):
        found = look(path, what)
        if path.endswith("/plan"):
            return {**found, "status": {"hard": {**found["status"]["hard"], "pods": "40"}}}
        return found

    with monkeypatch.context() as patched:
        patched.setattr(gateway._objects, "at", behind)
        with pytest.raises(Waiting, match="does not hold yet"):
            stop["suspend"]()
    assert stop["suspend"]() is True


def test_an_object_that_is_refused_does_not_hide_a_pod(cluster, gateway, objects, owner, extra):
    """Nobody looks again at what failed for good, so that is told when all has ended."""
    started(cluster)
    bad = {**extra, "metadata": {**extra["metadata"], "labels": {"not a name": "1"}}}
    refused = [*objects(suspended=True), bad]
    with pytest.raises(Waiting, match="still ending"):
        gateway.suspend(refused, owner)
    cluster.end_pods()
    with pytest.raises(Permanent, match="HTTP 422"):
        gateway.suspend(refused, owner)


def test_a_namespace_is_not_held_up_by_a_pods_grace(cluster, gateway, owner):
    """A pod that asks for ten minutes gets the same time as any."""
    path = started(cluster, terminationGracePeriodSeconds=LONGEST)
    for _ in range(2):
        with pytest.raises(Waiting):
            gateway.delete(NAMESPACE, owner)
    assert cluster.ask("GET", path)[1]["metadata"]["deletionGracePeriodSeconds"] == 30
    cluster.finish_deletions()
    assert not gateway.stands(NAMESPACE, owner)


def test_a_namespace_that_goes_already_is_not_held_up_either(cluster, gateway, owner):
    """Somebody else began to delete it, and its pods with it."""
    path = started(cluster, terminationGracePeriodSeconds=LONGEST)
    cluster.ask("DELETE", CORE)
    cluster.let_controllers_look()
    with pytest.raises(Waiting):
        gateway.delete(NAMESPACE, owner)
    assert cluster.ask("GET", path)[1]["metadata"]["deletionGracePeriodSeconds"] == 30
    cluster.finish_deletions()
    gateway.delete(NAMESPACE, owner)


@pytest.mark.parametrize(
    ("collection", "body"),
    [
        (f"{APPS}/deployments", workload("Deployment", "web", replicas=0)),
        (f"{BATCH}/jobs", batch("Job", "once", suspend=True)),
        (PODS, {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": pod_spec()}),
    ],
)
def test_a_namespace_is_not_held_up_by_a_tenants_finalizer(
    cluster, gateway, owner, collection, body
):
    """It is taken off what goes with the namespace, with no more rights than suspending needs."""
    made(cluster, collection, {**body, "metadata": {**body["metadata"], **HELD}})
    with pytest.raises(Waiting):
        gateway.delete(NAMESPACE, owner)
    cluster.let_controllers_look()
    with pytest.raises(Waiting):
        gateway.delete(NAMESPACE, owner)
    cluster.finish_deletions()
    gateway.delete(NAMESPACE, owner)


def test_what_the_worker_may_not_read_it_names(cluster, gateway, owner):
    """Finalizers of ConfigMaps are an operator's to lift, unless the worker was given the right."""
    note = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "note", **HELD}}
    path = made(cluster, f"{CORE}/configmaps", note)
    with pytest.raises(Waiting):
        gateway.delete(NAMESPACE, owner)
    cluster.let_controllers_look()
    with pytest.raises(Waiting, match=r"example\.com/mine"):
        gateway.delete(NAMESPACE, owner)
    assert cluster.ask("GET", path)[1]["metadata"]["finalizers"] == HELD["finalizers"]
    with pytest.raises(Waiting):
        cluster.gateway(cluster.administrator).delete(NAMESPACE, owner)
    cluster.finish_deletions()
    gateway.delete(NAMESPACE, owner)


def test_another_objects_finalizers_are_not_ours_to_lift(cluster, gateway, owner):
    """A Service's stands for a load balancer that somebody still has to give back."""
    service = {
        "apiVersion": "v1", "kind": "Service",
        "metadata": {"name": "web", "finalizers": ["service.kubernetes.io/load-balancer-cleanup"]},
        "spec": {"ports": [{"port": 80}]},
    }  # fmt: skip
    path = made(cluster, f"{CORE}/services", service)
    with pytest.raises(Waiting):
        gateway.delete(NAMESPACE, owner)
    cluster.let_controllers_look()
    with pytest.raises(Waiting, match="load-balancer-cleanup"):
        gateway.delete(NAMESPACE, owner)
    assert cluster.ask("GET", path)[1]["metadata"]["finalizers"]
    cluster.ask("PATCH", path, {"metadata": {"finalizers": None}}, content_type=MERGE)
