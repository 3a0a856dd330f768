"""The product's gateway against the stand-in, over a socket."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from chalicelib.domain import inventory
from chalicelib.domain.errors import Permanent, Temporary, Waiting
from chalicelib.gateways.kubernetes_http import Answer, KubernetesHttp

pytestmark = pytest.mark.cluster

NAMESPACE = "arm-4f9c2ab81d07e635"
PATH = f"/api/v1/namespaces/{NAMESPACE}"
QUOTA = f"{PATH}/resourcequotas/plan"


def test_the_first_apply_is_one_look_and_one_request_per_object(cluster, objects, owner):
    """One GET of the namespace, its PATCH, then a PATCH for each of the rest: no discovery."""
    wanted = objects()
    cluster.gateway().apply(wanted, owner)
    look, first, *rest = cluster.seen()
    assert (look, first) == (("GET", NAMESPACE), ("PATCH", NAMESPACE))
    names = sorted(manifest["metadata"]["name"] for manifest in wanted[1:])
    assert sorted(rest) == [("PATCH", name) for name in names]


def test_what_follows_the_namespace_goes_side_by_side(cluster, objects, owner):
    """With every answer held back after the namespace's, all the rest is under way at once.

    So a first convergence takes three round trips, however long one is.
    """
    cluster.faults(hang_after=1)
    with ThreadPoolExecutor(1) as pool:
        applied = pool.submit(cluster.gateway().apply, objects(), owner)
        while len(waiting := unanswered(cluster)) < len(objects()) - 1:
            assert not applied.done()
        cluster.faults(hang_after=None)
        applied.result()
    assert {request["method"] for request in waiting} == {"PATCH"}


def unanswered(cluster):
    seen = cluster.ask("GET", "/sandbox/requests", token=None)[1]
    return [request for request in seen if request["status"] is None]


def test_applying_again_changes_nothing(cluster, objects, owner, versions):
    """The same objects a second time keep every resourceVersion."""
    gateway = cluster.gateway()
    gateway.apply(objects(), owner)
    before = versions()
    gateway.apply(objects(), owner)
    assert versions() == before
    assert len(before) > len(objects()) - 1


def test_another_plan_changes_what_differs(cluster, objects, owner):
    """After an upgrade the quota is the new plan's."""
    gateway = cluster.gateway()
    gateway.apply(objects("basic"), owner)
    gateway.apply(objects("pro"), owner)
    wanted = next(o for o in objects("pro") if o["kind"] == "ResourceQuota")
    assert cluster.ask("GET", QUOTA)[1]["spec"] == wanted["spec"]


def test_a_quota_is_taken_back_by_force(cluster, objects, owner):
    """What isolates a tenant is ours, whoever has changed it in between."""
    gateway = cluster.gateway()
    gateway.apply(objects(), owner)
    patch = {"spec": {"hard": {"pods": "1000"}}}
    status, _ = cluster.ask("PATCH", QUOTA, patch, content_type="application/merge-patch+json")
    assert status == 200
    gateway.apply(objects(), owner)
    wanted = next(o for o in objects() if o["kind"] == "ResourceQuota")
    assert cluster.ask("GET", QUOTA)[1]["spec"]["hard"]["pods"] == wanted["spec"]["hard"]["pods"]


