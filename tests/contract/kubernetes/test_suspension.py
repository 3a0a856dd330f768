"""Suspended, everything stops and its size is remembered; resumed, all runs as it did."""

import pytest

from chalicelib.domain.errors import Permanent, Temporary
from tests.contract.kubernetes import verbs

pytestmark = pytest.mark.cluster

NAMESPACE = "arm-4f9c2ab81d07e635"
CORE = f"/api/v1/namespaces/{NAMESPACE}"
APPS = f"/apis/apps/v1/namespaces/{NAMESPACE}"
BATCH = f"/apis/batch/v1/namespaces/{NAMESPACE}"
MERGE = "application/merge-patch+json"
SIZE = "arm-engine.io/size-before-suspension"
SUSPENDED = "arm-engine.io/suspended"


def pod_spec(**more):
    security = {
        "allowPrivilegeEscalation": False, "runAsNonRoot": True,
        "capabilities": {"drop": ["ALL"]}, "seccompProfile": {"type": "RuntimeDefault"},
    }  # fmt: skip
    return {"containers": [{"name": "c", "image": "x:1", "securityContext": security}], **more}


def workload(kind, name, **spec):
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": pod_spec()}
    spec = {"selector": {"matchLabels": labels}, "template": template} | spec
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}


def batch(kind, name, **spec):
    template = {"spec": pod_spec(restartPolicy="Never")}
    inner = {"template": template}
    spec = (
        inner | spec
        if kind == "Job"
        else {"schedule": "0 * * * *", "jobTemplate": {"spec": inner}, **spec}
    )
    return {"apiVersion": "batch/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}


MADE = {
    f"{APPS}/deployments/web": workload("Deployment", "web", replicas=3),
    f"{APPS}/deployments/off": workload("Deployment", "off", replicas=0),
    f"{APPS}/statefulsets/db": workload("StatefulSet", "db", replicas=2, serviceName="db"),
    f"{APPS}/daemonsets/agent": workload("DaemonSet", "agent"),
    f"{APPS}/replicasets/bare": workload("ReplicaSet", "bare", replicas=2),
    f"{BATCH}/cronjobs/nightly": batch("CronJob", "nightly"),
    f"{BATCH}/cronjobs/paused": batch("CronJob", "paused", suspend=True),
    f"{BATCH}/jobs/once": batch("Job", "once"),
    f"{CORE}/pods/lone": {
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "lone"}, "spec": pod_spec()
    },
}  # fmt: skip


@pytest.fixture
def running(cluster, objects, owner):
    """A tenant with something of everything, and its gateway."""
    gateway = cluster.gateway()
    gateway.apply(objects(), owner)
    for path, body in MADE.items():
        status, answer = cluster.ask("POST", path.rsplit("/", 1)[0], body)
        assert status == 201, answer
    return gateway


def specs(cluster):
    """Of everything, what says whether and how much it runs; None for what is gone."""
    found = {}
    for path in MADE:
        status, body = cluster.ask("GET", path)
        spec = body.get("spec", {})
        kind = path.split("/")[-2]
        found[path.split("/")[-1]] = (
            None if status == 404 or "deletionTimestamp" in body["metadata"]
            else spec["suspend"] if kind in {"cronjobs", "jobs"}
            else spec["template"]["spec"].get("nodeSelector") or None if kind == "daemonsets"
            else spec.get("replicas")
        )  # fmt: skip
    return found


STOPPED = {
    "web": 0, "off": 0, "db": 0, "agent": {SUSPENDED: "true"}, "bare": 0,
    "nightly": True, "paused": True, "once": None, "lone": None,
}  # fmt: skip
RESUMED = {
    "web": 3, "off": 0, "db": 2, "agent": None, "bare": 2,
    "nightly": False, "paused": True, "once": None, "lone": None,
}  # fmt: skip


