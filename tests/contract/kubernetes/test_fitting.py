"""Who uses more than they pay for is brought down to fit, and gets it back with a larger plan."""

import time

import pytest

from chalicelib.domain.errors import Permanent, Waiting
from chalicelib.domain.labels import Labels
from chalicelib.wiring import catalogue
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

LABELS = Labels.of(catalogue().product)
PODS = f"{CORE}/pods"
OLD, NEW = f"{APPS}/deployments/old", f"{APPS}/deployments/web"


def sized(cpu="100m", **more):
    spec = pod_spec(**more)
    sizes = {"cpu": cpu, "memory": "64Mi", "ephemeral-storage": "64Mi"}
    spec["containers"][0]["resources"] = {"requests": sizes, "limits": sizes}
    return spec


def pods_of(cluster, path, count, **spec):
    """What the controller of a workload would have made by now."""
    if cluster.has_controllers:
        return
    name = path.rsplit("/", 1)[1]
    for number in range(count):
        metadata = {"name": f"{name}-{number}", "ownerReferences": [owned_by(cluster, path)]}
        body = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": sized(**spec)}
        status, answer = cluster.ask("POST", PODS, body)
        assert status == 201, answer


def made(cluster, kind, name, replicas, cpu="100m", **more):
    """A workload with its pods; the replicas of a Deployment are a ReplicaSet's."""
    body = workload(kind, name, replicas=replicas, **more)
    body["spec"]["template"]["spec"] = sized(cpu)
    path = f"{APPS}/{kind.lower()}s"
    status, answer = cluster.ask("POST", path, body)
    assert status == 201, answer
    path = chief = f"{path}/{name}"
    if kind == "Deployment" and not cluster.has_controllers:
        body = workload("ReplicaSet", f"{name}-1", replicas=replicas)
        body["metadata"]["ownerReferences"] = [owned_by(cluster, path)]
        cluster.ask("POST", f"{APPS}/replicasets", body)
        chief = f"{APPS}/replicasets/{name}-1"
    pods_of(cluster, chief, replicas, cpu=cpu)
    return path


@pytest.fixture
def pro(cluster, objects, owner):
    """A tenant on Pro, and its gateway."""
    gateway = cluster.gateway()
    gateway.apply(objects("pro"), owner)
    return gateway


def settled(cluster, verb):
    """What a verb answers once it need not be waited for."""
    for _ in range(30):
        try:
            return verb()
        except Waiting:
            cluster.end_pods()
            if cluster.has_controllers:
                time.sleep(1)
    raise AssertionError("it never comes to rest")


def replicas(cluster, path):
    return cluster.ask("GET", path)[1]["spec"]["replicas"]


def running(cluster):
    found = cluster.ask("GET", PODS)[1]["items"]
    return sum("deletionTimestamp" not in pod["metadata"] for pod in found)


def test_what_is_over_is_told(cluster, objects, owner, pro):
    """After a smaller plan was applied; nothing is over before, or where nobody is."""
    made(cluster, "Deployment", "web", 8)
    assert pro.overuse(NAMESPACE, owner) == ()
    pro.apply(objects("free"), owner)
    found = {each.name: each for each in pro.overuse(NAMESPACE, owner)}
    assert (found["pods"].used, found["pods"].hard, found["pods"].by) == ("8", "5", "3")
    assert found["requests.cpu"].by == "300m"


def test_where_nobody_is_nothing_is_over(cluster, owner):
    """And there is nothing to make smaller."""
    gateway = cluster.gateway()
    assert gateway.overuse(NAMESPACE, owner) == gateway.fit(NAMESPACE, owner) == ()


def test_somebody_elses_quota_is_not_looked_at(cluster, owner, pro):
    """A namespace that is another tenant's is never measured for this one."""
    with pytest.raises(Permanent, match="not ours"):
        pro.overuse(NAMESPACE, {**owner, LABELS.tenant: "somebody"})


def test_it_is_brought_down_to_fit_and_given_back(cluster, objects, owner, pro):
    """The newest first, each size remembered; a larger plan gives it back, and forgets it."""
    old = made(cluster, "Deployment", "old", 3)
    if cluster.has_controllers:
        time.sleep(1.1)
    new = made(cluster, "StatefulSet", "web", 5, serviceName="web")
    pro.apply(objects("free"), owner)
    with pytest.raises(Waiting, match="made smaller to fit its plan: "):
        pro.fit(NAMESPACE, owner)
    assert settled(cluster, lambda: pro.fit(NAMESPACE, owner)) == ()
    assert replicas(cluster, old) + replicas(cluster, new) == running(cluster) == 5
    pro.apply(objects("free"), owner)
    assert replicas(cluster, old) + replicas(cluster, new) == 5
    pro.apply(objects("pro"), owner)
    assert (replicas(cluster, old), replicas(cluster, new)) == (3, 5)
    for path in (old, new):
        noted = cluster.ask("GET", path)[1]["metadata"].get("annotations", {})
        assert LABELS.unfitted_size not in noted
    assert LABELS.fitted not in cluster.ask("GET", CORE)[1]["metadata"]["annotations"]
    assert pro.drift(objects("pro"), owner) == []


def test_what_fits_is_left_alone(cluster, objects, owner, pro):
    """Nothing is written, and nothing is looked at but the namespace and its quota."""
    made(cluster, "Deployment", "web", 4)
    pro.apply(objects("free"), owner)
    cluster.seen()
    assert pro.fit(NAMESPACE, owner) == ()
    assert cluster.seen() == [("GET", NAMESPACE), ("GET", "plan")]


