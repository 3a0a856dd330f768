"""Which writes an admission policy is asked about, and whom those of ours concern."""

import json

import pytest

from sandbox.kubernetes import setup
from sandbox.kubernetes.authorization import ADMIN, EVERYTHING, User
from sandbox.kubernetes.cluster import Cluster
from sandbox.kubernetes.requests import parse

API = "admissionregistration.k8s.io/v1"
ROLES = "/apis/rbac.authorization.k8s.io/v1/clusterroles"
NAMESPACES = "/api/v1/namespaces"
MAPS = f"{NAMESPACES}/default/configmaps"
MINE = {"app.kubernetes.io/managed-by": "me"}
BOB = User("bob", ("system:authenticated",), (EVERYTHING,))
"""May do everything by RBAC, and is none of those whom our policies leave out."""


class Asked:
    """A cluster, asked as Bob."""

    def __init__(self):
        self.cluster = Cluster({"t": ADMIN, "b": BOB})

    def ask(self, method, path, body=None, token="b"):  # noqa: S107 - the stand-in's
        """The status."""
        patch = "application/merge-patch+json" if method == "PATCH" else "application/json"
        headers = {"Authorization": f"Bearer {token}", "Content-Type": patch}
        text = b"" if body is None else json.dumps(body).encode()
        return self.cluster.handle(parse(method, path, headers, text)).status

    def make(self, path, kind, name, **metadata):
        """POST an object that is nothing but a name."""
        version = "rbac.authorization.k8s.io/v1" if path == ROLES else "v1"
        body = {"apiVersion": version, "kind": kind, "metadata": {"name": name, **metadata}}
        return self.ask("POST", path, body)


@pytest.fixture
def asked():
    return Asked()


def forbid(asked, scope=None, selector=None):
    """A policy that denies whatever it is asked about."""
    rule = {"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": ["*"]}
    rule |= {"scope": scope} if scope else {}
    binding = {"policyName": "no", "validationActions": ["Deny"]}
    if selector:
        binding["matchResources"] = {"namespaceSelector": {"matchLabels": selector}}
    for kind, plural, spec in (
        ("ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings", binding),
        ("ValidatingAdmissionPolicy", "validatingadmissionpolicies",
         {"matchConstraints": {"resourceRules": [rule]}, "validations": [{"expression": "false"}]}),
    ):  # fmt: skip
        body = {"apiVersion": API, "kind": kind, "metadata": {"name": "no"}, "spec": spec}
        assert asked.ask("POST", f"/apis/{API}/{plural}", body) == 201


@pytest.mark.parametrize(
    ("scope", "statuses"),
    [(None, [422, 422, 422]), ("*", [422, 422, 422]),
     ("Namespaced", [201, 201, 422]), ("Cluster", [422, 422, 201])],
)  # fmt: skip
def test_a_scope_keeps_the_others_out(asked, scope, statuses):
    """A Namespace is one of the cluster's own objects, though it has objects in it."""
    forbid(asked, scope)
    assert [
        asked.make(ROLES, "ClusterRole", "r"),
        asked.make(NAMESPACES, "Namespace", "n"),
        asked.make(MAPS, "ConfigMap", "m"),
    ] == statuses


def test_a_selector_of_namespaces_leaves_out_nothing_of_the_clusters_own(asked):
    """It is held against a namespace's labels, for what is in one and for a namespace itself."""
    forbid(asked, selector=MINE)
    assert asked.make(ROLES, "ClusterRole", "r") == 422
    assert asked.make(NAMESPACES, "Namespace", "n") == 201
    assert asked.make(NAMESPACES, "Namespace", "mine", labels=MINE) == 422
    assert asked.make(MAPS, "ConfigMap", "m") == 201


def test_a_namespace_is_selected_by_the_labels_that_it_is_to_have(asked):
    """Whoever takes the label off is not looked at; whoever leaves it on, or deletes, is."""
    assert asked.make(NAMESPACES, "Namespace", "mine", labels=MINE) == 201
    forbid(asked, selector=MINE)
    path, off = f"{NAMESPACES}/mine", {"app.kubernetes.io/managed-by": None}
    assert asked.ask("PATCH", path, {"metadata": {"labels": {"a": "b"}}}) == 422
    assert asked.ask("DELETE", path) == 422
    assert asked.ask("PATCH", path, {"metadata": {"labels": off}}) == 200
    assert asked.ask("DELETE", path) == 200


def test_ours_do_not_concern_what_is_the_clusters_own(asked):
    """Even called ours: whoever may write ClusterRoles is nobody whom we confine."""
    setup.apply(asked.cluster, "t")
    ours = {"app.kubernetes.io/managed-by": "arm-engine"}
    assert asked.make(ROLES, "ClusterRole", "r", labels=ours) == 201
    assert asked.make(NAMESPACES, "Namespace", "n", labels=ours) == 422


def test_what_was_there_before_can_still_be_let_go(asked):
    """A Service that would be refused today loses its finalizer, and so it and its namespace go."""
    ours = {"app.kubernetes.io/managed-by": "arm-engine"}
    assert asked.make(NAMESPACES, "Namespace", "n", labels=ours) == 201
    path = f"{NAMESPACES}/n/services"
    metadata = {"name": "web", "finalizers": ["example.com/hold"]}
    spec = {"ports": [{"port": 80}], "externalIPs": ["192.0.2.1"]}
    body = {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}
    assert asked.ask("POST", path, body) == 201
    setup.apply(asked.cluster, "t")
    more = {"spec": {"externalIPs": ["192.0.2.1", "192.0.2.2"]}}
    assert asked.ask("PATCH", f"{path}/web", more) == 422
    assert asked.ask("DELETE", f"{path}/web") == 200
    assert asked.ask("PATCH", f"{path}/web", {"metadata": {"finalizers": None}}) == 200
    assert asked.ask("GET", f"{path}/web") == 404