def test_suspended_everything_stops_and_resumed_it_is_as_it_was(cluster, objects, owner, running):
    """Sizes come back; what was stopped before stays so; bare pods and Jobs are gone for good."""
    assert running.suspend(objects(suspended=True), owner) is True
    assert specs(cluster) == STOPPED
    running.apply(objects(), owner)
    assert specs(cluster) == RESUMED
    _, web = cluster.ask("GET", f"{APPS}/deployments/web")
    assert SIZE not in web["metadata"].get("annotations", {})
    assert running.drift(objects(), owner) == []


def test_the_quota_comes_before_anything_is_stopped(cluster, objects, owner, running):
    """Whatever is stopped cannot come back, by whomever it is started."""
    cluster.seen()
    running.suspend(objects(suspended=True), owner)
    names = [name for method, name in cluster.seen() if method in {"PATCH", "DELETE"}]
    assert names[:2] == [NAMESPACE, "plan"]
    assert min(names.index(name) for name in ("web", "db", "agent", "nightly", "lone")) > 2


def test_a_size_is_remembered_in_the_patch_that_takes_it_away(cluster, objects, owner, running):
    """So no crash can come between."""
    cluster.seen()
    running.suspend(objects(suspended=True), owner)
    assert [each for each in cluster.seen() if each[1] == "web"] == [("PATCH", "web")]
    _, web = cluster.ask("GET", f"{APPS}/deployments/web")
    assert web["metadata"]["annotations"][SIZE] == "3"


def test_the_first_size_is_the_one_that_counts(cluster, objects, owner, running):
    """Suspended twice, with somebody scaling in between, what was paid for comes back."""
    running.suspend(objects(suspended=True), owner)
    cluster.ask("PATCH", f"{APPS}/deployments/web", {"spec": {"replicas": 1}}, content_type=MERGE)
    running.suspend(objects(suspended=True), owner)
    assert specs(cluster) == STOPPED
    running.apply(objects(), owner)
    assert specs(cluster) == RESUMED


def test_suspended_again_nothing_is_written(cluster, objects, owner, running, versions):
    """Every version stays."""
    running.suspend(objects(suspended=True), owner)
    before = generations(cluster), versions()
    running.suspend(objects(suspended=True), owner)
    assert (generations(cluster), versions()) == before


def generations(cluster):
    """How often each spec has changed."""
    return [cluster.ask("GET", path)[1]["metadata"].get("generation") for path in MADE]


def owned_by(cluster, path):
    """A reference to an object as its controller writes it."""
    found = cluster.ask("GET", path)[1]
    named = {name: found[name] for name in ("apiVersion", "kind")}
    own = {name: found["metadata"][name] for name in ("name", "uid")}
    return {**named, **own, "controller": True, "blockOwnerDeletion": True}


def test_a_deployments_replica_sets_are_left_to_it(cluster, objects, owner, running):
    """Its controller copies our annotations to them; given their size back, old ones would run."""
    if cluster.has_controllers:
        old = replica_set_of(cluster, "web")
    else:
        old = workload("ReplicaSet", "web-1", replicas=0)
        old["metadata"]["ownerReferences"] = [owned_by(cluster, f"{APPS}/deployments/web")]
        old["metadata"]["annotations"] = {SIZE: "3"}
        assert cluster.ask("POST", f"{APPS}/replicasets", old)[0] == 201
    running.suspend(objects(suspended=True), owner)
    running.apply(objects(), owner)
    found = cluster.ask("GET", f"{APPS}/replicasets/{old['metadata']['name']}")[1]
    assert found["spec"]["replicas"] == old["spec"]["replicas"]


def replica_set_of(cluster, deployment):
    """What its controller has made."""
    found = cluster.ask("GET", f"{APPS}/replicasets")[1]["items"]
    return next(each for each in found if each["metadata"]["name"].startswith(f"{deployment}-"))


def test_who_an_object_says_owns_it_decides_nothing(cluster, objects, owner, running):
    """Anybody may name a ConfigMap of their own as its controller: it stops all the same."""
    note = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "note"}}
    cluster.ask("POST", f"{CORE}/configmaps", note)
    ours = {"metadata": {"ownerReferences": [owned_by(cluster, f"{CORE}/configmaps/note")]}}
    for path in MADE:
        assert cluster.ask("PATCH", path, ours, content_type=MERGE)[0] == 200
    running.suspend(objects(suspended=True), owner)
    assert specs(cluster) == STOPPED
    running.apply(objects(), owner)
    assert specs(cluster) == RESUMED


