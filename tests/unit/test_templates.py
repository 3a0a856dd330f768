"""An adopter's own objects for a plan: what is taken, what is refused, and what becomes of them."""

import re
from dataclasses import replace

import pytest

from chalicelib.domain import templates, tenant
from chalicelib.domain.errors import Misconfigured

TENANT = "4f9c2ab81d07e635"
DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: product, labels: {tier: front}}
spec:
  replicas: 3
  selector: {matchLabels: {app: product}}
  template:
    metadata: {labels: {app: product}}
    spec:
      containers:
      - name: product
        image: registry.example/product:1
        env:
        - {name: ENVIRONMENTS, value: "{{entitlement.environments}}"}
        - {name: HOST, value: "{{ tenant }}.example.com"}
"""
SERVICE = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\n"
SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {name: pull}\nstringData: {a: b}\n"


@pytest.fixture
def loaded(catalogue):
    """The catalogue with these files for Basic."""

    def make(**files):
        plans = [replace(p, folder="basic" if p.id == "basic" else None) for p in catalogue.plans]
        texts = {f"{name}.yaml": text for name, text in files.items()}
        return templates.loaded(replace(catalogue, plans=tuple(plans)), {"basic": texts}.get)

    return make


@pytest.fixture
def objects(loaded):
    def make(plan="basic", **how):
        sold = loaded(a=DEPLOYMENT, b=SECRET)
        made = tenant.objects(sold, TENANT, sold.plan(plan), **how)
        return {(m["kind"], m["metadata"]["name"]): m for m in made}

    return make


def test_a_plans_own_objects_come_with_the_rest(objects, catalogue):
    """In the tenant's namespace, with our labels beside their own, noted for pruning."""
    made = objects()["Deployment", "product"]["metadata"]
    assert made["namespace"] == f"arm-{TENANT}"
    assert made["labels"] == {"tier": "front"} | made["labels"]
    assert tenant.ownership(catalogue, TENANT).items() <= made["labels"].items()
    noted = objects()["Namespace", f"arm-{TENANT}"]["metadata"]["annotations"]
    assert '"Deployment/product"' in noted["arm-engine.io/objects"]
    assert ("Deployment", "product") not in objects("pro")


def test_placeholders_are_filled_in(objects):
    """With what belongs to the tenant and to its plan."""
    (container,) = objects()["Deployment", "product"]["spec"]["template"]["spec"]["containers"]
    assert [each["value"] for each in container["env"]] == ["5", f"{TENANT}.example.com"]


