"""What is refused, and by what: `docs/security.md` has this table, and is held equal to it."""

import re
from pathlib import Path

import pytest

from chalicelib.domain import tenant
from chalicelib.wiring import catalogue
from sandbox.kubernetes import setup
from tests.contract.kubernetes.attempting import (
    ACCOUNT,
    ADMIN,
    APPLY,
    CORE,
    MERGE,
    OTHER,
    OURS,
    POLICIES,
    POLICY_SAYS,
    RBAC,
    RBAC_SAYS,
    SERVER_SAYS,
    TENANT,
    Attempt,
    apply,
    binding,
    merge,
    pod,
    role,
    service,
)
from tests.contract.kubernetes.conftest import NAMESPACE
from tests.contract.kubernetes.said_in_tenants import SAID

pytestmark = pytest.mark.cluster

DOC = Path(__file__).parents[3] / "docs" / "security.md"
HELD = {"metadata": {"finalizers": ["networking.k8s.aws/resources"]}}
FAST = {"apiVersion": "storage.k8s.io/v1", "provisioner": "example.com/none"}
LET_GO = {"metadata": {"finalizers": None}}

ATTEMPTS = [
    apply("worker", "makes a namespace that is not called like a tenant", f"{CORE}/shop", "Namespace", POLICY_SAYS, metadata={"labels": OURS}),
    apply("worker", "makes a tenant's namespace without our label", f"{CORE}/arm-{2:016x}", "Namespace", POLICY_SAYS),
    apply("worker", "adopts a namespace that is somebody else's", f"{CORE}/arm-{1:016x}", "Namespace", POLICY_SAYS, metadata={"labels": OURS}),
    apply("worker", "labels kube-system as its own", f"{CORE}/kube-system", "Namespace", POLICY_SAYS, metadata={"labels": OURS}),
    Attempt("worker", "deletes kube-system", "DELETE", f"{CORE}/kube-system", by=SERVER_SAYS),
    Attempt("worker", "deletes a namespace that is somebody else's", "DELETE", OTHER, by=POLICY_SAYS),
    apply("worker", "writes a quota into kube-system", f"{CORE}/kube-system/resourcequotas/q", "ResourceQuota", POLICY_SAYS, spec={"hard": {"pods": "0"}}),
    apply("worker", "writes into another namespace", f"{OTHER}/configmaps/c", "ConfigMap", POLICY_SAYS),
    apply("worker", "writes a secret elsewhere", f"{OTHER}/secrets/s", "Secret", POLICY_SAYS),
    Attempt("worker", "deletes a secret elsewhere", "DELETE", f"{OTHER}/secrets/theirs", by=POLICY_SAYS),
    Attempt("worker", "reads a secret elsewhere", "GET", f"{OTHER}/secrets/theirs"),
    Attempt("worker", "reads a secret elsewhere by a dry run", "PATCH", f"{OTHER}/secrets/theirs?fieldManager=look&dryRun=All", {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "theirs"}}, POLICY_SAYS, APPLY),
    Attempt("worker", "lists the secrets of the cluster", "GET", "/api/v1/secrets"),
    Attempt("worker", "lists the secrets of a tenant", "GET", f"{TENANT}/secrets"),
    Attempt("worker", "deletes a config map in kube-system", "DELETE", f"{CORE}/kube-system/configmaps/kube-root-ca.crt", by=POLICY_SAYS),
    Attempt("worker", "deletes what a customer has made", "DELETE", f"{TENANT}/configmaps/theirs", by=POLICY_SAYS),
    apply("worker", "binds itself to cluster-admin", f"{RBAC}/clusterrolebindings/mine", "ClusterRoleBinding", RBAC_SAYS, **binding("ClusterRole", "cluster-admin", {"kind": "ServiceAccount", "name": "worker", "namespace": "arm-engine"})),
    apply("worker", "binds a tenant to cluster-admin", f"{ADMIN}/rolebindings/tenant-admin", "RoleBinding", RBAC_SAYS, **binding("ClusterRole", "cluster-admin", ACCOUNT)),
    apply("worker", "binds the tenant's role to somebody else", f"{ADMIN}/rolebindings/tenant-admin", "RoleBinding", POLICY_SAYS, **binding("Role", "tenant-admin", {**ACCOUNT, "namespace": "kube-system"})),
    apply("worker", "puts everything into the tenant's role", f"{ADMIN}/roles/tenant-admin", "Role", POLICY_SAYS, rules=role((["*"], ["*"], ["*"]))),
    apply("worker", "lets the tenant write its quota", f"{ADMIN}/roles/tenant-admin", "Role", POLICY_SAYS, rules=role(([""], ["resourcequotas"], ["get", "patch"]))),
    apply("worker", "makes a role of another name that grants what it lacks", f"{ADMIN}/roles/other", "Role", RBAC_SAYS, rules=role(([""], ["secrets"], ["get"]))),
    apply("worker", "makes a role of another name that grants what it has", f"{ADMIN}/roles/other", "Role", POLICY_SAYS, rules=role(([""], ["pods"], ["list"]))),
    apply("worker", "makes a role in kube-system", f"{RBAC}/namespaces/kube-system/roles/tenant-admin", "Role", POLICY_SAYS, rules=role(([""], ["pods"], ["get"]))),
    Attempt("worker", "removes the policy that confines it", "DELETE", "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings/arm-engine-worker-stays-in-tenants"),
    merge("tenant", "raises its own quota", f"{TENANT}/resourcequotas/plan", {"spec": {"hard": {"pods": "1000"}}}),
    Attempt("tenant", "deletes its own quota", "DELETE", f"{TENANT}/resourcequotas/plan"),
    merge("tenant", "raises its own entitlements", TENANT, {"metadata": {"annotations": {"arm-engine.io/entitlement.environments": "99"}}}),
    merge("tenant", "lifts Pod Security", TENANT, {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "privileged"}}}),
    Attempt("tenant", "deletes the policy that denies all traffic", "DELETE", f"{POLICIES}/deny-all"),
    merge("tenant", "gives itself more rights", f"{ADMIN}/roles/tenant-admin", {"rules": role((["*"], ["*"], ["*"]))}),
    Attempt("tenant", "reads a secret of another namespace", "GET", f"{OTHER}/secrets/theirs"),
    Attempt("tenant", "lists the namespaces of the cluster", "GET", "/api/v1/namespaces"),
    Attempt("tenant", "deletes its own namespace", "DELETE", TENANT),
    Attempt("tenant", "says of something that we manage it", "POST", f"{TENANT}/configmaps", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m", "labels": OURS}}, POLICY_SAYS),
    merge("tenant", "changes an object of the plan's templates", f"{TENANT}/configmaps/ours", {"data": {"a": "b"}}, POLICY_SAYS),
    Attempt("tenant", "deletes an object of the plan's templates", "DELETE", f"{TENANT}/configmaps/ours", by=POLICY_SAYS),
    merge("tenant", "scales a Deployment of the plan's templates", f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/ours/scale", {"spec": {"replicas": 0}}, POLICY_SAYS),
    Attempt("tenant", "makes a Service that takes over an outside address", "POST", f"{TENANT}/services", service({"ports": [{"port": 80}], "externalIPs": ["192.0.2.1"]}), POLICY_SAYS),
    Attempt("tenant", "makes a Service that is another name for an inside address", "POST", f"{TENANT}/services", service({"type": "ExternalName", "externalName": "metadata.internal"}), POLICY_SAYS),
    merge("tenant", "gives a Service of its own an outside address", f"{TENANT}/services/theirs", {"spec": {"externalIPs": ["192.0.2.1"]}}, POLICY_SAYS),
    *(Attempt("tenant", f"runs a pod as {name}, which pushes out others", "POST", f"{TENANT}/pods", pod(priorityClassName=name), POLICY_SAYS) for name in ("system-node-critical", "system-cluster-critical")),
    merge("namespace admin", "raises a tenant's quota", f"{TENANT}/resourcequotas/plan", {"spec": {"hard": {"pods": "1000"}}}, POLICY_SAYS),
    merge("namespace admin", "raises a tenant's entitlements", TENANT, {"metadata": {"annotations": {"arm-engine.io/entitlement.environments": "99"}}}, POLICY_SAYS),
    merge("namespace admin", "takes our label off a tenant's namespace", TENANT, {"metadata": {"labels": {"app.kubernetes.io/managed-by": None}}}, POLICY_SAYS),
    Attempt("namespace admin", "deletes a tenant's network policy", "DELETE", f"{POLICIES}/deny-all", by=POLICY_SAYS),
    Attempt("namespace admin", "deletes a tenant's namespace", "DELETE", TENANT, by=POLICY_SAYS),
    Attempt("namespace admin", "makes a Service that takes over an outside address", "POST", f"{TENANT}/services", service({"ports": [{"port": 80}], "externalIPs": ["192.0.2.1"]}), POLICY_SAYS),
    merge("namespace admin", "holds back a tenant's network policy with a finalizer", f"{POLICIES}/deny-all", HELD, POLICY_SAYS),
    merge("outsider", "changes a tenant's network policy under cover of a finalizer", f"{POLICIES}/deny-all", {**HELD, "spec": {"podSelector": {"matchLabels": {"a": "b"}}}}, POLICY_SAYS),
    merge("outsider", "takes our label off a tenant's network policy under cover of a finalizer", f"{POLICIES}/deny-all", {"metadata": {**HELD["metadata"], "labels": {"app.kubernetes.io/managed-by": None}}}, POLICY_SAYS),
    merge("outsider", "holds back a tenant's quota with a finalizer", f"{TENANT}/resourcequotas/plan", HELD, POLICY_SAYS),
    *SAID,
]  # fmt: skip
"""A namespace admin is somebody whom a cluster's own role has given everything in the tenant: an
account of the tenant's. An outsider has the same rights, and an account elsewhere."""

WORKLOADS = [
    f"/apis/{group}/namespaces/{NAMESPACE}/{plural}"
    for group, plurals in {
        "apps/v1": ("deployments", "statefulsets", "daemonsets"),
        "batch/v1": ("jobs", "cronjobs"),
        "autoscaling/v2": ("horizontalpodautoscalers",),
        "networking.k8s.io/v1": ("ingresses",),
    }.items()
    for plural in plurals
]

DEPLOYMENT = {
    "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "ours"},
    "spec": {
        "selector": {"matchLabels": {"a": "b"}},
        "template": {
            "metadata": {"labels": {"a": "b"}},
            "spec": {"containers": [{"name": "c", "image": "x:1"}]},
        },
    },
}  # fmt: skip


@pytest.fixture
def who(cluster, objects, owner, token_of):
    """A tenant with objects of its own and of a plan's, a stranger's namespace, and who asks."""
    labels = objects()[1]["metadata"]
    extra = {
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {**labels, "name": "ours"}
    }  # fmt: skip
    deployment = {**DEPLOYMENT, "metadata": {**labels, "name": "ours"}}
    noted = {"arm-engine.io/objects": '["ConfigMap/ours","Deployment/ours","StatefulSet/stored"]'}
    namespace, *rest = objects()
    metadata = namespace["metadata"]
    metadata = {**metadata, "annotations": {**metadata["annotations"], **noted}}
    cluster.gateway().apply([{**namespace, "metadata": metadata}, *rest, extra, deployment], owner)
    for path, kind, name in (
        (CORE, "Namespace", "arm-theirs"),
        (CORE, "Namespace", f"arm-{1:016x}"),
        (f"{OTHER}/secrets", "Secret", "theirs"),
        (f"{TENANT}/configmaps", "ConfigMap", "theirs"),
        (f"{TENANT}/serviceaccounts", "ServiceAccount", "admin"),
        (f"{OTHER}/serviceaccounts", "ServiceAccount", "outsider"),
        (f"{TENANT}/pods", "Pod", "theirs"),
        ("/apis/storage.k8s.io/v1/storageclasses", "StorageClass", "arm-theirs-fast"),
    ):
        body = {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}}
        body |= {"Pod": {"spec": pod()["spec"]}, "StorageClass": FAST}.get(kind, {})
        assert cluster.ask("POST", path, body)[0] in ({201, 409} if "storage" in path else {201})
    theirs = {**service({"ports": [{"port": 80}]}), "metadata": {"name": "theirs"}}
    assert cluster.ask("POST", f"{TENANT}/services", theirs)[0] == 201
    everything = {"metadata": {"name": "everything"}, "rules": role((["*"], ["*"], ["*"]))}
    version = {"apiVersion": "rbac.authorization.k8s.io/v1"}
    cluster.ask("POST", f"{ADMIN}/roles", {**version, "kind": "Role", **everything})
    bound = binding("Role", "everything", {**ACCOUNT, "name": "admin"})
    bound["subjects"].append({**ACCOUNT, "name": "outsider", "namespace": "arm-theirs"})
    body = {**version, "kind": "RoleBinding", "metadata": {"name": "everything"}, **bound}
    assert cluster.ask("POST", f"{ADMIN}/rolebindings", body)[0] == 201
    return {
        "worker": token_of(*setup.WORKER),
        "tenant": token_of(NAMESPACE, "tenant-admin"),
        "namespace admin": token_of(NAMESPACE, "admin"),
        "outsider": token_of("arm-theirs", "outsider"),
    }