def test_a_workload_that_changes_meanwhile_is_looked_at_again(
    cluster, objects, owner, running, monkeypatch
):
    """The size that is remembered is the one that was taken away, never an older one."""
    patch, raced = running._objects.patch, []

    def scaled_first(path, change, what):
        if path.endswith("/web") and not raced:
            raced.append(path)
            cluster.ask("PATCH", path, {"spec": {"replicas": 4}}, content_type=MERGE)
        patch(path, change, what)

    monkeypatch.setattr(running._objects, "patch", scaled_first)
    running.suspend(objects(suspended=True), owner)
    running.apply(objects(), owner)
    assert cluster.ask("GET", f"{APPS}/deployments/web")[1]["spec"]["replicas"] == 4


def test_one_that_never_holds_still_is_temporary(cluster, objects, owner, running, monkeypatch):
    """After a few looks it is put off, and everything else has stopped."""
    patch = running._objects.patch

    def scaled_first(path, change, what):
        if path.endswith("/web"):
            _, web = cluster.ask("GET", path)
            more = {"spec": {"replicas": web["spec"]["replicas"] + 1}}
            cluster.ask("PATCH", path, more, content_type=MERGE)
        patch(path, change, what)

    monkeypatch.setattr(running._objects, "patch", scaled_first)
    with pytest.raises(Temporary, match="object has been modified"):
        running.suspend(objects(suspended=True), owner)
    assert cluster.ask("GET", f"{APPS}/statefulsets/db")[1]["spec"]["replicas"] == 0


def test_what_others_have_set_does_not_keep_anything_running(cluster, objects, owner, running):
    """Who does not pay is stopped; the field stays theirs, which drift tells."""
    account = {"automountServiceAccountToken": True}
    cluster.ask("PATCH", f"{CORE}/serviceaccounts/tenant-admin", account, content_type=MERGE)
    assert running.suspend(objects(suspended=True), owner) is True
    assert specs(cluster) == STOPPED
    (line,) = running.drift(objects(suspended=True), owner)
    assert "automountServiceAccountToken is True" in line


def test_an_object_that_cannot_be_applied_does_not_keep_anything_running(
    cluster, objects, owner, running, extra
):
    """Who does not pay is stopped, and the operator is told of the rest."""
    refused = {**extra, "metadata": {**extra["metadata"], "labels": {"not a name": "1"}}}
    with pytest.raises(Permanent, match="HTTP 422"):
        running.suspend([*objects(suspended=True), refused], owner)
    assert specs(cluster) == STOPPED


def test_resumed_onto_another_plan(cluster, objects, owner, running):
    """Suspended on one plan, back on another: all runs, with the new plan's quota."""
    running.suspend(objects(suspended=True), owner)
    running.apply(objects("pro"), owner)
    assert specs(cluster) == RESUMED
    quota = cluster.ask("GET", f"{CORE}/resourcequotas/plan")[1]["spec"]["hard"]
    assert quota["pods"] == "200"


def test_what_a_patch_has_stopped_an_apply_starts(cluster, monkeypatch):
    """A suspension that could not apply our own Deployment stops it by a patch; it comes back."""
    gateway = cluster.gateway()
    verbs.VERBS["provision"](gateway)

    def busy(manifest):
        if manifest["kind"] == "Deployment":
            raise Temporary("429")

    with monkeypatch.context() as patched:
        patched.setattr(gateway, "_apply_stopped", busy)
        with pytest.raises(Temporary):
            verbs.VERBS["suspend"](gateway)
    assert cluster.ask("GET", f"{APPS}/deployments/product")[1]["spec"]["replicas"] == 0
    verbs.VERBS["suspend"](gateway)
    verbs.VERBS["resume"](gateway)
    assert cluster.ask("GET", f"{APPS}/deployments/product")[1]["spec"]["replicas"] == 3
    assert gateway.drift(verbs.PRO, verbs.OWNER) == []
