"""A cluster per test: the stand-in, or a real API server where the environment names one."""

import subprocess
import sys

import pytest

from chalicelib.domain import tenant
from chalicelib.wiring import catalogue
from sandbox.kubernetes import server as module
from tests.contract.kubernetes import realserver
from tests.contract.kubernetes.asked import Asked
from tests.contract.kubernetes.standin import StandIn

TENANT = "4f9c2ab81d07e635"
NAMESPACE = f"arm-{TENANT}"


@pytest.fixture(scope="session")
def real():
    """The real server that was asked for, if one was."""
    return realserver.asked_for()


@pytest.fixture
def cluster(monkeypatch, real):
    """A cluster without tenants; in the stand-in what is Terminating stays so until told."""
    if real is not None:
        real.clear()
        yield real
        real.clear()
        real.close()
        return
    monkeypatch.setattr(module, "TERMINATING", 3600)
    found = StandIn()
    yield found
    found.close()


@pytest.fixture
def versions(cluster):
    """The resourceVersion of everything of ours in the tenant's namespace, and its own."""

    def look():
        found = {}
        for path in (
            *(
                f"/api/v1/namespaces/{NAMESPACE}/{each}"
                for each in ("resourcequotas", "limitranges", "serviceaccounts")
            ),
            f"/apis/networking.k8s.io/v1/namespaces/{NAMESPACE}/networkpolicies",
            *(
                f"/apis/rbac.authorization.k8s.io/v1/namespaces/{NAMESPACE}/{each}"
                for each in ("roles", "rolebindings")
            ),
        ):
            for each in cluster.ask("GET", path)[1]["items"]:
                metadata = each["metadata"]
                found[f"{path}/{metadata['name']}"] = metadata["resourceVersion"]
        own = cluster.ask("GET", f"/api/v1/namespaces/{NAMESPACE}")[1]
        return found | {NAMESPACE: own["metadata"]["resourceVersion"]}

    return look


@pytest.fixture
def token_of(cluster):
    """A token of a service account, as the API server issues it."""

    def ask(namespace, name):
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token"
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
        status, answer = cluster.ask("POST", path, body)
        assert status == 201, answer
        return answer["status"]["token"]

    return ask


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
def extra(objects):
    """One object more, as the plan's templates may have it."""
    _, beside, *_ = objects()
    metadata = {**beside["metadata"], "name": "extra"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}


@pytest.fixture
def owner():
    """The labels by which a namespace is this tenant's."""
    return tenant.ownership(catalogue(), TENANT)


@pytest.fixture
def asked():
    """An empty cluster without a socket."""
    return Asked()