def test_every_attempt_is_refused(cluster, who):
    """By the one that the table names, in words of ours, and nothing has changed after all of them.

    And every rule of the policies has refused something.
    """
    before, heard = state(cluster), set()
    for attempt in ATTEMPTS:
        status, answer = cluster.ask(
            attempt.method, attempt.path, attempt.body or None,
            token=who[attempt.who], content_type=attempt.content_type,
        )  # fmt: skip
        said = f"{attempt.row}: {status} {answer.get('message')}"
        assert (status, by(answer)) in {(403, attempt.by), (422, attempt.by)}, said
        assert "resulted in error" not in said
        heard.add(answer["message"].rpartition("denied request: ")[2])
    assert state(cluster) == before
    assert words_of_the_policies() - heard - ELSEWHERE == set()


ELSEWHERE = {
    "a tenant's claim may not be filled from another namespace",
    "a tenant's claim may not choose a volume's attributes",
    "a tenant's images may only come from registries that its plan has (registries)",
    "a tenant may have no objects of the Gateway API but routes to its own hosts",
    "a tenant's route may only name hosts of the tenant's own, each in full, and must name one",
    "a tenant's route may only go by a Gateway that its plan has (ingress_classes)",
    "a tenant's route may only lead to Services of its own",
    "a tenant's route may only change headers and paths, and redirect",
}
"""What Basic does not close, or not every cluster has: `test_said.py` tries it."""


