"""What the worker does to a tenant, as a test asks for it by name; also in another process."""

from dataclasses import replace

from chalicelib.domain import templates, tenant
from chalicelib.domain.errors import DomainError
from chalicelib.domain.labels import Labels
from chalicelib.gateways.cluster import KubernetesCluster
from chalicelib.gateways.kubernetes_http import KubernetesHttp, fixed
from chalicelib.wiring import catalogue

TENANT = "4f9c2ab81d07e635"
NAMESPACE = f"arm-{TENANT}"
TEMPLATES = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: product}
spec:
  replicas: 3
  selector: {matchLabels: {app: product}}
  template:
    metadata: {labels: {app: product}}
    spec: {containers: [{name: product, image: "registry.example/product:1"}]}
---
apiVersion: v1
kind: Secret
metadata: {name: pull}
stringData: {for: "{{tenant}}"}
"""


def sold():
    """The catalogue, where Pro has templates."""
    plans = [replace(p, folder="pro" if p.id == "pro" else None) for p in catalogue().plans]
    return templates.loaded(
        replace(catalogue(), plans=tuple(plans)), lambda _: {"a.yaml": TEMPLATES}
    )


def objects(plan="pro", **how):
    """The tenant's objects on a plan."""
    found = sold()
    return tenant.objects(found, TENANT, found.plan(plan), **how)


OWNER = tenant.ownership(catalogue(), TENANT)
PRO, BASIC, SUSPENDED = objects("pro"), objects("basic"), objects("pro", suspended=True)
VERBS = {
    "provision": lambda gateway: gateway.apply(PRO, OWNER),
    "change plan": lambda gateway: gateway.apply(BASIC, OWNER),
    "suspend": lambda gateway: gateway.suspend(SUSPENDED, OWNER),
    "stop": lambda gateway: gateway.stop(NAMESPACE, OWNER),
    "resume": lambda gateway: gateway.apply(PRO, OWNER),
    "resume onto another plan": lambda gateway: gateway.apply(BASIC, OWNER),
    "delete": lambda gateway: gateway.delete(NAMESPACE, OWNER),
}


def run(verb, address, token):
    """Do it once, as a worker of its own."""
    http = KubernetesHttp(fixed(address, None, token))
    gateway = KubernetesCluster(http, Labels.of(catalogue().product))
    try:
        VERBS[verb](gateway)
    except DomainError:
        pass  # the reconciler would come again, and so does the test
    finally:
        if http._pool:
            http._pool.clear()
