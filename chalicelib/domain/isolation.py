"""The objects that keep a tenant to itself, the same on every plan."""

from collections.abc import Mapping, Sequence
from ipaddress import ip_network
from typing import Any

from chalicelib.domain.catalogue import ClusterSelectors

TENANT_ROLE = "tenant-admin"
NAMESPACE_NAME = "kubernetes.io/metadata.name"
"""A label that the API server itself puts on every namespace."""


def network_policies(cluster: ClusterSelectors) -> list[dict[str, Any]]:
    """Nothing in or out, but: DNS, each other, from the ingress controller, and to the internet."""
    dns_peers: list[dict[str, Any]] = [
        {
            "namespaceSelector": _named(cluster.dns_namespace),
            "podSelector": {"matchLabels": dict(cluster.dns_labels)},
        },
        *({"ipBlock": {"cidr": each}} for each in cluster.dns_ranges),
    ]
    dns_ports = [{"protocol": protocol, "port": 53} for protocol in ("UDP", "TCP")]
    ingress_peer = {"namespaceSelector": _named(cluster.ingress_namespace)}
    siblings: list[dict[str, Any]] = [{"podSelector": {}}]
    return [
        _policy("deny-all", {"policyTypes": ["Ingress", "Egress"]}),
        _policy(
            "allow-dns",
            {"policyTypes": ["Egress"], "egress": [{"to": dns_peers, "ports": dns_ports}]},
        ),
        _policy(
            "allow-inside",
            {
                "policyTypes": ["Ingress", "Egress"],
                "ingress": [{"from": siblings}],
                "egress": [{"to": siblings}],
            },
        ),
        _policy(
            "allow-ingress", {"policyTypes": ["Ingress"], "ingress": [{"from": [ingress_peer]}]}
        ),
        _policy(
            "allow-internet",
            {"policyTypes": ["Egress"], "egress": [{"to": _internet(cluster.blocked_ranges)}]},
        ),
    ]


def _internet(blocked: Sequence[str]) -> list[dict[str, Any]]:
    """Every address of both kinds, but for the cluster's and the cloud's own."""
    return [
        {
            "ipBlock": {
                "cidr": everywhere,
                "except": [each for each in blocked if ip_network(each).version == version],
            }
        }
        for version, everywhere in ((4, "0.0.0.0/0"), (6, "::/0"))
    ]


def neighbours() -> dict[str, Any]:
    """No pod says anything about where other namespaces' pods may run.

    One that keeps away from every pod of the cluster would stop them all from being scheduled.
    """
    selector = {"scopeName": "CrossNamespacePodAffinity", "operator": "Exists"}
    return {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "neighbours"},
        "spec": {"hard": {"pods": "0"}, "scopeSelector": {"matchExpressions": [selector]}},
    }


def service_account() -> dict[str, Any]:
    """Whom the tenant's people and pipelines act as; pods do not get its token by themselves."""
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": TENANT_ROLE},
        "automountServiceAccountToken": False,
    }


def role() -> dict[str, Any]:
    """Run workloads; read, and never change, what the plan and the isolation are made of."""
    run = ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"]
    read = ["get", "list", "watch"]
    rules = [
        ("", ["pods", "services", "configmaps", "secrets", "persistentvolumeclaims"], run),
        ("", ["serviceaccounts"], run),
        ("", ["pods/log", "pods/status", "events", "resourcequotas", "limitranges"], read),
        ("", ["namespaces"], ["get"]),
        ("", ["pods/exec", "pods/portforward"], ["create", "get"]),
        ("apps", ["deployments", "statefulsets", "daemonsets", "replicasets"], run),
        ("apps", ["deployments/scale", "statefulsets/scale"], ["get", "update", "patch"]),
        ("batch", ["jobs", "cronjobs"], run),
        ("autoscaling", ["horizontalpodautoscalers"], run),
        ("policy", ["poddisruptionbudgets"], run),
        ("networking.k8s.io", ["ingresses"], run),
        ("networking.k8s.io", ["networkpolicies"], read),
    ]
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": {"name": TENANT_ROLE},
        "rules": [
            {"apiGroups": [group], "resources": resources, "verbs": verbs}
            for group, resources, verbs in rules
        ],
    }


def role_binding(namespace: str) -> dict[str, Any]:
    """Gives the tenant's service account the tenant's role."""
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": TENANT_ROLE},
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "Role",
            "name": TENANT_ROLE,
        },
        "subjects": [{"kind": "ServiceAccount", "name": TENANT_ROLE, "namespace": namespace}],
    }


def _named(namespace: str) -> Mapping[str, Any]:
    return {"matchLabels": {NAMESPACE_NAME: namespace}}


def _policy(name: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name},
        "spec": {"podSelector": {}, **spec},
    }
