"""The kinds that are served: what discovery says of them and how each is treated."""

from dataclasses import dataclass
from typing import Any

Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of object and its resource."""

    group: str
    version: str
    name: str
    plural: str
    namespaced: bool = True
    short: tuple[str, ...] = ()
    status: bool = False
    """Whether its status is apart from the rest: not written with it, not owned with it."""
    counts_generations: bool = False
    returned_when_deleted: bool = False
    """Whether DELETE answers with the object; otherwise with a Status."""
    storage_hash: str = ""

    @property
    def model(self) -> str:
        """Its type in `schemas.json`."""
        return f"{self.version.upper()}{self.name}"

    @property
    def api_version(self) -> str:
        """As in `apiVersion`: `v1`, `apps/v1`."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def resource(self) -> str:
        """The resource as errors name it: `roles.rbac.authorization.k8s.io`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def qualified(self) -> str:
        """The kind as validation errors name it: `RoleBinding.rbac.authorization.k8s.io`."""
        return f"{self.name}.{self.group}" if self.group else self.name

    @property
    def gvk(self) -> str:
        """As internal errors name it: `/v1, Kind=ConfigMap`."""
        return f"{self.group}/{self.version}, Kind={self.name}"


_RBAC = ("rbac.authorization.k8s.io", "v1")

_ADMISSION = ("admissionregistration.k8s.io", "v1")
_NETWORKING = ("networking.k8s.io", "v1")

KINDS = (
    Kind("", "v1", "ConfigMap", "configmaps", short=("cm",), storage_hash="qFsyl6wFWjQ="),
    Kind("", "v1", "LimitRange", "limitranges", short=("limits",), storage_hash="EBKMFVe6cwo="),
    Kind("", "v1", "Namespace", "namespaces", namespaced=False, short=("ns",), status=True,
         storage_hash="Q3oi5N2YM8M="),
    Kind("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims", short=("pvc",), status=True,
         returned_when_deleted=True),
    Kind("", "v1", "Pod", "pods", short=("po",), status=True, counts_generations=True,
         returned_when_deleted=True),
    Kind("", "v1", "ResourceQuota", "resourcequotas", short=("quota",), status=True,
         returned_when_deleted=True, storage_hash="8uhSgffRX6w="),
    Kind("", "v1", "Secret", "secrets"),
    Kind("", "v1", "ServiceAccount", "serviceaccounts", short=("sa",),
         returned_when_deleted=True, storage_hash="pbx9ZvyFpBE="),
    Kind("", "v1", "Service", "services", short=("svc",), status=True,
         returned_when_deleted=True),
    Kind(*_ADMISSION, "ValidatingAdmissionPolicy", "validatingadmissionpolicies",
         namespaced=False, status=True, counts_generations=True),
    Kind(*_ADMISSION, "ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings",
         namespaced=False, counts_generations=True),
    Kind("apps", "v1", "DaemonSet", "daemonsets", short=("ds",), status=True,
         counts_generations=True),
    Kind("apps", "v1", "Deployment", "deployments", short=("deploy",), status=True,
         counts_generations=True),
    Kind("apps", "v1", "ReplicaSet", "replicasets", short=("rs",), status=True,
         counts_generations=True),
    Kind("apps", "v1", "StatefulSet", "statefulsets", short=("sts",), status=True,
         counts_generations=True),
    Kind("autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers",
         short=("hpa",), status=True),
    Kind("batch", "v1", "CronJob", "cronjobs", short=("cj",), status=True,
         counts_generations=True),
    Kind("batch", "v1", "Job", "jobs", status=True, counts_generations=True),
    Kind(*_NETWORKING, "Ingress", "ingresses", short=("ing",), status=True,
         counts_generations=True),
    Kind(*_NETWORKING, "NetworkPolicy", "networkpolicies", short=("netpol",),
         counts_generations=True, storage_hash="YpfwF18m1G8="),
    Kind("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets", short=("pdb",), status=True,
         counts_generations=True),
    Kind("storage.k8s.io", "v1", "StorageClass", "storageclasses", namespaced=False,
         short=("sc",), returned_when_deleted=True),
    Kind(*_RBAC, "ClusterRoleBinding", "clusterrolebindings", namespaced=False),
    Kind(*_RBAC, "ClusterRole", "clusterroles", namespaced=False),
    Kind(*_RBAC, "RoleBinding", "rolebindings", storage_hash="eGsCzGH6b1g="),
    Kind(*_RBAC, "Role", "roles", storage_hash="7FuwZcIIItM="),
)  # fmt: skip

_BY_RESOURCE = {(kind.group, kind.version, kind.plural): kind for kind in KINDS}
_BY_NAME = {kind.name: kind for kind in KINDS}
GROUP_VERSIONS = frozenset((kind.group, kind.version) for kind in KINDS)


def by_resource(group: str, version: str, plural: str) -> Kind | None:
    """The kind that is served under this path, if any."""
    return _BY_RESOURCE.get((group, version, plural))


def by_name(name: str) -> Kind:
    """The kind of this name; it must be one of ours."""
    return _BY_NAME[name]
