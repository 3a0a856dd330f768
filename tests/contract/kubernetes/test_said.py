"""What a plan's words open, what nobody needs to open, and that nothing else is."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from chalicelib.domain import tenant
from chalicelib.wiring import catalogue
from sandbox.kubernetes import kinds, setup
from sandbox.kubernetes.authorization import User
from sandbox.kubernetes.kinds import Kind
from sandbox.kubernetes.policies import Attempt as Write
from sandbox.kubernetes.policies import check
from sandbox.kubernetes.statuses import Refusal
from tests.contract.kubernetes import said_in_tenants as said
from tests.contract.kubernetes.attempting import (
    APPLY,
    HOST,
    MERGE,
    NETWORKING,
    TENANT,
    claim,
    container,
    deployment,
    ingress,
    pod,
    thing,
)
from tests.contract.kubernetes.conftest import NAMESPACE
from tests.contract.kubernetes.conftest import TENANT as TENANT_ID

pytestmark = pytest.mark.cluster

HERE = Path(__file__).parent
CLASSES = "/apis/storage.k8s.io/v1/storageclasses"
FAST = {**thing("storage.k8s.io/v1", "StorageClass", "arm-theirs-fast"), "provisioner": "example.com/none"}  # fmt: skip


@pytest.fixture
def tenant_on(cluster, owner, token_of, objects):
    """A tenant on Basic, whose lists can then be others; its token."""
    cluster.gateway().apply(objects(), owner)
    assert cluster.ask("POST", CLASSES, FAST)[0] in {201, 409}
    token = token_of(NAMESPACE, "tenant-admin")

    def make(**words):
        lists = replace(catalogue().plan("basic").allowed, **words).words
        noted = {f"arm-engine.io/allowed.{name}": text for name, text in lists.items()}
        patch = {"metadata": {"annotations": noted}}
        answer = cluster.ask("PATCH", TENANT, patch, content_type=MERGE)
        assert answer[0] == 200, answer
        return token

    return make


OPENED = [
        ({"node_selectors": ("team",)}, said.DEPLOYMENTS, deployment(nodeSelector={"team": "any"})),
        ({"node_selectors": ("team=a",)}, said.DEPLOYMENTS, deployment(nodeSelector={"team": "a"})),
        ({"node_selectors": ("team=a",)}, said.DEPLOYMENTS, deployment(affinity=said.node_affinity(matchExpressions=[{"key": "team", "operator": "In", "values": ["a"]}]))),
        ({"tolerations": ("team=a:NoSchedule",)}, said.PODS, pod(tolerations=[{"key": "team", "value": "a", "effect": "NoSchedule"}])),
        ({"tolerations": ("team",)}, said.PODS, pod(tolerations=[{"key": "team", "operator": "Exists"}])),
        ({"runtime_classes": ("kata",)}, said.DEPLOYMENTS, deployment(runtimeClassName="kata")),
        ({"storage_classes": ("arm-theirs-fast",)}, f"{TENANT}/persistentvolumeclaims", claim(storageClassName="arm-theirs-fast")),
        ({"ingress_classes": ("internal",)}, f"{NETWORKING}/ingresses", ingress(HOST, ingressClassName="internal")),
        ({"ingress_annotations": ("example.com/a",)}, f"{NETWORKING}/ingresses", ingress(HOST, annotations={"example.com/a": "b"})),
        ({"extended_resources": ("nvidia.com/gpu",)}, said.DEPLOYMENTS, deployment(container(resources={"limits": {"nvidia.com/gpu": "1"}}))),
        ({"registries": ("docker.io",)}, said.DEPLOYMENTS, deployment(container(image="nginx"))),
        ({"registries": ("ghcr.io/us",)}, said.DEPLOYMENTS, deployment(container(image="ghcr.io/us/x:1"))),
        ({"data_kib": 1024}, f"{TENANT}/configmaps", thing("v1", "ConfigMap", data={"a": "x" * 400 * 1024})),
        ({"object_kib": 256}, said.DEPLOYMENTS, deployment(container(env=[{"name": "A", "value": "x" * 100 * 1024}]))),
]  # fmt: skip


def test_what_a_plans_words_open_may_be_said(cluster, tenant_on):
    """And was refused without them."""
    for number, (words, path, given) in enumerate(OPENED):
        body = {**given, "metadata": {**given["metadata"], "name": f"tried-{number}"}}
        token = tenant_on(**({"registries": ()} if "registries" in words else {}))
        status, answer = cluster.ask("POST", path, body, token=token)
        assert (status, by_policy(answer)) == (422, True), (words, answer)
        tenant_on(**words)
        status, answer = cluster.ask("POST", path, body, token=token)
        assert status == 201, (words, answer)


def by_policy(answer):
    said_so = "denied request" in answer.get("message", "")
    return said_so and "resulted in error" not in answer["message"]


NOT_OPENED = [
        ({"node_selectors": ("team=a",)}, said.DEPLOYMENTS, deployment(nodeSelector={"team": "ab"})),
        ({"tolerations": ("team=a:NoSchedule",)}, said.PODS, pod(tolerations=[{"key": "team", "operator": "Exists", "effect": "NoSchedule"}])),
        ({"tolerations": ("team:NoSchedule",)}, said.PODS, pod(tolerations=[{"key": "team", "operator": "Exists"}])),
        ({"registries": ("docker.io",)}, said.DEPLOYMENTS, deployment(container(image="ghcr.io/x:1"))),
        ({"registries": ("docker.io",)}, said.DEPLOYMENTS, deployment(container(image="Docker.io/x:1"))),
        ({"registries": ("docker.io",)}, said.DEPLOYMENTS, deployment(container(image="localhost/x:1"))),
        ({"registries": ("ghcr.io/us",)}, said.DEPLOYMENTS, deployment(container(image="ghcr.io/usurper/x:1"))),
        ({"registries": ("ghcr.io",)}, said.DEPLOYMENTS, deployment(**said.volume(image={"reference": "evil.example/x:1"}))),
        ({"extended_resources": ("nvidia.com/gpu",)}, said.DEPLOYMENTS, deployment(container(resources={"limits": {"amd.com/gpu": "1"}}))),
]  # fmt: skip


def test_a_word_opens_what_it_says_and_no_more(cluster, tenant_on):
    """Neither another value, nor another effect, nor a name that only begins alike."""
    for words, path, body in NOT_OPENED:
        status, answer = cluster.ask("POST", path, body, token=tenant_on(**words))
        assert (status, by_policy(answer)) == (422, True), (words, answer)


def test_a_tenants_ordinary_life_works(cluster, tenant_on):
    """Whatever the commonest charts make is made, applied again, changed, and deleted."""
    token = tenant_on()
    text = (HERE / "ordinary.yaml").read_text("utf-8").replace("HOST", HOST)
    for obj in yaml.safe_load_all(text):
        kind = kinds.by_name(obj["kind"])
        base = f"/apis/{kind.api_version}" if kind.group else "/api/v1"
        path = f"{base}/namespaces/{NAMESPACE}/{kind.plural}/{obj['metadata']['name']}"
        for _ in range(2):
            status, answer = cluster.ask(
                "PATCH", f"{path}?fieldManager=helm", obj, token=token, content_type=APPLY
            )
            assert status in {200, 201}, answer
        label = {"metadata": {"labels": {"a": "b"}}}
        how = {"token": token, "content_type": MERGE}
        assert cluster.ask("PATCH", path, label, **how)[0] == 200
        status, answer = cluster.ask("DELETE", path, token=token)
        assert status == 200, answer


def test_the_default_class_needs_no_name(asked):
    """The API server names it before a policy looks; a tenant may name it, too, and no other."""
    setup.apply(asked.cluster, "t")
    for name, default in (("standard", "true"), ("fast", "false")):
        mark = {"annotations": {"storageclass.kubernetes.io/is-default-class": default}}
        body = {**thing("storage.k8s.io/v1", "StorageClass", name, mark), "provisioner": "x"}
        assert asked.ask("POST", CLASSES, body)[0] == 201
    ours = {"labels": {"app.kubernetes.io/managed-by": "arm-engine"}}
    namespace = thing("v1", "Namespace", NAMESPACE, ours)
    asked.ask("POST", "/api/v1/namespaces", namespace)
    answers = {
        name: asked.ask("POST", f"{TENANT}/persistentvolumeclaims", {**claim(**said_), "metadata": {"name": name}})
        for name, said_ in (
            ("unnamed", {}), ("named", {"storageClassName": "standard"}), ("other", {"storageClassName": "fast"}),
        )
    }  # fmt: skip
    assert {name: status for name, (status, _) in answers.items()} == {
        "unnamed": 201, "named": 201, "other": 422,
    }  # fmt: skip
    assert answers["unnamed"][1]["spec"]["storageClassName"] == "standard"


ROUTE = Kind("gateway.networking.k8s.io", "v1", "HTTPRoute", "httproutes")
GATEWAY = Kind("gateway.networking.k8s.io", "v1", "Gateway", "gateways")
CLAIM = kinds.by_name("PersistentVolumeClaim")


def route(*hosts, parent=("shared", "web"), **rule):
    parents = [{"namespace": parent[0], "name": parent[1]}]
    rules = [{"backendRefs": [{"name": "web", "port": 80}], **rule}]
    return {"hostnames": list(hosts), "parentRefs": parents, "rules": rules}


ELSEWHERE = [
        (ROUTE, route(HOST, f"a.{HOST}"), False),
        (ROUTE, route(), True),
        (ROUTE, route("arm-engine.io"), True),
        (ROUTE, route(f"*.{HOST}"), True),
        (ROUTE, route(HOST, parent=("kube-system", "web")), True),
        (ROUTE, route(HOST, backendRefs=[{"name": "web", "namespace": "kube-system"}]), True),
        (ROUTE, route(HOST, backendRefs=[{"name": "b", "kind": "Bucket"}]), True),
        (ROUTE, route(HOST, filters=[{"type": "RequestHeaderModifier"}]), False),
        (ROUTE, route(HOST, filters=[{"type": "RequestMirror"}]), True),
        (ROUTE, route(HOST, backendRefs=[{"name": "b", "filters": [{"type": "ExtensionRef"}]}]), True),
        (GATEWAY, {"gatewayClassName": "lb"}, True),
        (CLAIM, {"dataSourceRef": {"kind": "PersistentVolumeClaim", "name": "theirs"}}, False),
        (CLAIM, {"dataSourceRef": {"kind": "PersistentVolumeClaim", "name": "x", "namespace": "kube-system"}}, True),
        (CLAIM, {"volumeAttributesClassName": "gold"}, True),
]  # fmt: skip


def test_what_not_every_cluster_has(asked):
    """Routes of the Gateway API and claims of newer clusters are held to the same."""
    setup.apply(asked.cluster, "t")
    plan = catalogue().plan("basic")
    plan = replace(plan, allowed=replace(plan.allowed, ingress_classes=("shared/web",)))
    namespace = tenant.objects(catalogue(), TENANT_ID, plan)[0]
    user = User("someone", ("system:authenticated",))
    for kind, spec, refused in ELSEWHERE:
        obj = thing(kind.api_version, kind.name, spec=spec)
        write = Write(
            user, "CREATE", kind, "", NAMESPACE, "tried", obj, None, namespace, dry_run=False
        )
        assert denied(asked.cluster._store, write) is refused, spec


def denied(store, write):
    """Whether a policy denies it, in words of ours."""
    try:
        check(store, write)
    except Refusal as refusal:
        return "resulted in error" not in refusal.body["message"] or "an expression failed"
    return False


def recorded(*by):
    """What a tenant tried on a real server, before it was held to its plan's words."""
    lines = (HERE / "tenants_attempts.jsonl").read_text("utf-8").splitlines()
    return [each for each in map(json.loads, lines) if each["by"] in by]


