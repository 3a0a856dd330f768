"""The stand-in's controllers: what makes workloads run, and what a suspension meets there."""

import json

import pytest

from chalicelib.domain.errors import Waiting
from chalicelib.domain.labels import Labels
from chalicelib.gateways.cluster import KubernetesCluster
from chalicelib.gateways.kubernetes_http import Answer
from chalicelib.wiring import catalogue
from sandbox.kubernetes.authorization import ADMIN
from sandbox.kubernetes.cluster import Cluster
from sandbox.kubernetes.requests import parse
from tests.contract.kubernetes.test_suspension import (
    APPS,
    BATCH,
    CORE,
    MERGE,
    NAMESPACE,
    SIZE,
    batch,
    workload,
)

WEB = f"{APPS}/deployments/web"


class Running:
    """A cluster in which workloads have pods, and the product's own client in it."""

    def __init__(self):
        self.cluster = Cluster({"t": ADMIN}, runs_workloads=True)
        self.gateway = KubernetesCluster(self, Labels.of(catalogue().product))

    def request(self, method, path, *, body=None, content_type="application/json"):
        """One request, one answer."""
        headers = {"Authorization": "Bearer t", "Content-Type": content_type}
        text = b"" if body is None else json.dumps(body).encode()
        answer = self.cluster.handle(parse(method, path, headers, text))
        return Answer(answer.status, answer.json)

    def ask(self, method, path, body=None, content_type="application/json"):
        """The body of what must succeed."""
        answer = self.request(method, path, body=body, content_type=content_type)
        assert answer.status in {200, 201}, answer.body
        return answer.body

    def items(self, path):
        """What a list holds."""
        return self.ask("GET", path)["items"]

    def pods(self):
        """Names of the pods that run and are not told to end."""
        return sorted(
            pod["metadata"]["name"].rpartition("-")[0]
            for pod in self.items(f"{CORE}/pods")
            if "deletionTimestamp" not in pod["metadata"]
        )


@pytest.fixture
def at(objects, owner):
    """Such a cluster, with a tenant."""
    found = Running()
    found.gateway.apply(objects(), owner)
    return found


def settled(at, verb):
    for _ in range(9):
        try:
            return verb()
        except Waiting:
            at.cluster.finish_deletions()
    raise AssertionError("it never comes to rest")


def test_a_deployment_has_pods_and_a_status(at):
    """So `kubectl rollout status` ends."""
    at.ask("POST", f"{APPS}/deployments", workload("Deployment", "web", replicas=3))
    assert len(at.pods()) == 3
    status = at.ask("GET", WEB)["status"]
    assert status["readyReplicas"] == status["updatedReplicas"] == 3
    assert status["observedGeneration"] == at.ask("GET", WEB)["metadata"]["generation"]
    at.ask("PATCH", f"{WEB}/scale", {"spec": {"replicas": 1}}, MERGE)
    assert len(at.pods()) == 1


def test_a_deployments_annotations_are_copied_to_its_replica_sets(at):
    """Ours too, which is why nothing on those is ever believed."""
    body = workload("Deployment", "web", replicas=2)
    body["metadata"]["annotations"] = {SIZE: "2"}
    at.ask("POST", f"{APPS}/deployments", body)
    (found,) = at.items(f"{APPS}/replicasets")
    assert found["metadata"]["annotations"][SIZE] == "2"


def test_a_deployment_changed_while_it_is_suspended_comes_back_once(at, objects, owner):
    """Not the old version beside the new one."""
    at.ask("POST", f"{APPS}/deployments", workload("Deployment", "web", replicas=3))
    settled(at, lambda: at.gateway.suspend(objects(suspended=True), owner))
    assert at.pods() == []
    containers = [{"name": "c", "image": "x:2"}]
    patch = {"spec": {"template": {"spec": {"containers": containers}}}}
    at.ask("PATCH", WEB, patch, "application/strategic-merge-patch+json")
    at.gateway.apply(objects(), owner)
    at.cluster.finish_deletions()
    sizes = sorted(each["spec"]["replicas"] for each in at.items(f"{APPS}/replicasets"))
    assert (sizes, len(at.pods())) == ([0, 3], 3)
    assert {pod["spec"]["containers"][0]["image"] for pod in at.items(f"{CORE}/pods")} == {"x:2"}


