"""The real kubectl, whichever is found, against the stand-in as a process, over TLS."""

import json
import os
import shutil
import subprocess

import pytest

from chalicelib.domain.labels import Labels
from chalicelib.gateways.cluster import KubernetesCluster
from chalicelib.gateways.kubernetes_http import KubernetesHttp, fixed
from chalicelib.wiring import catalogue
from sandbox import certificate
from sandbox.kubernetes import kubeconfig, setup
from tests.contract.kubernetes.test_suspension import workload

TOKEN = "let me in"
NAMESPACE = "arm-4f9c2ab81d07e635"


@pytest.fixture(scope="module")
def program():
    """The kubectl of this machine; it may be missing, but not where everything is checked."""
    found = shutil.which("kubectl")
    if found is None and os.environ.get("CI"):
        pytest.fail("kubectl is not installed: the checks need the real one")
    if found is None:
        pytest.skip("NOT TESTED with the real kubectl: none is on the PATH")
    return found


@pytest.fixture
def served(start, tmp_path):
    """A cluster with TLS: its address, and its certificate authority."""
    authority, key = certificate.make(tmp_path)
    process = start("--port", 0, "--token", TOKEN, "--certificate", authority, "--key", key)
    port = json.loads(process.stdout.readline())["port"]
    return f"https://127.0.0.1:{port}", authority.read_text()


@pytest.fixture
def kubectl(program, served, tmp_path):
    """Run kubectl with a kubeconfig of ours and nothing of the user's."""

    def run(*arguments, token=TOKEN):
        config = tmp_path / "kubeconfig"
        kubeconfig.write(config, served[0], token, served[1])
        return subprocess.run(
            [program, "--kubeconfig", config, *arguments],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        )

    print(run("version", "--client").stdout)  # noqa: T201 - which one it was, beside a failure
    return run


@pytest.fixture
def tenant(served, objects, owner):
    """A tenant, made by the product's own client over TLS."""
    http = KubernetesHttp(fixed(*served, TOKEN))
    KubernetesCluster(http, Labels.of(catalogue().product)).apply(objects(), owner)
    http._pool.clear()


def rows(run):
    """The table that was printed, as words."""
    assert (run.returncode, run.stderr) == (0, "")
    return [line.split() for line in run.stdout.splitlines()]


@pytest.mark.usefixtures("tenant")
def test_kubectl_lists_the_tenants_namespace(kubectl):
    """With its phase, beside those that every cluster has."""
    head, *lines = rows(kubectl("get", "namespaces"))
    assert head == ["NAME", "STATUS", "AGE"]
    assert {line[0]: line[1] for line in lines} == dict.fromkeys(
        [NAMESPACE, "default", "kube-node-lease", "kube-public", "kube-system"], "Active"
    )


@pytest.mark.usefixtures("tenant")
def test_kubectl_lists_what_bounds_and_isolates_the_tenant(kubectl):
    """Quota and policies across all namespaces, by the names that discovery gave."""
    lines = rows(kubectl("get", "resourcequota,networkpolicy", "-A"))
    found = {line[1] for line in lines if line and line[0] == NAMESPACE}
    assert {"resourcequota/plan", "networkpolicy.networking.k8s.io/deny-all"} <= found


@pytest.mark.usefixtures("tenant")
def test_kubectl_waits_until_a_deleted_namespace_is_gone(kubectl):
    """It watches the namespace to its end, which comes by itself."""
    gone = kubectl("delete", "namespace", NAMESPACE, "--timeout=30s")
    assert (gone.returncode, gone.stderr) == (0, "")
    assert "NotFound" in kubectl("get", "namespace", NAMESPACE).stderr


def test_kubectl_without_the_token_is_not_let_in(kubectl):
    """A wrong token is refused as a real cluster refuses it."""
    refused = kubectl("get", "namespaces", token="another")
    assert refused.returncode == 1
    assert "Unauthorized" in refused.stderr or "must be logged in" in refused.stderr


def test_a_kubeconfig_is_for_its_owner_only(tmp_path):
    """There is a token in it."""
    kubeconfig.write(tmp_path / "config", "http://127.0.0.1:1", TOKEN, None)
    assert (tmp_path / "config").stat().st_mode & 0o777 == 0o600


@pytest.mark.usefixtures("tenant")
def test_kubectl_describes_a_tenant(kubectl):
    """Its namespace with quota and limits, and each of its objects."""
    described = kubectl("describe", "namespace", NAMESPACE)
    assert (described.returncode, described.stderr) == (0, "")
    assert "count/deployments.apps" in described.stdout
    for what in ("role", "rolebinding", "networkpolicy", "serviceaccount"):
        each = kubectl("describe", what, "-n", NAMESPACE)
        assert (each.returncode, each.stderr) == (0, ""), each.stderr


def test_kubectl_applies_what_a_cluster_needs(kubectl):
    """As docs/security.md says it is done, and the second time nothing has changed."""
    for _ in range(2):
        done = kubectl("apply", "--server-side", "-f", str(setup.FILE))
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.count("serverside-applied") == len(setup.objects())
    versions = kubectl(
        "get", "validatingadmissionpolicies", "-o", "jsonpath={.items[*].metadata.generation}"
    )
    assert set(versions.stdout.split()) == {"1"}


def test_kubectl_says_what_the_worker_may(kubectl):
    """What the role gives, and not what it does not."""
    kubectl("apply", "--server-side", "-f", str(setup.FILE))
    token = kubectl("create", "token", "worker", "-n", "arm-engine").stdout.strip()
    for question, answer in (
        (("create", "namespaces"), "yes"),
        (("patch", "resourcequotas", "-n", NAMESPACE), "yes"),
        (("get", "secrets", "-n", "kube-system"), "no"),
        (("create", "clusterrolebindings"), "no"),
    ):
        assert kubectl("auth", "can-i", *question, token=token).stdout.strip() == answer


@pytest.mark.usefixtures("tenant")
def test_kubectl_deletes_one_of_a_tenants_objects(kubectl):
    """An operator may; and it is gone."""
    gone = kubectl("delete", "networkpolicy", "allow-internet", "-n", NAMESPACE, "--timeout=30s")
    assert (gone.returncode, gone.stderr) == (0, "")
    assert "NotFound" in kubectl("get", "networkpolicy", "allow-internet", "-n", NAMESPACE).stderr


@pytest.mark.usefixtures("tenant")
def test_kubectl_rolls_a_workload_out(kubectl, tmp_path):
    """Created, it has pods and a status; scaled and given another image, the rollout ends."""
    body = workload("Deployment", "web", replicas=2)
    file = tmp_path / "web.json"
    file.write_text(json.dumps(body))
    space = ("-n", NAMESPACE)
    for command in (
        ("create", "-f", str(file)),
        ("rollout", "status", "deployment/web", "--timeout=20s"),
        ("scale", "deployment/web", "--replicas=3"),
        ("set", "image", "deployment/web", "c=x:2"),
        ("rollout", "status", "deployment/web", "--timeout=20s"),
        ("label", "deployment/web", "a=b"),
        ("delete", "deployment", "web"),
    ):
        run = kubectl(*command, *space)
        assert run.returncode == 0, (command, run.stderr)
