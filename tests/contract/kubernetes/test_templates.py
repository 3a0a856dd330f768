"""An adopter's own objects in the cluster: applied with the rest, pruned with the plan."""

from dataclasses import replace

import pytest

from chalicelib.domain import templates, tenant
from chalicelib.domain.errors import Permanent
from chalicelib.wiring import catalogue
from tests.contract.kubernetes.conftest import NAMESPACE, TENANT

pytestmark = pytest.mark.cluster

DEPLOYMENT = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/product"
SECRET = f"/api/v1/namespaces/{NAMESPACE}/secrets/pull"
FILES = {
    "product.yaml": """
apiVersion: apps/v1
kind: Deployment
metadata: {name: product}
spec:
  replicas: 3
  selector: {matchLabels: {app: product}}
  template:
    metadata: {labels: {app: product}}
    spec: {containers: [{name: product, image: "registry.example/product:1"}]}
---
apiVersion: v1
kind: Secret
metadata: {name: pull}
stringData: {for: "{{tenant}}"}
"""
}


@pytest.fixture
def objects():
    """A maker of the objects, where Pro has templates and Basic has none."""
    pro = replace(catalogue().plan("pro"), folder="pro")
    sold = replace(catalogue(), plans=(catalogue().plan("basic"), pro))
    sold = templates.loaded(sold, lambda _: FILES)
    return lambda plan, **how: tenant.objects(sold, TENANT, sold.plan(plan), **how)


def test_templates_come_and_go_with_the_plan(cluster, objects, owner):
    """Up to Pro they are applied, down to Basic they are pruned, each with one request."""
    gateway = cluster.gateway()
    gateway.apply(objects("basic"), owner)
    cluster.seen()
    gateway.apply(objects("pro"), owner)
    assert len(cluster.seen()) == 1 + len(objects("pro"))
    assert cluster.ask("GET", SECRET)[1]["data"] == {"for": "NGY5YzJhYjgxZDA3ZTYzNQ=="}
    gateway.apply(objects("basic"), owner)
    assert [cluster.ask("GET", path)[0] for path in (DEPLOYMENT, SECRET)] == [404, 404]
    assert gateway.drift(objects("basic"), owner) == []


def test_templates_come_after_what_bounds_and_isolates(cluster, objects, owner):
    """Nothing of theirs runs before the quota and the policies stand."""
    cluster.gateway().apply(objects("pro"), owner)
    names = [name for _, name in cluster.seen()]
    assert {names[-1], names[-2]} == {"product", "pull"}


def test_templates_stop_and_start_with_the_tenant(cluster, objects, owner):
    """At zero while suspended, at their own size after, and never in conflict with ourselves."""
    gateway = cluster.gateway()
    gateway.apply(objects("pro"), owner)
    for _ in range(2):
        gateway.suspend(objects("pro", suspended=True), owner)
        assert cluster.ask("GET", DEPLOYMENT)[1]["spec"]["replicas"] == 0
        gateway.apply(objects("pro"), owner)
        assert cluster.ask("GET", DEPLOYMENT)[1]["spec"]["replicas"] == 3


def test_a_size_that_somebody_else_has_set_keeps_nothing_running(cluster, objects, owner):
    """Scaled by an autoscaler, it stops all the same."""
    gateway = cluster.gateway()
    gateway.apply(objects("pro"), owner)
    merge = "application/merge-patch+json"
    cluster.ask("PATCH", DEPLOYMENT, {"spec": {"replicas": 7}}, content_type=merge)
    gateway.suspend(objects("pro", suspended=True), owner)
    assert cluster.ask("GET", DEPLOYMENT)[1]["spec"]["replicas"] == 0


def test_a_refused_secret_is_told_without_its_value(cluster, objects, owner):
    """The API server quotes what it refuses, and our message goes into log, record and timeline."""
    *rest, secret = objects("pro")
    with pytest.raises(Permanent, match="apply Secret pull: HTTP 500 details withheld") as raised:
        cluster.gateway().apply([*rest, secret | {"stringData": {"key": 4929123456781234}}], owner)
    assert "4929" not in str(raised.value)


def test_a_templates_drift_is_told_secrets_included(cluster, objects, owner):
    """Nobody is allowed to read secrets for it."""
    gateway = cluster.gateway()
    gateway.apply(objects("pro"), owner)
    assert gateway.drift(objects("pro"), owner) == []
    merge = "application/merge-patch+json"
    cluster.ask("PATCH", SECRET, {"data": {"for": "bm9ib2R5"}}, content_type=merge)
    cluster.ask("DELETE", DEPLOYMENT)
    assert gateway.drift(objects("pro"), owner) == [
        "Deployment product is missing",
        "Secret pull: .data.for is not as it should be",
    ]


def test_a_size_that_an_autoscaler_has_set_is_its_own(cluster, objects, owner):
    """It is applied around, and is no drift; everything else of the Deployment is ours."""
    gateway = cluster.gateway()
    gateway.apply(objects("pro"), owner)
    merge = "application/merge-patch+json"
    cluster.ask("PATCH", f"{DEPLOYMENT}/scale", {"spec": {"replicas": 7}}, content_type=merge)
    for _ in range(2):
        gateway.apply(objects("pro"), owner)
        assert cluster.ask("GET", DEPLOYMENT)[1]["spec"]["replicas"] == 7
    assert gateway.drift(objects("pro"), owner) == []
    gateway.suspend(objects("pro", suspended=True), owner)
    assert cluster.ask("GET", DEPLOYMENT)[1]["spec"]["replicas"] == 0
    gateway.apply(objects("pro"), owner)
    assert cluster.ask("GET", DEPLOYMENT)[1]["spec"]["replicas"] == 3


def test_what_an_autoscaler_has_not_set_is_still_reported(cluster, objects, owner):
    """Somebody's image is no size."""
    gateway = cluster.gateway()
    gateway.apply(objects("pro"), owner)
    containers = [{"name": "product", "image": "registry.example/other:1"}]
    spec = {"replicas": 7, "template": {"spec": {"containers": containers}}}
    merge = "application/merge-patch+json"
    cluster.ask("PATCH", DEPLOYMENT, {"spec": spec}, content_type=merge)
    with pytest.raises(Permanent, match="HTTP 409"):
        gateway.apply(objects("pro"), owner)