def test_pod_security_is_taken_back_by_force(cluster, objects, owner):
    """A label that isolates is ours, even on the namespace, whoever has weakened it."""
    gateway = cluster.gateway()
    gateway.apply(objects(), owner)
    patch = {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "privileged"}}}
    cluster.ask("PATCH", PATH, patch, content_type="application/merge-patch+json")
    gateway.apply(objects(), owner)
    labels = cluster.ask("GET", PATH)[1]["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


@pytest.mark.parametrize(
    "theirs",
    [
        {"annotations": {"arm-engine.io/entitlement.environments": "9"}},
        {"labels": {"app.kubernetes.io/part-of": "theirs"}},
    ],
)
def test_what_somebody_else_says_on_our_namespace_is_taken_back(cluster, objects, owner, theirs):
    """All that we say on it is ours: a label in somebody's way holds up no suspension."""
    gateway = cluster.gateway()
    gateway.apply(objects(), owner)
    path = f"{PATH}?fieldManager=somebody"
    for verb in (gateway.apply, gateway.suspend):
        merge = {"content_type": "application/merge-patch+json"}
        assert cluster.ask("PATCH", path, {"metadata": theirs}, **merge)[0] == 200
        wanted = objects(suspended=verb == gateway.suspend)
        verb(wanted, owner)
        assert gateway.drift(wanted, owner) == []


def test_somebody_elses_claim_on_our_account_is_permanent(cluster, objects, owner):
    """A field that is not forced stays with the manager who changed it, and we say so."""
    gateway = cluster.gateway()
    gateway.apply(objects(), owner)
    account = next(o for o in objects() if o["kind"] == "ServiceAccount")
    patch = {"automountServiceAccountToken": not account["automountServiceAccountToken"]}
    path = f"{PATH}/serviceaccounts/{account['metadata']['name']}"
    cluster.ask("PATCH", path, patch, content_type="application/merge-patch+json")
    with pytest.raises(Permanent, match="409 Apply failed with 1 conflict"):
        gateway.apply(objects(), owner)


@pytest.mark.parametrize("action", ["apply", "suspend", "stop", "stands", "delete"])
def test_a_namespace_that_is_not_ours_is_left_alone(cluster, objects, owner, action):
    """Without our labels it is never adopted, changed or deleted, whatever its name."""
    theirs = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    _, before = cluster.ask("POST", "/api/v1/namespaces", theirs)
    subject = objects() if action in {"apply", "suspend"} else NAMESPACE
    with pytest.raises(Permanent, match="not ours"):
        getattr(cluster.gateway(), action)(subject, owner)
    assert cluster.ask("GET", PATH)[1] == before


def test_what_leaves_is_pruned_and_nothing_else(cluster, objects, owner, extra):
    """An object that a later version has no more goes; what others have made stays."""
    gateway = cluster.gateway()
    namespace, *rest = objects()
    secret = {**extra, "kind": "Secret"}
    gateway.apply(noted(namespace, [*rest, extra, secret]), owner)
    theirs = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "theirs"}}
    cluster.ask("POST", f"{PATH}/configmaps", theirs)
    gateway.apply(objects(), owner)
    found = [
        cluster.ask("GET", f"{PATH}/{each}")[0]
        for each in ("configmaps/extra", "secrets/extra", "configmaps/theirs")
    ]
    assert found == [404, 404, 200]
    assert gateway.drift(objects(), owner) == []


def test_what_somebody_has_made_in_our_place_is_not_pruned(cluster, objects, owner, extra):
    """By kind and name it is what we once applied, and by its labels it is not ours."""
    gateway = cluster.gateway()
    namespace, *rest = objects()
    gateway.apply(noted(namespace, [*rest, {**extra, "kind": "Secret"}]), owner)
    cluster.ask("DELETE", f"{PATH}/secrets/extra")
    theirs = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "extra"}}
    cluster.ask("POST", f"{PATH}/secrets", theirs)
    gateway.apply(objects(), owner)
    assert cluster.ask("GET", f"{PATH}/secrets/extra")[0] == 200


def noted(namespace, children):
    """The objects, with a namespace that has them noted."""
    annotations = {
        **namespace["metadata"]["annotations"], "arm-engine.io/objects": inventory.note(children)
    }  # fmt: skip
    return [
        {**namespace, "metadata": {**namespace["metadata"], "annotations": annotations}},
        *children,
    ]


def test_a_suspended_tenant_may_run_nothing(cluster, objects, owner):
    """Suspended, its quota has no room for pods; one that does not stand is not made for it."""
    gateway, suspended = cluster.gateway(), objects(suspended=True)
    assert gateway.suspend(suspended, owner) is False
    assert cluster.ask("GET", PATH)[0] == 404
    gateway.apply(objects(), owner)
    assert gateway.suspend(suspended, owner) is True
    assert cluster.ask("GET", QUOTA)[1]["spec"]["hard"]["pods"] == "0"


def test_a_deletion_takes_its_time_and_everything_along(cluster, objects, owner):
    """Waiting while it is Terminating, done when it is gone with all that was in it."""
    gateway = cluster.gateway()
    gateway.apply(objects(), owner)
    for _ in range(2):
        with pytest.raises(Waiting, match="is Terminating"):
            gateway.delete(NAMESPACE, owner)
    assert [method for method, _ in cluster.seen()].count("DELETE") == 1
    cluster.finish_deletions()
    gateway.delete(NAMESPACE, owner)
    assert not gateway.stands(NAMESPACE, owner)
    assert cluster.ask("GET", "/api/v1/resourcequotas")[1]["items"] == []


def test_nothing_is_applied_into_a_namespace_that_goes(cluster, objects, owner):
    """A customer who comes back meanwhile waits for the deletion to end."""
    gateway = cluster.gateway()
    gateway.apply(objects(), owner)
    with pytest.raises(Waiting):
        gateway.delete(NAMESPACE, owner)
    cluster.seen()
    with pytest.raises(Waiting, match="is Terminating"):
        gateway.apply(objects(), owner)
    assert cluster.seen() == [("GET", NAMESPACE)]


