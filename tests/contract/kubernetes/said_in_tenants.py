"""What a tenant says to the cluster that is closed, or that was never its own: each is refused."""

from tests.contract.kubernetes.attempting import (
    ADMIN,
    APPS,
    AUTOSCALING,
    BATCH,
    CORE,
    HOST,
    NETWORKING,
    OURS,
    POLICIES,
    POLICY_SAYS,
    RBAC_SAYS,
    SERVER_SAYS,
    TENANT,
    Attempt,
    binding,
    claim,
    container,
    deployment,
    ingress,
    make,
    merge,
    near,
    pod,
    pod_spec,
    role,
    service,
    thing,
    workload,
)

DEPLOYMENTS, PODS = f"{APPS}/deployments", f"{TENANT}/pods"
LONG = 1_000_000_000
ELSEWHERE = {"host": "169.254.169.254", "port": 80}


def deploys(what, *containers, **said):
    return make("tenant", f"deploys pods {what}", DEPLOYMENTS, deployment(*containers, **said))


def runs(what, *containers, by=POLICY_SAYS, **said):
    return make("tenant", f"runs a pod {what}", PODS, pod(*containers, **said), by)


def asks(what, by=POLICY_SAYS, **said):
    return make("tenant", f"claims storage {what}", f"{TENANT}/persistentvolumeclaims", claim(**said), by)  # fmt: skip


def enters(what, *hosts, **said):
    return make("tenant", f"makes an Ingress {what}", f"{NETWORKING}/ingresses", ingress(*hosts, **said))  # fmt: skip


def volume(**source):
    return {"volumes": [{"name": "v", **source}]}


def token_for(audience):
    source = {"serviceAccountToken": {"path": "t", "audience": audience}}
    return volume(projected={"sources": [source]})


def node_affinity(**term):
    terms = {"nodeSelectorTerms": [term]}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}


def preferred(side, **term):
    said = {"topologyKey": "kubernetes.io/hostname", "labelSelector": {}, **term}
    return {side: {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "podAffinityTerm": said}]}}  # fmt: skip


def template_of_claims(**metadata):
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    return {"serviceName": "s", "volumeClaimTemplates": [{"metadata": {"name": "data", **metadata}, "spec": spec}]}  # fmt: skip


def cron_job(job_metadata):
    template = {"metadata": {"labels": {"a": "b"}}, "spec": pod_spec(restartPolicy="Never")}
    job = {"metadata": job_metadata, "spec": {"template": template}}
    return thing("batch/v1", "CronJob", spec={"schedule": "0 0 * * *", "jobTemplate": job})


def scaler(kind, name):
    target = {"apiVersion": "apps/v1", "kind": kind, "name": name}
    spec = {"scaleTargetRef": target, "minReplicas": 1, "maxReplicas": 2}
    return thing("autoscaling/v2", "HorizontalPodAutoscaler", spec=spec)


FROM_ANYWHERE = thing(
    "networking.k8s.io/v1",
    "NetworkPolicy",
    spec={"podSelector": {}, "policyTypes": ["Ingress", "Egress"], "ingress": [{}], "egress": [{}]},
)
TOKEN_SECRET = thing(
    "v1",
    "Secret",
    type="kubernetes.io/service-account-token",
    metadata={"annotations": {"kubernetes.io/service-account.name": "tenant-admin"}},
)