def words_of_the_policies():
    return {
        validation["message"]
        for each in setup.objects()
        if each["kind"] == "ValidatingAdmissionPolicy"
        for validation in each["spec"]["validations"]
    }


def by(answer):
    message = answer["message"]
    if "ValidatingAdmissionPolicy 'arm-engine-" in message:
        return POLICY_SAYS
    return RBAC_SAYS if " cannot " in message or "not currently held" in message else SERVER_SAYS


def state(cluster):
    """Whatever an attempt could have made or changed: its spec and what may be written of it."""
    paths = (CORE, f"{RBAC}/clusterrolebindings", "/api/v1/resourcequotas", "/api/v1/configmaps",
             f"{TENANT}/services", f"{TENANT}/pods", f"{TENANT}/persistentvolumeclaims", f"{TENANT}/serviceaccounts",
             *(f"{each}" for each in WORKLOADS), "/api/v1/secrets", f"{RBAC}/roles", f"{RBAC}/rolebindings", POLICIES)  # fmt: skip
    lists = [cluster.ask("GET", path)[1]["items"] for path in paths]
    return {
        each["metadata"]["uid"]: (
            each.get("spec") or each.get("rules"),
            each["metadata"].get("labels"),
            each["metadata"].get("annotations"),
        )
        for some in lists
        for each in some
    }


