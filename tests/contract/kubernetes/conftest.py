"""One cluster on a socket per test, and what a test asks of it."""

import json
import subprocess
import sys
import threading
from http.client import HTTPConnection

import pytest

from chalicelib.domain import tenant
from chalicelib.domain.labels import Labels
from chalicelib.gateways.cluster import KubernetesCluster
from chalicelib.gateways.kubernetes_http import KubernetesHttp, fixed
from chalicelib.wiring import catalogue
from sandbox.kubernetes import server as module
from sandbox.kubernetes.server import KubernetesServer
from tests.contract.kubernetes.asked import Asked

TOKEN = "let me in"
TENANT = "4f9c2ab81d07e635"
NAMESPACE = f"arm-{TENANT}"


class Cluster:
    """The stand-in as a test sees it: an address, and what stands in it."""

    def __init__(self, server):
        self._server = server
        self.address = f"http://127.0.0.1:{server.server_address[1]}"
        self._opened = []

    def gateway(self, token=TOKEN):
        """The product's own client, with a pool of its own."""
        http = KubernetesHttp(fixed(self.address, None, token))
        self._opened.append(http)
        return KubernetesCluster(http, Labels.of(catalogue().product))

    def ask(
        self, method, path, body=None, *, token=TOKEN, content_type="application/json", **headers
    ):
        """Status and body of one plain request."""
        connection = HTTPConnection(*self._server.server_address, timeout=10)
        headers |= {"Content-Type": content_type}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        sent = None if body is None else json.dumps(body)
        try:
            connection.request(method, path, sent, headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def apply(self, path, body, manager="arm-engine"):
        """Status and body of a server-side apply."""
        path = f"{path}?fieldManager={manager}"
        return self.ask("PATCH", path, body, content_type="application/apply-patch+yaml")

    def versions(self):
        """The resourceVersion of everything in the tenant's namespace, and its own."""
        found = {}
        for plural in ("resourcequotas", "limitranges", "serviceaccounts"):
            found |= self._versions(f"/api/v1/namespaces/{NAMESPACE}/{plural}")
        found |= self._versions(
            f"/apis/networking.k8s.io/v1/namespaces/{NAMESPACE}/networkpolicies"
        )
        for plural in ("roles", "rolebindings"):
            group = "/apis/rbac.authorization.k8s.io/v1"
            found |= self._versions(f"{group}/namespaces/{NAMESPACE}/{plural}")
        own = self.ask("GET", f"/api/v1/namespaces/{NAMESPACE}")[1]
        return found | {NAMESPACE: own["metadata"]["resourceVersion"]}

    def _versions(self, path):
        items = self.ask("GET", path)[1]["items"]
        return {f"{path}/{i['metadata']['name']}": i["metadata"]["resourceVersion"] for i in items}

    def faults(self, **wanted):
        """Set the switches."""
        assert self.ask("POST", "/sandbox/faults", wanted, token=None)[0] == 200

    def seen(self):
        """The requests seen since the last look, as (method, last step of the path)."""
        found = self.ask("GET", "/sandbox/requests", token=None)[1]
        self.ask("DELETE", "/sandbox/requests", token=None)
        return [(each["method"], each["path"].rsplit("/", 1)[1]) for each in found]

    def finish_deletions(self):
        """Let what is Terminating be gone."""
        self._server.cluster.finish_deletions()

    def close(self):
        """Let go of every connection."""
        for http in self._opened:
            if http._client:
                http._client.rest_client.pool_manager.clear()


@pytest.fixture
def cluster(monkeypatch):
    """An empty cluster; what is Terminating stays so until the test says otherwise."""
    monkeypatch.setattr(module, "TERMINATING", 3600)
    server = KubernetesServer(0, TOKEN)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    found = Cluster(server)
    yield found
    server.faults.set({"hang_after": None})
    found.close()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def start():
    """Start `python -m sandbox.kubernetes` with these arguments; whatever still runs is ended."""
    started = []

    def run(*arguments):
        command = [sys.executable, "-m", "sandbox.kubernetes", *map(str, arguments)]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def objects():
    """A maker of the tenant's objects, on Basic if nothing is said."""

    def make(plan="basic", **how):
        return tenant.objects(catalogue(), TENANT, catalogue().plan(plan), **how)

    return make


@pytest.fixture
def owner():
    """The labels by which a namespace is this tenant's."""
    return tenant.ownership(catalogue(), TENANT)


@pytest.fixture
def asked():
    """An empty cluster without a socket."""
    return Asked()
