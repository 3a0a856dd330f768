"""What the audit asks of the cluster: our namespaces page by page, and what has drifted."""

import pytest

from chalicelib.domain import tenant
from chalicelib.domain.errors import Permanent
from chalicelib.gateways import cluster_objects
from chalicelib.wiring import catalogue

pytestmark = pytest.mark.cluster

NAMESPACE = "arm-4f9c2ab81d07e635"
PATH = f"/api/v1/namespaces/{NAMESPACE}"


def test_our_namespaces_come_page_by_page(cluster, monkeypatch):
    """Each page is asked for when it is wanted; whose it is and how it stands is told of each."""
    monkeypatch.setattr(cluster_objects, "PAGE", 2)
    gateway, plans = cluster.gateway(), ["free", "basic", "pro"]
    for number, plan in enumerate(plans):
        objects = tenant.objects(catalogue(), f"{number:016x}", catalogue().plan(plan))
        gateway.apply(objects[:1], tenant.ownership(catalogue(), f"{number:016x}"))
    cluster.ask("DELETE", f"/api/v1/namespaces/arm-{2:016x}")
    theirs = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "arm-theirs"}}
    cluster.ask("POST", "/api/v1/namespaces", theirs)
    cluster.seen()
    found = gateway.namespaces()
    assert next(found) == tenant.TenantNamespace(
        name=f"arm-{0:016x}",
        tenant_id=f"{0:016x}",
        plan_id="free",
        suspended=False,
        terminating=False,
    )
    assert len(cluster.seen()) == 1
    assert [(n.tenant_id, n.plan_id, n.terminating) for n in found] == [
        (f"{1:016x}", "basic", False), (f"{2:016x}", "pro", True)
    ]  # fmt: skip
    assert len(cluster.seen()) == 1


def test_what_stands_as_applied_has_not_drifted(cluster, objects, owner):
    """One read per object and one of the namespace; whatever the server filled in is no drift."""
    gateway = cluster.gateway()
    for suspended in (False, True):
        wanted = objects(suspended=suspended)
        gateway.apply(wanted, owner)
        cluster.seen()
        assert gateway.drift(wanted, owner) == []
        assert [method for method, _ in cluster.seen()] == ["GET"] * (len(wanted) + 1)


def test_drift_is_told_object_by_object(cluster, objects, owner):
    """A changed quota, a policy that was removed, an entitlement that was raised."""
    gateway = cluster.gateway()
    gateway.apply(objects(), owner)
    merge = "application/merge-patch+json"
    quota = {"spec": {"hard": {"pods": "1000"}}}
    cluster.ask("PATCH", f"{PATH}/resourcequotas/plan", quota, content_type=merge)
    raised = {"metadata": {"annotations": {"arm-engine.io/entitlement.environments": "9"}}}
    cluster.ask("PATCH", PATH, raised, content_type=merge)
    policies = f"/apis/networking.k8s.io/v1/namespaces/{NAMESPACE}/networkpolicies"
    cluster.ask("DELETE", f"{policies}/deny-all")
    entitlement = ".metadata.annotations.arm-engine.io/entitlement.environments"
    assert gateway.drift(objects(), owner) == [
        f"Namespace {NAMESPACE}: {entitlement} is '9', should be '5'",
        "ResourceQuota plan: .spec.hard.pods is '1000', should be '40'",
        "NetworkPolicy deny-all is missing",
    ]


def test_what_is_missing_is_seen_where_a_quota_has_no_room_for_it(cluster, objects, owner, extra):
    """The look at a ConfigMap is a dry run of making it, and quotas refuse that, too."""
    gateway = cluster.gateway()
    namespace, *rest = objects()
    wanted = [namespace, *rest, extra]
    gateway.apply(wanted, owner)
    cluster.ask("DELETE", f"{PATH}/configmaps/extra")
    full = {"spec": {"hard": {"configmaps": "0"}}}
    merge = "application/merge-patch+json"
    cluster.ask("PATCH", f"{PATH}/resourcequotas/plan", full, content_type=merge)
    cluster.let_controllers_look()
    assert "ConfigMap extra is missing" in gateway.drift(wanted, owner)


def test_a_tenant_that_is_not_there_is_one_line(cluster, objects, owner):
    """Its namespace is missing, and nothing more is asked."""
    cluster.seen()
    assert cluster.gateway().drift(objects(), owner) == [f"Namespace {NAMESPACE} is missing"]
    assert len(cluster.seen()) == 1


def test_a_namespace_that_is_not_ours_is_not_compared(cluster, objects, owner):
    """It is reported as what it is."""
    theirs = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    cluster.ask("POST", "/api/v1/namespaces", theirs)
    with pytest.raises(Permanent, match="not ours"):
        cluster.gateway().drift(objects(), owner)


def test_a_namespace_that_goes_is_a_finding_of_its_own(cluster, objects, owner, extra):
    """The audit goes on to the next tenant; also where it begins to go in the middle."""
    gateway = cluster.gateway()
    wanted = [*objects(), extra]
    gateway.apply(wanted, owner)
    read = gateway._namespaces.read

    def read_and_delete(name, whose):
        found = read(name, whose)
        cluster.ask("DELETE", PATH)
        cluster.ask("DELETE", f"{PATH}/configmaps/extra")
        return found

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(gateway._namespaces, "read", read_and_delete)
        (line,) = gateway.drift(wanted, owner)
        assert "terminat" in line
    (line,) = gateway.drift(wanted, owner)
    assert line.startswith(f"namespace {NAMESPACE} is Terminating")