def test_a_deletion_that_begins_in_mid_apply_is_waited_for(cluster, objects, owner, monkeypatch):
    """The namespace stood when it was looked at, and refuses new children a moment later."""
    gateway = cluster.gateway()
    apply_namespace = gateway._namespaces.apply

    def apply_and_delete(manifest):
        apply_namespace(manifest)
        cluster.ask("DELETE", PATH)

    monkeypatch.setattr(gateway._namespaces, "apply", apply_and_delete)
    with pytest.raises(Waiting, match="being terminated"):
        gateway.apply(objects(), owner)


def test_only_the_namespace_that_was_looked_at_is_deleted(cluster, objects, owner, monkeypatch):
    """Made anew in between it has another uid, and stays."""
    gateway = cluster.gateway()
    gateway.apply(objects(), owner)
    look = gateway._namespaces.read

    def look_and_replace(name, wanted):
        found = look(name, wanted)
        cluster.ask("DELETE", PATH)
        cluster.finish_deletions()
        cluster.gateway().apply(objects(), owner)
        return found

    monkeypatch.setattr(gateway._namespaces, "read", look_and_replace)
    with pytest.raises(Temporary, match="Precondition failed: UID"):
        gateway.delete(NAMESPACE, owner)
    assert cluster.gateway().stands(NAMESPACE, owner)


def test_what_we_may_not_do_is_permanent(cluster, objects, owner):
    """No retry grants a right: without a token we are nobody, and nobody may do nothing."""
    with pytest.raises(Permanent, match="HTTP 403"):
        cluster.gateway(token="").apply(objects(), owner)


def test_a_token_that_nobody_knows_is_temporary(cluster, objects, owner):
    """It is the deployment that is wrong, not this tenant: all heal once the token is put right."""
    with pytest.raises(Temporary, match="HTTP 401"):
        cluster.gateway(token="nobody's").apply(objects(), owner)


def test_an_outage_is_temporary(cluster, objects, owner):
    """While it answers 503 we try again, and when it is over it works."""
    gateway = cluster.gateway()
    cluster.faults(outage=3600)
    with pytest.raises(Temporary, match="HTTP 503"):
        gateway.apply(objects(), owner)
    cluster.faults(outage=0)
    gateway.apply(objects(), owner)


def test_nobody_there_is_temporary(cluster, objects, owner):
    """A connection refused says nothing about the request."""
    gateway = cluster.gateway()
    cluster._server.shutdown()
    cluster._server.server_close()
    with pytest.raises(Temporary, match="does not answer"):
        gateway.apply(objects(), owner)


@pytest.mark.parametrize("hard", [{"pods": "banana"}, {"pods": {"no": "quantity"}}])
def test_a_500_without_a_reason_is_permanent(cluster, objects, owner, hard):
    """So the API server refuses an apply that can never work."""
    namespace, quota = objects()[:2]
    broken = {**quota, "spec": {"hard": hard}}
    with pytest.raises(Permanent, match="HTTP 500"):
        cluster.gateway().apply((namespace, broken), owner)


@pytest.mark.parametrize(
    "message",
    [
        "etcdserver: leader changed",
        "etcdserver: request timed out",
        "rpc error: code = Unavailable desc = error reading from server: EOF",
        "context deadline exceeded",
        "dial tcp 10.0.0.1:2379: connect: connection refused",
    ],
)
def test_a_store_in_trouble_is_temporary(cluster, objects, owner, monkeypatch, message):
    """It comes as a 500 without a reason as well, but says nothing about the request."""
    gateway = cluster.gateway()
    body = {"kind": "Status", "status": "Failure", "message": message, "code": 500}
    with monkeypatch.context() as patch:
        patch.setattr(KubernetesHttp, "request", lambda *_, **__: Answer(500, body))
        with pytest.raises(Temporary, match="HTTP 500"):
            gateway.apply(objects(), owner)
    gateway.apply(objects(), owner)


def test_every_object_gets_its_try(cluster, objects, owner):
    """One that is refused keeps none of the others out."""
    namespace, quota, *rest = objects()
    broken = {**quota, "spec": {"hard": {"pods": "banana"}}}
    with pytest.raises(Permanent):
        cluster.gateway().apply((namespace, broken, *rest), owner)
    assert cluster.ask("GET", QUOTA)[0] == 404
    assert cluster.ask("GET", f"{PATH}/limitranges/defaults")[0] == 200
