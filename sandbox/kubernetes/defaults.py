"""What the API server fills in: defaults of a version, and what a new object starts with."""

from sandbox.kubernetes.kinds import Kind, Object

_CONTAINER = {
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
}
_POD_SPEC: Object = {
    "restartPolicy": "Always",
    "terminationGracePeriodSeconds": 30,
    "dnsPolicy": "ClusterFirst",
    "securityContext": {},
    "schedulerName": "default-scheduler",
}
_ROLLING: Object = {"maxUnavailable": "25%", "maxSurge": "25%"}
_RBAC = "rbac.authorization.k8s.io"


def filled(kind: Kind, obj: Object) -> Object:
    """The object with its version's defaults; what is there already stays."""
    if kind.name == "Namespace":
        return _namespace(obj)
    if kind.name == "RoleBinding":
        return _binding(obj)
    fill = {
        "Pod": _pod,
        "Deployment": _deployment,
        "Service": _service,
        "LimitRange": _limits,
        "NetworkPolicy": _network_policy,
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
        case "Service":
            return {**obj, "status": {"loadBalancer": {}}}
        case _:
            return {**obj, "status": {}} if kind.status else obj


def _namespace(obj: Object) -> Object:
    metadata = obj["metadata"]
    labels = {**(metadata.get("labels") or {}), "kubernetes.io/metadata.name": metadata["name"]}
    return {**obj, "metadata": {**metadata, "labels": labels}}


def _pod_spec(spec: Object) -> Object:
    spec = {**_POD_SPEC, **spec}
    for name in ("containers", "initContainers"):
        if name in spec:
            spec[name] = [_container(each) for each in spec[name] or []]
    if "serviceAccountName" in spec:
        spec["serviceAccount"] = spec["serviceAccountName"]
    return spec


def _pod(spec: Object) -> Object:
    """A pod's own spec: unlike a template's, its requests follow from its limits."""
    spec = {"enableServiceLinks": True, **_pod_spec(spec)}
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


def _container(container: Object) -> Object:
    image = str(container.get("image", ""))
    latest = "@" not in image and image.rpartition("/")[2].partition(":")[2] in ("", "latest")
    policy = "Always" if latest else "IfNotPresent"
    filled_in = {"resources": {}, **_CONTAINER, "imagePullPolicy": policy, **container}
    if "ports" in filled_in:
        filled_in["ports"] = [{"protocol": "TCP", **port} for port in filled_in["ports"] or []]
    return filled_in


def _template(spec: Object) -> Object:
    template = spec.get("template") or {}
    below = _pod_spec(template.get("spec") or {})
    return {**template, "spec": below}


def _deployment(spec: Object) -> Object:
    strategy = {"type": "RollingUpdate", **(spec.get("strategy") or {})}
    if strategy["type"] == "RollingUpdate":
        strategy["rollingUpdate"] = {**_ROLLING, **(strategy.get("rollingUpdate") or {})}
    plain = {"replicas": 1, "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600}
    return {**plain, **spec, "strategy": strategy, "template": _template(spec)}


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