def test_volumes_and_objects_are_never_touched(cluster, objects, owner, pro):
    """They hold a customer's data: what is too much of them is told, and stays."""
    claim = {
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data"},
        "spec": {
            "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "10Gi"}},
        },
    }  # fmt: skip
    assert cluster.ask("POST", f"{CORE}/persistentvolumeclaims", claim)[0] == 201
    path = made(cluster, "StatefulSet", "db", 6, serviceName="db",
                persistentVolumeClaimRetentionPolicy={"whenScaled": "Delete"})  # fmt: skip
    pro.apply(objects("free"), owner)
    (left,) = settled(cluster, lambda: pro.fit(NAMESPACE, owner))
    assert (left.name, left.used, left.by) == ("requests.storage", "10Gi", "8Gi")
    assert cluster.ask("GET", f"{CORE}/persistentvolumeclaims/data")[0] == 200
    policy = cluster.ask("GET", path)[1]["spec"]["persistentVolumeClaimRetentionPolicy"]
    assert policy["whenScaled"] == "Retain"
    pro.apply(objects("pro"), owner)
    policy = cluster.ask("GET", path)[1]["spec"]["persistentVolumeClaimRetentionPolicy"]
    assert policy["whenScaled"] == "Delete"


def test_a_job_is_suspended_and_goes_on_later(cluster, objects, owner, pro):
    """It is not deleted: what it has done is kept."""
    body = batch("Job", "once", parallelism=6, completions=6)
    body["spec"]["template"]["spec"] = sized(restartPolicy="Never")
    assert cluster.ask("POST", f"{BATCH}/jobs", body)[0] == 201
    path = f"{BATCH}/jobs/once"
    pods_of(cluster, path, 6, restartPolicy="Never")
    pro.apply(objects("free"), owner)
    assert settled(cluster, lambda: pro.fit(NAMESPACE, owner)) == ()
    assert cluster.ask("GET", path)[1]["spec"]["suspend"] is True
    pro.apply(objects("pro"), owner)
    assert cluster.ask("GET", path)[1]["spec"]["suspend"] is False


def test_a_pod_that_nobody_owns_is_deleted_last(cluster, objects, owner, pro):
    """Whoever makes it look as if somebody did gains nothing by it."""
    note = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "note"}}
    cluster.ask("POST", f"{CORE}/configmaps", note)
    fake = [owned_by(cluster, f"{CORE}/configmaps/note")]
    for number in range(6):
        metadata = {"name": f"lone-{number}", "ownerReferences": fake if number % 2 else []}
        body = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": sized()}
        assert cluster.ask("POST", PODS, body)[0] == 201
    web = made(cluster, "Deployment", "web", 2)
    pro.apply(objects("free"), owner)
    assert settled(cluster, lambda: pro.fit(NAMESPACE, owner)) == ()
    assert replicas(cluster, web) == 0
    assert running(cluster) == 5


@pytest.mark.parametrize("first", ["fit", "suspend"])
def test_fitted_and_suspended_it_comes_back_as_far_as_there_is_room(
    cluster, objects, owner, pro, first
):
    """In any order: the two sizes are remembered beside each other."""
    path = made(cluster, "Deployment", "web", 8)
    pro.apply(objects("free"), owner)
    if first == "fit":
        settled(cluster, lambda: pro.fit(NAMESPACE, owner))
        settled(cluster, lambda: pro.suspend(objects("free", suspended=True), owner))
    else:
        settled(cluster, lambda: pro.suspend(objects("free", suspended=True), owner))
        pro.fit(NAMESPACE, owner)
    assert replicas(cluster, path) == running(cluster) == 0
    pro.apply(objects("free"), owner)
    assert replicas(cluster, path) == (5 if first == "fit" else 8)
    pro.apply(objects("pro"), owner)
    assert replicas(cluster, path) == 8


def test_who_edits_our_notes_gains_nothing(cluster, objects, owner, pro):
    """Nothing is given back that the plan has no room for."""
    path = made(cluster, "Deployment", "web", 8)
    pro.apply(objects("free"), owner)
    settled(cluster, lambda: pro.fit(NAMESPACE, owner))
    patch = {"metadata": {"annotations": {LABELS.unfitted_size: "900"}}}
    cluster.ask("PATCH", path, patch, content_type=MERGE)
    pro.apply(objects("free"), owner)
    assert replicas(cluster, path) == 5


def test_a_pod_that_ends_late_is_waited_for(cluster, objects, owner, pro):
    """It gets our time to end, and counts until it has."""
    path = made(cluster, "Deployment", "web", 6)
    pro.apply(objects("free"), owner)
    for pod in cluster.ask("GET", PODS)[1]["items"]:
        target = {"apiVersion": "v1", "kind": "Node", "name": "node"}
        name = pod["metadata"]["name"]
        body = {
            "apiVersion": "v1", "kind": "Binding", "metadata": {"name": name}, "target": target
        }  # fmt: skip
        cluster.ask("POST", f"{PODS}/{name}/binding", body)
    with pytest.raises(Waiting, match="Deployment web"):
        pro.fit(NAMESPACE, owner)
    if not cluster.has_controllers:
        with pytest.raises(Waiting, match="Pod web-"):
            pro.fit(NAMESPACE, owner)
        with pytest.raises(Waiting, match="1 pod is still ending"):
            pro.fit(NAMESPACE, owner)
    assert settled(cluster, lambda: pro.fit(NAMESPACE, owner)) == ()
    assert replicas(cluster, path) == 5
