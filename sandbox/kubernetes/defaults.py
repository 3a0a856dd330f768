"""What the API server fills in: defaults of a version, and what a new object starts with."""

from base64 import b64encode

from sandbox.kubernetes import policy_defaults, workload_defaults
from sandbox.kubernetes.kinds import Kind, Object

_RBAC = "rbac.authorization.k8s.io"


def filled(kind: Kind, obj: Object) -> Object:
    """The object with its version's defaults; what is there already stays."""
    if kind.name == "Namespace":
        return _namespace(obj)
    if kind.name in ("RoleBinding", "ClusterRoleBinding"):
        return _binding(obj)
    if kind.name == "Secret":
        return _secret(obj)
    fill = {
        "Pod": _pod,
        "Service": _service,
        "LimitRange": _limits,
        "NetworkPolicy": _network_policy,
        **workload_defaults.BY_KIND,
        **policy_defaults.BY_KIND,
    }.get(kind.name)
    return {**obj, "spec": fill(dict(obj.get("spec") or {}))} if fill else obj


def started(kind: Kind, obj: Object) -> Object:
    """A new object with what creation gives it besides its defaults: chiefly a status."""
    match kind.name:
        case "Namespace":
            spec = {**(obj.get("spec") or {}), "finalizers": ["kubernetes"]}
            return {**obj, "spec": spec, "status": {"phase": "Active"}}
        case "Pod":
            return {**obj, "status": {"phase": "Pending"}}
        case "Service" | "Ingress":
            return {**obj, "status": {"loadBalancer": {}}}
        case "PersistentVolumeClaim":
            return {**obj, "status": {"phase": "Pending"}}
        case "Job":
            return workload_defaults.job_with_its_selector(obj)
        case _:
            return {**obj, "status": {}} if kind.status else obj


def _namespace(obj: Object) -> Object:
    metadata = obj["metadata"]
    labels = {**(metadata.get("labels") or {}), "kubernetes.io/metadata.name": metadata["name"]}
    return {**obj, "metadata": {**metadata, "labels": labels}}


def _pod(spec: Object) -> Object:
    """A pod's own spec: unlike a template's, its requests follow from its limits."""
    spec = {"enableServiceLinks": True, **workload_defaults.pod_spec(spec)}
    for name in ("containers", "initContainers"):
        if name in spec:
            spec[name] = [_requesting(each) for each in spec[name]]
    return spec


def _requesting(container: Object) -> Object:
    resources = container["resources"]
    if not resources.get("limits"):
        return container
    requests = {**resources["limits"], **(resources.get("requests") or {})}
    return {**container, "resources": {**resources, "requests": requests}}


def _service(spec: Object) -> Object:
    plain = {"type": "ClusterIP", "sessionAffinity": "None", "internalTrafficPolicy": "Cluster"}
    ports = [
        {"protocol": "TCP", "targetPort": port.get("port"), **port}
        for port in spec.get("ports") or []
    ]
    filled_in = {**plain, **spec, "ports": ports}
    if filled_in["type"] in ("LoadBalancer", "NodePort"):
        filled_in.setdefault("externalTrafficPolicy", "Cluster")
    return filled_in


def _limits(spec: Object) -> Object:
    return {**spec, "limits": [_limit(item) for item in spec.get("limits") or []]}


def _limit(item: Object) -> Object:
    """A container's missing default follows from `max`, its request from the default, or `min`."""
    if item.get("type") != "Container":
        return item
    default = {**(item.get("max") or {}), **(item.get("default") or {})}
    request = {**(item.get("min") or {}), **default, **(item.get("defaultRequest") or {})}
    extra = {"default": default, "defaultRequest": request}
    return {**item, **{name: value for name, value in extra.items() if value}}


def _network_policy(spec: Object) -> Object:
    kinds = ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"]
    filled_in = {"podSelector": {}, "policyTypes": kinds, **spec}
    for direction in ("ingress", "egress"):
        if direction in filled_in:
            filled_in[direction] = [_rule(rule) for rule in filled_in[direction] or []]
    return filled_in


def _rule(rule: Object) -> Object:
    if "ports" not in rule:
        return rule
    return {**rule, "ports": [{"protocol": "TCP", **port} for port in rule["ports"] or []]}


def _binding(obj: Object) -> Object:
    if "roleRef" in obj:
        obj = {**obj, "roleRef": {"apiGroup": _RBAC, **obj["roleRef"]}}
    if obj.get("subjects"):
        obj = {**obj, "subjects": [_subject(each) for each in obj["subjects"]]}
    return obj


def _subject(subject: Object) -> Object:
    return subject if subject.get("kind") == "ServiceAccount" else {"apiGroup": _RBAC, **subject}


def _secret(obj: Object) -> Object:
    """Its plain texts are stored encoded, and are not shown again."""
    plain = obj.get("stringData") or {}
    data = {name: b64encode(text.encode()).decode() for name, text in plain.items()}
    kept = {name: value for name, value in obj.items() if name != "stringData"}
    both = {**(obj.get("data") or {}), **data}
    return {"type": "Opaque", **kept, **({"data": both} if both else {})}


def quality(spec: Object) -> str:
    """A pod's quality of service: by what its containers ask for."""
    resources = [container.get("resources") or {} for container in spec.get("containers") or []]
    if not any(each.get("requests") or each.get("limits") for each in resources):
        return "BestEffort"
    same = all(
        each.get("limits", {}).keys() >= {"cpu", "memory"}
        and each.get("requests", each["limits"]) == each["limits"]
        for each in resources
    )
    return "Guaranteed" if same else "Burstable"
