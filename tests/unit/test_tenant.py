"""A tenant's objects: what a plan becomes in Kubernetes."""

import json
from dataclasses import replace
from ipaddress import ip_address, ip_network

import pytest

from chalicelib.domain import tenant
from chalicelib.domain.isolation import network_policies

TENANT = "4f9c2ab81d07e635"


@pytest.fixture
def objects(catalogue):
    def make(plan="basic", **how):
        made = tenant.objects(catalogue, TENANT, catalogue.plan(plan), **how)
        return {(m["kind"], m["metadata"]["name"]): m for m in made}

    return make


def test_the_objects_of_a_tenant(objects):
    """The namespace first, then what bounds it, what isolates it, and who may act in it."""
    assert [kind for kind, _ in objects()] == [
        "Namespace", "ResourceQuota", "ResourceQuota", "LimitRange", "NetworkPolicy",
        "NetworkPolicy", "NetworkPolicy", "NetworkPolicy", "NetworkPolicy", "ServiceAccount", "Role", "RoleBinding",
    ]  # fmt: skip


def test_every_object_is_ours_and_in_its_place(objects, catalogue):
    """Managed-by, tenant and namespace stand on everything."""
    owner = tenant.ownership(catalogue, TENANT)
    for (kind, _), manifest in objects().items():
        assert owner.items() <= manifest["metadata"]["labels"].items()
        if kind != "Namespace":
            assert manifest["metadata"]["namespace"] == f"arm-{TENANT}"


def test_pods_are_restricted(objects):
    """Pod Security is enforced, audited and warned about at its strictest."""
    labels = objects()["Namespace", f"arm-{TENANT}"]["metadata"]["labels"]
    modes = {f"pod-security.kubernetes.io/{mode}" for mode in ("enforce", "audit", "warn")}
    assert {labels[mode] for mode in modes} == {"restricted"}


@pytest.mark.parametrize(
    ("plan", "environments"), [("free", "1"), ("basic", "5"), ("pro", "unlimited")]
)
def test_entitlements_stand_on_the_namespace(objects, plan, environments):
    """The product reads there what was paid for."""
    annotations = objects(plan)["Namespace", f"arm-{TENANT}"]["metadata"]["annotations"]
    assert annotations["arm-engine.io/entitlement.environments"] == environments


@pytest.mark.parametrize("plan", ["free", "basic", "pro"])
def test_nothing_is_exposed_past_the_ingress(objects, plan):
    """No plan may have load balancers or node ports of its own."""
    hard = objects(plan)["ResourceQuota", "plan"]["spec"]["hard"]
    assert (hard["services.loadbalancers"], hard["services.nodeports"]) == ("0", "0")


@pytest.mark.parametrize("plan", ["free", "basic", "pro"])
def test_whatever_may_be_made_is_counted(objects, plan):
    """Every kind that the tenant's role may create has a count, under one of its names."""
    (role,) = (each for (kind, _), each in objects(plan).items() if kind == "Role")
    hard = objects(plan)["ResourceQuota", "plan"]["spec"]["hard"]
    made = {
        f"{name}.{group}".rstrip(".")
        for rule in role["rules"] for group in rule["apiGroups"] for name in rule["resources"]
        if "create" in rule["verbs"] and "/" not in name
    }  # fmt: skip
    assert {each for each in made if not {each, f"count/{each}"} & set(hard)} == set()


@pytest.mark.parametrize("plan", ["free", "basic", "pro"])
def test_what_is_bounded_has_a_default(objects, plan):
    """A container without sizes gets each that the quota adds up, and no more than it may have."""
    hard = objects(plan)["ResourceQuota", "plan"]["spec"]["hard"]
    (limit,) = objects(plan)["LimitRange", "defaults"]["spec"]["limits"]
    for side, given in (("requests", "defaultRequest"), ("limits", "default")):
        names = {"cpu", "memory", "ephemeral-storage"}
        assert {f"{side}.{name}" for name in names} <= set(hard)
        assert set(limit[given]) == set(limit["max"]) == names


def test_all_traffic_is_denied_first(objects):
    """Deny-all selects every pod, both ways, and allows nothing."""
    spec = objects()["NetworkPolicy", "deny-all"]["spec"]
    assert spec == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_the_internet_is_open_but_for_what_is_the_clusters_and_the_clouds(objects):
    """Private networks and the metadata service are out of reach, in both IP versions."""
    (rule,) = objects()["NetworkPolicy", "allow-internet"]["spec"]["egress"]
    blocks = {to["ipBlock"]["cidr"]: to["ipBlock"]["except"] for to in rule["to"]}
    for address in ("10.1.2.3", "172.20.0.1", "192.168.9.9", "169.254.169.254", "100.64.0.1"):
        assert any(ip_address(address) in ip_network(each) for each in blocks["0.0.0.0/0"])
    for address in ("fd00:ec2::254", "fe80::1", "64:ff9b::169.254.169.254"):
        assert any(ip_address(address) in ip_network(each) for each in blocks["::/0"])
    assert not any(ip_address("93.184.215.14") in ip_network(each) for each in blocks["0.0.0.0/0"])


def test_dns_is_asked_of_the_clusters_pods_and_of_the_ranges_that_are_named(catalogue):
    """On port 53 alone; a cache on the node is no pod that a selector could find."""
    ranges = ("169.254.20.10/32", "fd00::10/128")

    def peers(**settings):
        cluster = replace(catalogue.cluster, **settings)
        policies = {each["metadata"]["name"]: each for each in network_policies(cluster)}
        (rule,) = policies["allow-dns"]["spec"]["egress"]
        assert {port["port"] for port in rule["ports"]} == {53}
        return rule["to"]

    (pods,) = peers()
    assert pods["podSelector"] == {"matchLabels": {"k8s-app": "kube-dns"}}
    assert peers(dns_ranges=ranges) == [pods, *({"ipBlock": {"cidr": each}} for each in ranges)]


def test_the_tenant_cannot_change_what_bounds_it(objects):
    """Quota, limits and policies are for reading; roles and bindings are out of sight."""
    writes = {"create", "update", "patch", "delete", "deletecollection", "*"}
    for rule in objects()["Role", "tenant-admin"]["rules"]:
        if writes & set(rule["verbs"]):
            bounding = {"resourcequotas", "limitranges", "networkpolicies", "roles", "rolebindings"}
            assert not bounding & set(rule["resources"])
            assert "*" not in rule["resources"]


def test_a_suspended_tenant_keeps_everything_but_pods(objects):
    """Only the right to run is taken, so that resuming brings all of it back."""
    running, suspended = objects(), objects(suspended=True)
    assert suspended["ResourceQuota", "plan"]["spec"]["hard"]["pods"] == "0"
    assert running.keys() == suspended.keys()


def test_the_revision_tells_any_difference(catalogue):
    """The same objects have the same hash; another plan, or being suspended, another."""

    def revision(plan, **how):
        return tenant.revision(tenant.objects(catalogue, TENANT, catalogue.plan(plan), **how))

    hashes = [revision("basic"), revision("pro"), revision("basic", suspended=True)]
    assert len(set(hashes)) == 3
    assert revision("basic") == hashes[0]


def test_objects_are_plain_json(objects):
    """They go over the wire as they are."""
    json.dumps(list(objects().values()))