def test_a_suspended_tenants_templates_are_at_zero(objects):
    """They say so themselves, so that applying them starts nothing."""
    assert objects()["Deployment", "product"]["spec"]["replicas"] == 3
    assert objects(suspended=True)["Deployment", "product"]["spec"]["replicas"] == 0


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("a: [", "basic/a.yaml: not YAML"),
        ("- 1", "a document that is no object"),
        ("kind: ClusterRole", "kind ClusterRole: must be one of ConfigMap,"),
        ("kind: Role", "kind Role: must be one of"),
        ("kind: PersistentVolumeClaim", "kind PersistentVolumeClaim: must be one of"),
        ("kind: Secret", "Secret: metadata.name must look like"),
        ("kind: Secret\nmetadata: {name: No}", "Secret: metadata.name must look like"),
        (SECRET.replace("v1", "v2"), "Secret pull: apiVersion must be v1, not 'v2'"),
        (SECRET.replace("pull}", "pull, namespace: kube-system}"), "Secret pull: metadata.namespace must"),
        (SECRET + "status: {}\n", "Secret pull: status is not"),
        (SECRET + "---\n" + SECRET, "Secret pull: there is already"),
        (SECRET.replace("a: b", "a: '{{password}}'"), "Secret pull: unknown placeholder password: known are app"),
        (SECRET.replace("a: b", "a: '{{entitlement.jets}}'"), "unknown placeholder entitlement.jets"),
        (DEPLOYMENT.split("  template:", maxsplit=1)[0], "Deployment product: spec.template.spec is missing"),
        (DEPLOYMENT.replace("      containers:", "      priorityClassName: system-node-critical\n      containers:"), "Deployment product: priorityClassName must not be system-node-critical"),
        (SERVICE + "spec: {type: ExternalName, externalName: a.internal}", "Service web: spec.type must not be ExternalName"),
        (SERVICE + "spec: {ports: [{port: 80}], externalIPs: [192.0.2.1]}", "Service web: spec.externalIPs must not"),
        (SECRET.replace("a: b", "a: 2026-13-31"), "basic/a.yaml: not YAML: month must be in 1..12"),
        (SECRET.replace("a: b", "released: 2026-01-31"), "Secret pull: stringData.released is a date to YAML"),
        (SECRET.replace("a: b", "a: 2026-01-31T10:00:00Z"), "Secret pull: stringData.a is a datetime to YAML"),
        (SECRET.replace("a: b", "a: !!binary aGk="), "Secret pull: stringData.a is a bytes to YAML"),
        (SECRET.replace("a: b", "a: !!set {b}"), "Secret pull: stringData.a is a set to YAML"),
        (SECRET.replace("a: b", "on: b"), "Secret pull: stringData has the key True"),
        (SECRET.replace("a: b", 'a: "\\ud800"'), "Secret pull: stringData.a holds half of a character"),
        (SERVICE + "spec: &spec {ports: [{port: .nan}], selector: *spec}", "Service web: spec.ports[0].port is no number"),
        (SERVICE + "spec: &spec {ports: [{port: .nan}], selector: *spec}", "Service web: spec.selector contains itself"),
        (SERVICE.replace("web}", "web, labels: [a]}"), "Service web: metadata.labels must be a map of texts"),
        (SERVICE.replace("web}", "web, annotations: {a: 1}}"), "Service web: metadata.annotations.a must be a text, and YAML reads a number"),
        (SERVICE.replace("web}", "web, labels: {a: }}"), "Service web: metadata.labels.a must be a text, and YAML reads none"),
        (DEPLOYMENT.replace("metadata: {labels: {app: product}}", "metadata: {labels: {app: yes}}"), "Deployment product: spec.template.metadata.labels.app must be a text, and YAML reads a flag"),
        (DEPLOYMENT.replace("      containers:", "      nodeSelector: [a]\n      containers:"), "Deployment product: spec.template.spec.nodeSelector must be a map of texts"),
        (SECRET.replace("a: b", "a: [b]"), "Secret pull: stringData.a must be a text, and YAML reads a list"),
        (SECRET.replace("stringData: {a: b}", "data: {a: 1}"), "Secret pull: data.a must be a text, and YAML reads a number"),
        (SECRET.replace("Secret", "ConfigMap").replace("stringData: {a: b}", "data: {a: {b: c}}"), "ConfigMap pull: data.a must be a text, and YAML reads a map"),
        (SERVICE.replace("web", "web.front"), "Service: metadata.name must look like"),
        (SERVICE.replace("web", "1web"), "Service: metadata.name must look like"),
        (SERVICE.replace("web", "w" * 64), "metadata.name must have at most 63 characters"),
        (SECRET.replace("pull", "pull..me"), "Secret: metadata.name must look like"),
        (SECRET.replace("pull", "p" * 254), "metadata.name must have at most 253 characters"),
        ("apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: " + "c" * 53 + "}", "metadata.name must have at most 52 characters"),
        ("apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: tenant-admin}", "ServiceAccount tenant-admin: there is already"),
        ("apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: deny-all}", "NetworkPolicy deny-all: there is"),
    ],
)  # fmt: skip
def test_every_mistake_is_named(loaded, text, named):
    """With plan, file and object."""
    with pytest.raises(Misconfigured) as raised:
        loaded(a=text)
    assert str(raised.value).startswith("plans.basic.templates: basic/a.yaml: ")
    assert named in str(raised.value)


def test_a_mistake_in_a_secret_is_named_without_its_value(loaded):
    """What is refused here, an API server would refuse and quote."""
    with pytest.raises(Misconfigured) as raised:
        loaded(a=SECRET.replace("a: b", "card: 4929123456781234, until: 2031-01-31"))
    assert "stringData.until" in str(raised.value)
    with pytest.raises(Misconfigured) as without_a_date:
        loaded(a=SECRET.replace("a: b", "card: 4929123456781234"))
    assert "stringData.card must be a text" in str(without_a_date.value)
    assert not re.search("4929|2031", f"{raised.value} {without_a_date.value}")


def test_what_json_has_is_taken(loaded):
    """Numbers, flags, null and empty maps where a kind has them, and names with dots."""
    text = (
        SERVICE.replace("web}", "web, labels: }") + "spec: {ports: [{port: 80}], a: 0.5, b: true}"
    )
    sold = loaded(a=text, b=SECRET.replace("pull", "pull.me"), c=SERVICE.replace("web", "w" * 63))
    assert len(sold.plan("basic").templates) == 3


def test_a_folder_without_templates_is_a_mistake(loaded):
    """Whoever named it meant something."""
    with pytest.raises(Misconfigured, match="there is no basic"):
        loaded()


def test_a_value_cannot_change_the_structure(catalogue):
    """A placeholder is filled in where a text stood, whatever the value looks like."""
    plan = replace(catalogue.plan("basic"), folder="x", entitlements={"e": "a: [b]\n- c"})
    text = SECRET.replace("a: b", "a: '{{entitlement.e}}'")
    sold = templates.loaded(replace(catalogue, plans=(plan,)), lambda _: {"f.yaml": text})
    secret = tenant.objects(sold, TENANT, sold.plans[0])[-1]
    assert secret["stringData"] == {"a": "a: [b]\n- c"}


def test_an_object_that_no_cluster_takes_is_named(loaded):
    """Its size is known when it is loaded, long before the first customer has paid."""
    text = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: fat}}\ndata: {{a: {'x' * 2**20}}}\n"
    with pytest.raises(Misconfigured, match=r"a\.yaml: ConfigMap fat: it has 10486\d\d bytes"):
        loaded(a=text)
    fits = text.replace("x" * 2**20, "x" * (2**20 - 200))
    assert loaded(a=fits)