GIVEN_SINCE = {
    "ServiceAccount create",
    "ServiceAccount default patch (IAM role annotation, EKS)",
    "deletes service account",
}
"""A tenant has service accounts now; what it may not do with them stands in the table."""


def test_what_a_tenants_role_does_not_allow(cluster, tenant_on):
    """Is refused as a real server refused it, with the same status."""
    token, wrong = tenant_on(), []
    for each in recorded("RBAC"):
        path = each["path"].replace("{namespace}", NAMESPACE)
        body = None if each["method"] == "GET" else {}
        kind = MERGE if each["method"] == "PATCH" else "application/json"
        status, _ = cluster.ask(each["method"], path, body, token=token, content_type=kind)
        if each["what"] not in GIVEN_SINCE and status != each["status"]:
            wrong.append((each["what"], status))
    assert wrong == []


ADMITTED = {
    "inline csi volume": "deploys pods with an inline volume of a storage driver",
    "nodeName: a node of choice, past the scheduler": "runs a pod on a node that it names",
    "nodeSelector control-plane": "deploys pods on the control plane's nodes",
    "terminationGracePeriodSeconds 30 years": "runs a pod that takes thirty years to end",
    "schedulerName of its own": "runs a pod by a scheduler of its own",
    "resourceClaims": "deploys pods with a device that it claims",
    "extended resource nvidia.com/gpu: 8": "deploys pods with eight GPUs",
    "hugepages": "deploys pods with huge pages",
    "topologySpread": "deploys pods spread by a label of the nodes that is not its plan's",
    "antiaffinity to every namespace's pods on a node (namespaceSelector {}): keeps everybody else's pods off": "runs a pod that keeps every pod of the cluster off its nodes",
    "Ingress with a default backend and no host": "makes an Ingress that gets what nobody else takes",
    "Ingress: wildcard host, snippet annotation": "makes an Ingress for every host below its own",
    "PVC: storage class of choice": "claims storage of a class that is not its plan's",
    "PVC: volumeName of a PV that is not its own": "claims storage that was made for somebody else, by the volume's name",
    "says it through a pod template (Deployment's pods)": "deploys pods that carry our label",
}  # fmt: skip
"""What a real server admitted, and which attempt of the table is refused for it now."""

HARMLESS = {
    "change of image": "a tenant's own pod",
    "SelfSubjectRulesReview": "its own rights",
    "serviceAccountName tenant-admin, token mounted": "its own account's token, in its own pod",
    "projected secret of another namespace": "there is no such field: its own Secret of that name",
    "emptyDir memory without bound": "counts against the container's memory, which is bounded",
    "emptyDir disk without bound": "counts against the pod's disk, which is bounded",
    "emptyDir sizeLimit 10Ti": "the pod's disk is bounded all the same",
    "image volume": "from the plan's registries, like any image",
    "hostUsers true": "what every pod has unless it says otherwise",
    "dnsPolicy None, own nameserver": "reached only where the network policies let it",
    "ClusterIP of choice (the DNS's, 10.96.0.10)": "only an address that nobody has",
    "openapi": "what the API is like, for everybody who is known",
    "version": "the same",
}
"""What a real server admitted, and why it may."""


def test_whatever_a_real_server_admitted_is_refused_now_or_harmless():
    """Each stands in the table of attempts, or here with its reason."""
    admitted = {each["what"] for each in recorded("")}
    assert admitted == set(ADMITTED) | set(HARMLESS)
    assert set(ADMITTED.values()) <= {attempt.what for attempt in said.SAID}