SCHEDULING = [
    runs("that keeps every pod of the cluster off its nodes", affinity=near("podAntiAffinity", namespaceSelector={})),
    runs("that keeps kube-system's pods off its nodes", affinity=near("podAntiAffinity", namespaces=["kube-system"])),
    runs("that would rather be far from every other pod", affinity=preferred("podAntiAffinity", namespaceSelector={})),
    runs("that goes where a neighbour's pods are", affinity=near("podAffinity", namespaceSelector={"matchLabels": OURS})),
    deploys("that keep every pod of the cluster off their nodes", affinity=near("podAntiAffinity", namespaceSelector={})),
    runs("on a node that it names", nodeName="node-1"),
    deploys("on a node that they name", nodeName="node-1"),
    runs("by a scheduler of its own", schedulerName="mine"),
    deploys("on the control plane's nodes", nodeSelector={"node-role.kubernetes.io/control-plane": ""}),
    deploys("with an affinity to the control plane's nodes", affinity=node_affinity(matchExpressions=[{"key": "node-role.kubernetes.io/control-plane", "operator": "Exists"}])),
    deploys("with an affinity to a node of a name", affinity=node_affinity(matchFields=[{"key": "metadata.name", "operator": "In", "values": ["node-1"]}])),
    runs("that tolerates every taint", tolerations=[{"operator": "Exists"}]),
    deploys("that tolerate the control plane's taint", tolerations=[{"key": "node-role.kubernetes.io/control-plane", "operator": "Exists", "effect": "NoSchedule"}]),
    deploys("that tolerate a neighbour's taint", tolerations=[{"key": "team", "operator": "Equal", "value": "other", "effect": "NoSchedule"}]),
    runs("that goes to nodes which are being emptied", tolerations=[{"key": "node.kubernetes.io/unschedulable", "operator": "Exists", "effect": "NoSchedule"}]),
    deploys("spread by a label of the nodes that is not its plan's", topologySpreadConstraints=[{"maxSkew": 1, "topologyKey": "team", "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {}}]),
    deploys("with a runtime class that is not its plan's", runtimeClassName="kata"),
    runs("that keeps its node from being removed", metadata={"annotations": {"cluster-autoscaler.kubernetes.io/safe-to-evict": "false"}}),
    deploys("that keep their node from being removed", metadata={"annotations": {"karpenter.sh/do-not-disrupt": "true"}}),
    deploys("in a network of its choice", metadata={"annotations": {"k8s.v1.cni.cncf.io/networks": "kube-system/host"}}),
    runs("at an address of its choice", metadata={"annotations": {"cni.projectcalico.org/ipAddrs": '["10.0.0.1"]'}}),
]  # fmt: skip

PODS_SAY = [
    runs("that takes thirty years to end", terminationGracePeriodSeconds=LONG),
    deploys("that take thirty years to end", terminationGracePeriodSeconds=LONG),
    deploys("that take thirty years to end after a probe", container(livenessProbe={"tcpSocket": {"port": 80}, "terminationGracePeriodSeconds": LONG})),
    Attempt("tenant", "deletes a pod with thirty years of grace", "DELETE", f"{PODS}/theirs?gracePeriodSeconds={LONG}", by=POLICY_SAYS),
    Attempt("tenant", "deletes a pod with thirty years of grace, in the body", "DELETE", f"{PODS}/theirs", {"kind": "DeleteOptions", "apiVersion": "v1", "gracePeriodSeconds": LONG}, POLICY_SAYS),
    deploys("whose probe has the node fetch the metadata service", container(livenessProbe={"httpGet": ELSEWHERE})),
    deploys("whose readiness is a port of another host", container(readinessProbe={"tcpSocket": ELSEWHERE})),
    deploys("whose start is a page of another host, in an init container", initContainers=[{**container(startupProbe={"httpGet": ELSEWHERE}, restartPolicy="Always"), "name": "i"}]),
    deploys("whose hook has the node fetch the metadata service", container(lifecycle={"preStop": {"httpGet": ELSEWHERE}})),
    deploys("with eight GPUs", container(resources={"limits": {"nvidia.com/gpu": "8"}, "requests": {"nvidia.com/gpu": "8"}})),
    deploys("with huge pages", container(resources={"limits": {"hugepages-2Mi": "2Mi", "memory": "1Gi", "cpu": "1"}})),
    deploys("with a device that it claims", resourceClaims=[{"name": "gpu", "resourceClaimName": "gpu"}]),
    deploys("with an inline volume of a storage driver", **volume(csi={"driver": "hostpath.csi.k8s.io"})),
    deploys("with a token for a cloud", **token_for("sts.amazonaws.com")),
    runs("with a token for another audience", **token_for("vault")),
    deploys("for Windows, which Pod Security holds to less", os={"name": "windows"}),
    runs("with the node's network", by=SERVER_SAYS, hostNetwork=True),
    runs("among the node's processes", by=SERVER_SAYS, hostPID=True),
    runs("with a folder of the node", by=SERVER_SAYS, **volume(hostPath={"path": "/"})),
    runs("with every right on its node", container(securityContext={"privileged": True}), by=SERVER_SAYS),
    runs("as root", container(securityContext={"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}, "runAsUser": 0}), by=SERVER_SAYS),
    runs("with a capability more", container(securityContext={"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"], "add": ["NET_ADMIN"]}}), by=SERVER_SAYS),
    runs("without a seccomp profile", by=SERVER_SAYS, securityContext={"runAsNonRoot": True, "seccompProfile": {"type": "Unconfined"}}),
    runs("on a port of the node", container(ports=[{"containerPort": 80, "hostPort": 80}]), by=SERVER_SAYS),
]  # fmt: skip

TEMPLATES = [
    deploys("that carry our label", metadata={"labels": {"a": "b", **OURS}}),
    make("tenant", "makes a CronJob whose Jobs carry our label", f"{BATCH}/cronjobs", cron_job({"labels": OURS})),
    make("tenant", "makes a StatefulSet whose claims carry our label", f"{APPS}/statefulsets", workload("StatefulSet", about=template_of_claims(labels=OURS))),
    make("tenant", "makes a StatefulSet whose claims are held back", f"{APPS}/statefulsets", workload("StatefulSet", about=template_of_claims(finalizers=["example.com/hold"]))),
    deploys("that are held back by a finalizer", metadata={"labels": {"a": "b"}, "finalizers": ["example.com/hold"]}),
    make("tenant", "holds back a ConfigMap with a finalizer", f"{TENANT}/configmaps", thing("v1", "ConfigMap", metadata={"finalizers": ["example.com/hold"]})),
    merge("tenant", "holds back a ConfigMap that stands with a finalizer", f"{TENANT}/configmaps/theirs", {"metadata": {"finalizers": ["example.com/hold"]}}, POLICY_SAYS),
    make("tenant", "holds back a Job with a finalizer", f"{BATCH}/jobs", thing("batch/v1", "Job", metadata={"finalizers": ["example.com/hold"]}, spec={"template": {"spec": pod_spec(restartPolicy="Never")}})),
    make("tenant", "makes a DaemonSet that keeps every old version", f"{APPS}/daemonsets", workload("DaemonSet", about={"revisionHistoryLimit": 2_147_483_647})),
    make("tenant", "makes a Deployment that keeps every old version", DEPLOYMENTS, deployment(about={"revisionHistoryLimit": 1000})),
    make("tenant", "stores a ConfigMap of 400 KiB", f"{TENANT}/configmaps", thing("v1", "ConfigMap", data={"a": "x" * 400 * 1024})),
    make("tenant", "stores a Secret of 400 KiB", f"{TENANT}/secrets", thing("v1", "Secret", stringData={"a": "x" * 400 * 1024})),
    merge("tenant", "makes a ConfigMap grow to 400 KiB", f"{TENANT}/configmaps/theirs", {"data": {"a": "x" * 400 * 1024}}, POLICY_SAYS),
    deploys("with 100 KiB of environment", container(env=[{"name": "A", "value": "x" * 100 * 1024}])),
    make("tenant", "makes a Service with 100 KiB of annotations", f"{TENANT}/services", thing("v1", "Service", metadata={"annotations": {"a": "x" * 100 * 1024}}, spec={"ports": [{"port": 80}]})),
    make("tenant", "scales a Deployment of the plan's templates by an autoscaler", f"{AUTOSCALING}/horizontalpodautoscalers", scaler("Deployment", "ours")),
    make("tenant", "makes a token that never ends", f"{TENANT}/secrets", TOKEN_SECRET),
    make("tenant", "makes an account with a role in the cloud", f"{TENANT}/serviceaccounts", thing("v1", "ServiceAccount", metadata={"annotations": {"eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/admin"}})),
    merge("tenant", "gives the default account a role in the cloud", f"{TENANT}/serviceaccounts/default", {"metadata": {"annotations": {"iam.gke.io/gcp-service-account": "a@b.iam.gserviceaccount.com"}}}, POLICY_SAYS),
    Attempt("tenant", "deletes the account that it acts as", "DELETE", f"{TENANT}/serviceaccounts/tenant-admin", by=POLICY_SAYS),
]  # fmt: skip

STORAGE_AND_HOSTS = [
    asks("of a class that is not its plan's", storageClassName="arm-theirs-fast"),
    asks("that was made for somebody else, by the volume's name", volumeName="pv-of-a-neighbour"),
    asks("that was made for somebody else, by its labels", selector={"matchLabels": {"team": "other"}}),
    asks("that was made by hand, for whoever comes first", storageClassName=""),
    asks("beyond its quota", by=SERVER_SAYS, resources={"requests": {"storage": "10Ti"}}),
    enters("for a neighbour's host", "arm-0000000000000001.apps.arm-engine.io"),
    enters("for a host that only ends like its own", f"x{HOST}"),
    enters("for one of the shop's hosts", "arm-engine.io"),
    enters("for every host below its own", f"*.{HOST}"),
    enters("for every host of a domain", "*.example.com"),
    enters("for whatever host nobody else has", ""),
    enters("that gets what nobody else takes", defaultBackend={"service": {"name": "web", "port": {"number": 80}}}),
    enters("that leads to something other than a Service", rules=[{"host": HOST, "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": {"resource": {"apiGroup": "example.com", "kind": "Bucket", "name": "b"}}}]}}]),
    enters("with a certificate for another's host", HOST, tls=[{"hosts": ["arm-engine.io"], "secretName": "t"}]),
    enters("with a certificate for whatever host", HOST, tls=[{"secretName": "t"}]),
    enters("of a class that is not its plan's", HOST, ingressClassName="internal"),
    *(enters(f"that configures the controller: {key}", HOST, annotations={f"nginx.ingress.kubernetes.io/{key}": "x"}) for key in ("auth-url", "mirror-target", "server-alias", "configuration-snippet", "server-snippet")),
    enters("that names its class by annotation", HOST, annotations={"kubernetes.io/ingress.class": "internal"}),
    make("tenant", "takes a name in the zone by a Service", f"{TENANT}/services", thing("v1", "Service", metadata={"annotations": {"external-dns.alpha.kubernetes.io/hostname": "arm-engine.io"}}, spec={"ports": [{"port": 80}]})),
    make("tenant", "makes a load balancer", f"{TENANT}/services", service({"type": "LoadBalancer", "ports": [{"port": 80}]}), SERVER_SAYS),
    make("tenant", "opens a port on every node", f"{TENANT}/services", service({"type": "NodePort", "ports": [{"port": 80}]}), SERVER_SAYS),
]  # fmt: skip

RIGHTS = [
    make("tenant", "makes a NetworkPolicy that opens everything", POLICIES, FROM_ANYWHERE, RBAC_SAYS),
    make("tenant", "makes a role", f"{ADMIN}/roles", {**thing("rbac.authorization.k8s.io/v1", "Role"), "rules": role(([""], ["pods"], ["get"]))}, RBAC_SAYS),
    make("tenant", "binds a role", f"{ADMIN}/rolebindings", {**thing("rbac.authorization.k8s.io/v1", "RoleBinding"), **binding("Role", "tenant-admin", {"kind": "ServiceAccount", "name": "default", "namespace": "kube-system"})}, RBAC_SAYS),
    make("tenant", "makes a quota of its own", f"{TENANT}/resourcequotas", thing("v1", "ResourceQuota", spec={"hard": {"pods": "1000"}}), RBAC_SAYS),
    make("tenant", "makes limits of its own", f"{TENANT}/limitranges", thing("v1", "LimitRange", spec={"limits": []}), RBAC_SAYS),
    make("tenant", "asks for a token of its account", f"{TENANT}/serviceaccounts/tenant-admin/token", {"spec": {}}, RBAC_SAYS),
    make("tenant", "makes a namespace", CORE, thing("v1", "Namespace"), RBAC_SAYS),
    make("tenant", "makes a storage class", "/apis/storage.k8s.io/v1/storageclasses", {**thing("storage.k8s.io/v1", "StorageClass"), "provisioner": "x"}, RBAC_SAYS),
    merge("tenant", "lowers what its quota says is used", f"{TENANT}/resourcequotas/plan/status", {"status": {"used": {"pods": "0"}}}),
    merge("tenant", "writes the status of a pod", f"{PODS}/theirs/status", {"status": {"phase": "Failed"}}),
    merge("namespace admin", "lowers what a tenant's quota says is used", f"{TENANT}/resourcequotas/plan/status", {"status": {"used": {"pods": "0"}}}, POLICY_SAYS),
    merge("namespace admin", "raises a tenant's quota by its status", f"{TENANT}/resourcequotas/plan/status", {"status": {"hard": {"pods": "1000"}}}, POLICY_SAYS),
    merge("namespace admin", "takes our label off a tenant's quota by its status", f"{TENANT}/resourcequotas/plan/status", {"metadata": {"labels": {"app.kubernetes.io/managed-by": None}}}, POLICY_SAYS),
    merge("namespace admin", "lifts Pod Security by the namespace's status", f"{TENANT}/status", {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "privileged"}}}, POLICY_SAYS),
    merge("namespace admin", "opens its plan's lists by the namespace's status", f"{TENANT}/status", {"metadata": {"annotations": {"arm-engine.io/allowed.tolerations": "node-role.kubernetes.io/control-plane"}}}, POLICY_SAYS),
    merge("namespace admin", "opens its plan's lists", TENANT, {"metadata": {"annotations": {"arm-engine.io/allowed.tolerations": "node-role.kubernetes.io/control-plane"}}}, POLICY_SAYS),
    make("namespace admin", "makes a NetworkPolicy that opens everything", POLICIES, FROM_ANYWHERE),
    make("namespace admin", "binds cluster-admin in a tenant", f"{ADMIN}/rolebindings", {**thing("rbac.authorization.k8s.io/v1", "RoleBinding"), **binding("ClusterRole", "cluster-admin", {"kind": "ServiceAccount", "name": "admin", "namespace": "arm-theirs"})}),
    make("namespace admin", "makes a quota beside a tenant's", f"{TENANT}/resourcequotas", thing("v1", "ResourceQuota", spec={"hard": {"pods": "0"}})),
    make("namespace admin", "asks for a token of the tenant's account", f"{TENANT}/serviceaccounts/tenant-admin/token", {"spec": {}}),
    merge("namespace admin", "says where a Service is found, which nodes then send there", f"{TENANT}/services/theirs/status", {"status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}}, POLICY_SAYS),
    merge("outsider", "lowers what a tenant's quota says is used", f"{TENANT}/resourcequotas/plan/status", {"status": {"used": {"pods": "0"}}}, POLICY_SAYS),
    merge("outsider", "takes our label off a tenant's quota by its status", f"{TENANT}/resourcequotas/plan/status", {"metadata": {"labels": {"app.kubernetes.io/managed-by": None}}}, POLICY_SAYS),
    merge("outsider", "opens a tenant's lists by its namespace's status", f"{TENANT}/status", {"metadata": {"annotations": {"arm-engine.io/allowed.tolerations": "team"}}}, POLICY_SAYS),
]  # fmt: skip

SAID = [*SCHEDULING, *PODS_SAY, *TEMPLATES, *STORAGE_AND_HOSTS, *RIGHTS]
