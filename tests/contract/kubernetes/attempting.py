"""What somebody tries: the forms that attempts have, and the objects that are tried with."""

from dataclasses import dataclass, field

from tests.contract.kubernetes.conftest import NAMESPACE

CORE, RBAC = "/api/v1/namespaces", "/apis/rbac.authorization.k8s.io/v1"
TENANT = f"{CORE}/{NAMESPACE}"
APPS, BATCH, NETWORKING, AUTOSCALING, POLICY = (
    f"/apis/{each}/namespaces/{NAMESPACE}"
    for each in ("apps/v1", "batch/v1", "networking.k8s.io/v1", "autoscaling/v2", "policy/v1")
)
POLICIES = f"{NETWORKING}/networkpolicies"
ADMIN = f"{RBAC}/namespaces/{NAMESPACE}"
OTHER = f"{CORE}/arm-theirs"
OURS = {"app.kubernetes.io/managed-by": "arm-engine"}
APPLY, MERGE = "application/apply-patch+yaml", "application/merge-patch+json"
RBAC_SAYS, POLICY_SAYS, SERVER_SAYS = "RBAC", "admission policy", "the API server"
ACCOUNT = {"kind": "ServiceAccount", "name": "tenant-admin", "namespace": NAMESPACE}
HOST = f"{NAMESPACE}.apps.arm-engine.io"
"""Below it are the tenant's own hosts."""


@dataclass(frozen=True)
class Attempt:
    """One attempt: who, what in words, how, and what refuses it."""

    who: str
    what: str
    method: str
    path: str
    body: dict = field(default_factory=dict)
    by: str = RBAC_SAYS
    content_type: str = "application/json"

    @property
    def row(self):
        """As it stands in the documentation."""
        return f"| {self.who} | {self.what} | {self.by} |"


def apply(who, what, path, kind, by, **rest):
    """An attempt by server-side apply."""
    version = "rbac.authorization.k8s.io/v1" if path.startswith(RBAC) else "v1"
    name = path.rsplit("/", 1)[1]
    metadata = {"name": name, **rest.pop("metadata", {})}
    body = {"apiVersion": version, "kind": kind, "metadata": metadata, **rest}
    return Attempt(
        who, what, "PATCH", f"{path}?fieldManager=arm-engine&force=true", body, by, APPLY
    )


def merge(who, what, path, patch, by=RBAC_SAYS):
    """An attempt by merge patch."""
    return Attempt(who, what, "PATCH", path, patch, by, MERGE)


def make(who, what, path, body, by=POLICY_SAYS):
    """An attempt to make something."""
    return Attempt(who, what, "POST", path, body, by)


def thing(version, kind, name="tried", metadata=None, **rest):
    """An object of any kind."""
    metadata = {"name": name, **(metadata or {})}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **rest}


def role(*rules):
    return [dict(zip(("apiGroups", "resources", "verbs"), rule, strict=True)) for rule in rules]


def binding(kind, name, subject):
    return {
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name},
        "subjects": [subject],
    }  # fmt: skip


def service(spec):
    return thing("v1", "Service", "web", spec=spec)


def container(**said):
    safe = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    return {"name": "c", "image": "x:1", "securityContext": safe, **said}


def pod_spec(*containers, **said):
    security = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    return {"containers": list(containers) or [container()], "securityContext": security, **said}


def pod(*containers, metadata=None, **said):
    """A pod that Pod Security admits, saying this besides."""
    return thing("v1", "Pod", "p", metadata, spec=pod_spec(*containers, **said))


def deployment(*containers, metadata=None, about=None, **said):
    """A Deployment of such pods; `about` is said in its own spec."""
    return workload("Deployment", *containers, metadata=metadata, about=about, **said)


def workload(kind, *containers, metadata=None, about=None, **said):
    template = {"metadata": {"labels": {"a": "b"}, **(metadata or {})}}
    template["spec"] = pod_spec(*containers, **said)
    spec = {"selector": {"matchLabels": {"a": "b"}}, "template": template, **(about or {})}
    return thing("apps/v1", kind, "tried", spec=spec)


def ingress(*hosts, annotations=None, **said):
    path = {"path": "/", "pathType": "Prefix"}
    path["backend"] = {"service": {"name": "web", "port": {"number": 80}}}
    rules = [{**({"host": host} if host else {}), "http": {"paths": [path]}} for host in hosts]
    spec = {"ingressClassName": "nginx", **({"rules": rules} if rules else {}), **said}
    metadata = {"annotations": annotations} if annotations else {}
    return thing("networking.k8s.io/v1", "Ingress", "tried", metadata, spec=spec)


def claim(**said):
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}, **said}
    return thing("v1", "PersistentVolumeClaim", "tried", spec=spec)


def near(side, **term):
    """Affinity of pods to others, or to be far from them, which must be."""
    said = {"topologyKey": "kubernetes.io/os", "labelSelector": {}, **term}
    return {side: {"requiredDuringSchedulingIgnoredDuringExecution": [said]}}
