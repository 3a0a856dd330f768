"""A real API server in place of the stand-in: one that is named, or one started for the tests.

`ARM_TEST_KUBECONFIG` names a kubeconfig, whose current context is used; `KUBEBUILDER_ASSETS` a
folder with `etcd` and `kube-apiserver`. Nothing else is ever followed.
"""

import json
import os
import time

import pytest
import urllib3

from chalicelib.domain.labels import Labels
from chalicelib.gateways.cluster import KubernetesCluster
from chalicelib.gateways.kubernetes_http import KubernetesHttp, fixed
from chalicelib.wiring import catalogue
from sandbox import outside
from sandbox.kubernetes import setup
from sandbox.kubernetes.deletion import SHORT
from tests.contract.kubernetes import envtest

OURS = ("arm-4f9c2ab81d07e635", *(f"arm-{number:016x}" for number in range(3)), "arm-theirs")
"""Every namespace that a test makes; nothing else is ever deleted."""

LONGEST = 120
"""Seconds that a namespace may take to go."""

_EMPTIED = (
    "/api/v1/{}/pods", "/api/v1/{}/configmaps", "/api/v1/{}/secrets", "/api/v1/{}/services",
    "/api/v1/{}/resourcequotas", "/api/v1/{}/limitranges", "/api/v1/{}/serviceaccounts",
    "/apis/apps/v1/{}/deployments", "/apis/apps/v1/{}/replicasets",
    "/apis/apps/v1/{}/statefulsets", "/apis/apps/v1/{}/daemonsets", "/apis/batch/v1/{}/jobs",
    "/apis/batch/v1/{}/cronjobs", "/apis/networking.k8s.io/v1/{}/networkpolicies",
    "/apis/rbac.authorization.k8s.io/v1/{}/rolebindings",
    "/apis/rbac.authorization.k8s.io/v1/{}/roles",
)  # fmt: skip


def asked_for():
    """The server that the environment asks for; None for the stand-in."""
    named = outside.cluster(os.environ)
    if named is not None:
        return RealServer(named.server, named.ca, named.token)
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    return RealServer(*envtest.started(assets), controllers=False) if assets else None


class RealServer:
    """A real API server as a test sees it; tests that need the stand-in's switches are skipped."""

    def __init__(self, server, ca, token, *, controllers=True):
        self.address, self._ca, self._token = server.rstrip("/"), ca, token
        self.has_controllers = controllers
        self.administrator = token
        self._pool = urllib3.PoolManager(ca_cert_data=ca) if ca else urllib3.PoolManager()
        self._opened = []
        for obj in setup.objects():
            path = f"{setup.path_of(obj)}?fieldManager=kubectl&force=true"
            status, answer = self.ask(
                "PATCH", path, obj, content_type="application/apply-patch+yaml"
            )
            assert status in {200, 201}, answer
        namespace, name = setup.WORKER
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token"
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
        self._worker = self.ask("POST", path, body)[1]["status"]["token"]

    def gateway(self, token=None):
        """The product's own client; as the worker, if nothing is said."""
        token = self._worker if token is None else token
        http = KubernetesHttp(fixed(self.address, self._ca, token))
        self._opened.append(http)
        return KubernetesCluster(http, Labels.of(catalogue().product))

    def ask(self, method, path, body=None, *, token="", content_type="application/json", **headers):
        """Status and body of one plain request, as an administrator if nothing is said."""
        if path.startswith("/sandbox/"):
            pytest.skip("needs the stand-in's switches")
        headers |= {"Content-Type": content_type, "Accept": "application/json"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token or self._token}"
        if token == "":
            # An administrator is not everywhere a system:masters; the tests' is.
            headers |= {
                "Impersonate-User": "arm-engine-tests",
                "Impersonate-Group": "system:masters",
            }
        sent = None if body is None else json.dumps(body)
        answer = self._pool.request(method, self.address + path, body=sent, headers=headers)
        return answer.status, json.loads(answer.data)

    def faults(self, **_):
        """There are no switches."""
        pytest.skip("needs the stand-in's switches")

    seen = faults

    @property
    def _server(self):
        pytest.skip("needs the stand-in's own process")

    def finish_deletions(self):
        """Wait until what is Terminating is gone; where no controller empties it, do it by hand."""
        until = time.monotonic() + LONGEST
        for name in OURS:
            path = f"/api/v1/namespaces/{name}"
            while True:
                status, found = self.ask("GET", path)
                if status == 404 or "deletionTimestamp" not in found["metadata"]:
                    break
                assert time.monotonic() < until, f"{name} does not go: {found['status']}"
                if self.has_controllers:
                    time.sleep(0.5)
                    continue
                for each in _EMPTIED:
                    self.ask("DELETE", each.format(f"namespaces/{name}"))
                self.ask("PUT", f"{path}/finalize", {**found, "spec": {"finalizers": []}})

    def end_pods(self):
        """Do what a node would: what was given a short time to end has ended."""
        for name in OURS:
            pods = f"/api/v1/namespaces/{name}/pods"
            for pod in self.ask("GET", pods)[1]["items"]:
                if pod["metadata"].get("deletionGracePeriodSeconds", SHORT + 1) <= SHORT:
                    path = f"{pods}/{pod['metadata']['name']}"
                    self.ask("DELETE", path, {"gracePeriodSeconds": 0})

    def let_controllers_look(self):
        """Give the namespace controller time to say why something does not go."""
        if not self.has_controllers:
            pytest.skip("needs the namespace controller")
        time.sleep(10)

    def clear(self):
        """Without any namespace that a test has left."""
        for name in OURS:
            self.ask("DELETE", f"/api/v1/namespaces/{name}")
        self.finish_deletions()

    def close(self):
        """Let go of every connection."""
        for http in self._opened:
            if http._pool:
                http._pool.clear()
        self._opened.clear()