def test_the_table_of_attempts_stands_in_the_documentation():
    """Row for row, in this order: what is written there is what is tried here."""
    rows = [line for line in DOC.read_text("utf-8").splitlines() if line.startswith("| ")]
    assert [row for row in rows if row.split(" | ")[0][2:] in {a.who for a in ATTEMPTS}] == [
        attempt.row for attempt in ATTEMPTS
    ]


@pytest.mark.parametrize(
    ("who_asks", "method", "path", "body"),
    [
        ("tenant", "GET", TENANT, None),
        ("tenant", "GET", f"{TENANT}/resourcequotas/plan", None),
        ("tenant", "POST", f"{TENANT}/configmaps", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m"}}),
        ("tenant", "POST", f"{TENANT}/configmaps", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "stored"}}),
        ("tenant", "DELETE", f"{TENANT}/configmaps/theirs", None),
        ("tenant", "POST", f"{TENANT}/services", service({"ports": [{"port": 80}]})),
        ("tenant", "POST", f"{TENANT}/pods", pod()),
        ("worker", "GET", CORE, None),
    ],
)  # fmt: skip
def test_what_is_rightful_is_allowed(cluster, who, who_asks, method, path, body):
    """A tenant reads what it was sold and works with what is its own; the audit lists."""
    assert cluster.ask(method, path, body, token=who[who_asks])[0] in {200, 201}