@pytest.mark.parametrize("verb", ["suspend", "stop"])
def test_everything_that_runs_stops_and_comes_back(at, objects, owner, verb):
    """Deployment, StatefulSet with its volumes, DaemonSet, Job."""
    at.ask("POST", f"{APPS}/deployments", workload("Deployment", "web", replicas=2))
    policy = {"persistentVolumeClaimRetentionPolicy": {"whenScaled": "Delete"}}
    claim = {
        "metadata": {"name": "data"},
        "spec": {
            "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}},
        },
    }  # fmt: skip
    db = workload("StatefulSet", "db", replicas=2, serviceName="db", volumeClaimTemplates=[claim])
    db["spec"] |= policy
    at.ask("POST", f"{APPS}/statefulsets", db)
    at.ask("POST", f"{APPS}/daemonsets", workload("DaemonSet", "agent"))
    at.ask("POST", f"{BATCH}/jobs", batch("Job", "once"))
    assert len(at.pods()) == 2 + 2 + 1 + 1
    volumes = [each["metadata"]["uid"] for each in at.items(f"{CORE}/persistentvolumeclaims")]
    assert len(volumes) == 2
    if verb == "suspend":
        settled(at, lambda: at.gateway.suspend(objects(suspended=True), owner))
    else:
        settled(at, lambda: at.gateway.stop(NAMESPACE, owner))
    assert at.items(f"{CORE}/pods") == []
    at.gateway.apply(objects(), owner)
    assert at.pods() == ["agent", "db", "db", *[at.pods()[-1]] * 2]
    assert volumes == [
        each["metadata"]["uid"] for each in at.items(f"{CORE}/persistentvolumeclaims")
    ]


def test_scaled_down_by_itself_a_stateful_set_loses_the_volumes_it_says(at):
    """Which is what a suspension must not do to it."""
    claim = {
        "metadata": {"name": "data"},
        "spec": {
            "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}},
        },
    }  # fmt: skip
    db = workload("StatefulSet", "db", replicas=2, serviceName="db", volumeClaimTemplates=[claim])
    db["spec"]["persistentVolumeClaimRetentionPolicy"] = {"whenScaled": "Delete"}
    at.ask("POST", f"{APPS}/statefulsets", db)
    at.ask("PATCH", f"{APPS}/statefulsets/db/scale", {"spec": {"replicas": 1}}, MERGE)
    (left,) = at.items(f"{CORE}/persistentvolumeclaims")
    assert left["metadata"]["name"] == "data-db-0"


def test_pods_of_a_fake_owner_are_collected(at):
    """What names only what is not there goes by itself."""
    ref = {"apiVersion": "v1", "kind": "ConfigMap", "name": "gone", "uid": "u", "controller": True}
    body = workload("ReplicaSet", "bare", replicas=1)
    body["metadata"]["ownerReferences"] = [ref]
    at.ask("POST", f"{APPS}/replicasets", body)
    assert at.items(f"{APPS}/replicasets") == []


def test_who_uses_too_much_is_brought_down_and_gets_it_back(at, objects, owner):
    """With the controllers doing their part: no pod has to be taken from a workload by hand."""
    sizes = {"cpu": "50m", "memory": "64Mi", "ephemeral-storage": "64Mi"}
    for kind, name in (("Deployment", "web"), ("StatefulSet", "db")):
        body = workload(kind, name, replicas=4)
        body["spec"]["template"]["spec"]["containers"][0]["resources"] = {"limits": sizes}
        at.ask("POST", f"{APPS}/{kind.lower()}s", body)
    at.gateway.apply(objects("free"), owner)
    assert settled(at, lambda: at.gateway.fit(NAMESPACE, owner)) == ()
    assert len(at.pods()) == 5
    at.gateway.apply(objects("pro"), owner)
    assert len(at.pods()) == 8
