"""Chalice's least, and the typed Kubernetes client for one object of each kind of a tenant."""

import os

from chalice.app import Chalice
from kubernetes import client

app = Chalice(app_name="typed")
api = client.ApiClient()
client.CoreV1Api(api)
client.NetworkingV1Api(api)
client.RbacAuthorizationV1Api(api)
meta = client.V1ObjectMeta(name="t")
client.V1Namespace(metadata=meta)
client.V1ResourceQuota(metadata=meta)
client.V1LimitRange(metadata=meta)
client.V1NetworkPolicy(metadata=meta)
client.V1ServiceAccount(metadata=meta)
client.V1Role(metadata=meta)
client.V1RoleBinding(
    metadata=meta,
    role_ref=client.V1RoleRef(api_group="rbac.authorization.k8s.io", kind="Role", name="t"),
)
os._exit(0)
