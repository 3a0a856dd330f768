"""Defaults of what runs pods: Deployments and their kin, and the pods in them."""

from sandbox.kubernetes.kinds import Object

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


def pod_spec(spec: Object) -> Object:
    """A pod's spec, wherever it stands."""
    spec = {**_POD_SPEC, **spec}
    for name in ("containers", "initContainers"):
        if name in spec:
            spec[name] = [_container(each) for each in spec[name] or []]
    if "serviceAccountName" in spec:
        spec["serviceAccount"] = spec["serviceAccountName"]
    return spec


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
    below = pod_spec(template.get("spec") or {})
    return {**template, "spec": below}


def _deployment(spec: Object) -> Object:
    strategy = {"type": "RollingUpdate", **(spec.get("strategy") or {})}
    if strategy["type"] == "RollingUpdate":
        strategy["rollingUpdate"] = {**_ROLLING, **(strategy.get("rollingUpdate") or {})}
    plain = {"replicas": 1, "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600}
    return {**plain, **spec, "strategy": strategy, "template": _template(spec)}


def _stateful_set(spec: Object) -> Object:
    plain: Object = {
        "replicas": 1,
        "revisionHistoryLimit": 10,
        "podManagementPolicy": "OrderedReady",
        "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
        "serviceName": "",
    }
    return {**plain, **spec, "template": _template(spec)}


def _daemon_set(spec: Object) -> Object:
    rolling = {"maxSurge": 0, "maxUnavailable": 1}
    plain: Object = {
        "revisionHistoryLimit": 10,
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": rolling},
    }
    return {**plain, **spec, "template": _template(spec)}


def _replica_set(spec: Object) -> Object:
    return {"replicas": 1, **spec, "template": _template(spec)}


def _job(spec: Object) -> Object:
    plain: Object = {
        "backoffLimit": 6,
        "completionMode": "NonIndexed",
        "manualSelector": False,
        "podReplacementPolicy": "TerminatingOrFailed",
        "suspend": False,
    }
    if "completions" not in spec and "parallelism" not in spec:
        plain |= {"completions": 1, "parallelism": 1}
    return {**plain, **spec, "template": _template(spec)}


def job_with_its_selector(obj: Object) -> Object:
    """A new Job: its pods are told from all others by its uid."""
    metadata, spec = obj["metadata"], obj["spec"]
    own = {
        "batch.kubernetes.io/controller-uid": metadata["uid"],
        "batch.kubernetes.io/job-name": metadata["name"],
    }
    template = spec["template"]
    labels = {**((template.get("metadata") or {}).get("labels") or {}), **own}
    template = {**template, "metadata": {**(template.get("metadata") or {}), "labels": labels}}
    name = "batch.kubernetes.io/controller-uid"
    selector = {"matchLabels": {name: own[name]}}
    return {**obj, "spec": {**spec, "selector": selector, "template": template}, "status": {}}


def _cron_job(spec: Object) -> Object:
    plain: Object = {
        "concurrencyPolicy": "Allow",
        "failedJobsHistoryLimit": 1,
        "successfulJobsHistoryLimit": 3,
        "suspend": False,
    }
    job = spec.get("jobTemplate") or {}
    below = job.get("spec") or {}
    job = {**job, "spec": {**below, "template": _template(below)}}
    return {**plain, **spec, "jobTemplate": job}


def _claim(spec: Object) -> Object:
    return {"volumeMode": "Filesystem", **spec}


def _autoscaler(spec: Object) -> Object:
    cpu = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}
    return {"minReplicas": 1, "metrics": [{"type": "Resource", "resource": cpu}], **spec}


BY_KIND = {
    "CronJob": _cron_job,
    "DaemonSet": _daemon_set,
    "Deployment": _deployment,
    "HorizontalPodAutoscaler": _autoscaler,
    "Job": _job,
    "PersistentVolumeClaim": _claim,
    "ReplicaSet": _replica_set,
    "StatefulSet": _stateful_set,
}