def test_what_enforces_network_policies_holds_and_lets_go(cluster, who):
    """A finalizer goes on, and off again when the policy is deleted, and then it is gone."""
    path = f"{POLICIES}/deny-all"
    for patch, deleted in ((HELD, False), (LET_GO, False), (HELD, True), (LET_GO, True)):
        if deleted and patch is LET_GO:
            assert cluster.ask("DELETE", path, token=who["worker"])[0] == 200
        status, answer = cluster.ask(
            "PATCH", path, patch, token=who["outsider"], content_type=MERGE
        )
        assert status == 200, answer
    assert cluster.ask("GET", path)[0] == 404


def test_the_names_are_the_catalogues():
    """Prefix, label, annotation and account in infra/cluster.yaml follow from plans.toml."""
    product = catalogue().product
    text = setup.FILE.read_text("utf-8")
    assert f"'^system:serviceaccounts:{product.namespace_prefix}-[0-9a-f]{{16}}$'" in text
    assert f"'^{product.namespace_prefix}-[0-9a-f]{{16}}$'" in text
    assert f"'app.kubernetes.io/managed-by'] == '{product.app}'" in text
    assert f"'{product.label_domain}/objects'" in text
    groups = {f"'{product.app}:workers'", f"'{product.app}:operators'"}
    assert all(group in text for group in groups)


def test_the_lists_that_are_read_are_those_that_are_written(objects):
    """By their annotations' names: every word of a plan is asked for, and none that it lacks."""
    domain, text = catalogue().product.label_domain, setup.FILE.read_text("utf-8")
    read = set(re.findall(rf"{re.escape(domain)}/(?:allowed\.[a-z-]+|hosts)", text))
    annotations = objects()[0]["metadata"]["annotations"]
    assert read == {name for name in annotations if "/allowed." in name or name.endswith("/hosts")}


def test_a_tenants_accounts_may_write_what_the_role_says(objects):
    """Resource by resource; what is only read, or reached into, is no write of an object."""
    (policy,) = (
        each for each in setup.objects()
        if each["kind"] == "ValidatingAdmissionPolicy" and "role-says" in each["metadata"]["name"]
    )  # fmt: skip
    allowed = {
        each["name"]: set(each["expression"].split("'")[1::2])
        for each in policy["spec"]["variables"]
    }
    rules = next(o for o in objects() if o["kind"] == "Role")["rules"]
    writing = [rule for rule in rules if {"update", "patch"} & set(rule["verbs"])]
    assert allowed["written"] == {name for rule in writing for name in rule["resources"]}
    assert allowed["groups"] == {group for rule in writing for group in rule["apiGroups"]}


def test_the_role_that_may_be_granted_is_the_one_that_is(objects):
    """What the policy allows in a tenant's role is exactly what the role consists of."""
    (policy,) = (
        each for each in setup.objects()
        if each["kind"] == "ValidatingAdmissionPolicy" and "grants" in each["metadata"]["name"]
    )  # fmt: skip
    allowed = {
        each["name"]: {word for word in each["expression"].split("'")[1::2]}  # noqa: C416 - quoted words
        for each in policy["spec"]["variables"]
    }
    rules = next(o for o in objects() if o["kind"] == "Role")["rules"]
    looked_at = [rule for rule in rules if set(rule["verbs"]) <= allowed["looking"]]
    names = {name for rule in rules for name in rule["resources"]}
    seen = {name for rule in looked_at for name in rule["resources"]}
    assert seen == allowed["seen"]
    assert names - seen == allowed["changed"]
    assert {group for rule in rules for group in rule["apiGroups"]} == allowed["groups"]


def test_the_tenants_role_is_the_one_the_worker_may_grant():
    """By name, which is where `escalate` and `bind` are limited."""
    (worker,) = (each for each in setup.objects() if each["kind"] == "ClusterRole")
    (special,) = (rule for rule in worker["rules"] if "escalate" in rule["verbs"])
    role_names = {
        o["metadata"]["name"]
        for o in tenant.objects(catalogue(), "0", catalogue().plan("pro"))
        if o["kind"] in {"Role", "RoleBinding"}
    }
    assert set(special["resourceNames"]) == role_names
    assert not any("*" in part for rule in worker["rules"] for part in rule.values())
