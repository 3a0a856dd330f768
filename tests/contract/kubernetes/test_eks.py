"""EKS: DescribeCluster from a local stand-in, and tokens that a strict authenticator takes."""

import base64
import json
import os
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import botocore.session
import pytest

from chalicelib import wiring
from chalicelib.config import Settings
from chalicelib.domain.errors import Misconfigured, Temporary
from chalicelib.domain.labels import Labels
from chalicelib.gateways.cluster import KubernetesCluster
from chalicelib.gateways.eks import CLUSTER_LASTS, TOKEN_LASTS, EksAccess
from chalicelib.gateways.kubernetes_http import KubernetesHttp
from sandbox import certificate
from sandbox.kubernetes import setup
from sandbox.kubernetes.__main__ import _tls
from sandbox.kubernetes.authorization import service_account
from sandbox.kubernetes.aws_tokens import GOOD_FOR, PREFIX, Authenticator
from sandbox.kubernetes.server import KubernetesServer

NAME, KEY, SECRET = "tenants", "AKIASANDBOX", "a secret key/+="
WORKER = service_account(*setup.WORKER)


@pytest.fixture
def aws(monkeypatch):
    """EKS on loopback: what it describes, and how often it was asked."""

    class Eks(BaseHTTPRequestHandler):
        asked = []  # noqa: RUF012 - one class per test
        answer = (200, {})

        def do_GET(self):
            self.asked.append(self.path)
            status, body = type(self).answer
            text = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Eks)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    for name, value in {
        "AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_REGION": "eu-central-1",
        "AWS_DEFAULT_REGION": "eu-central-1", "AWS_MAX_ATTEMPTS": "1",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_address[1]}",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
    yield Eks
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def eks(aws, tmp_path):
    """A cluster as EKS has it: TLS by its own authority, and tokens by AWS."""
    authority, key = certificate.make(tmp_path)
    server = KubernetesServer(0, "admin", _tls(authority, key), worker_token="nobody's")
    server.cluster.authenticate = Authenticator(NAME, {KEY: (SECRET, WORKER)}, time.time)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    aws.answer = (
        200,
        described(f"https://127.0.0.1:{server.server_address[1]}", authority.read_bytes()),
    )
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def described(endpoint, authority):
    data = base64.b64encode(authority).decode()
    cluster = {
        "name": NAME,
        "status": "ACTIVE",
        "endpoint": endpoint,
        "certificateAuthority": {"data": data},
    }
    return {"cluster": cluster}


def test_a_tenant_is_made_through_eks(aws, eks, objects, owner):
    """Found by name, trusted by its own authority, let in as the worker; asked of AWS once."""
    http = KubernetesHttp(EksAccess(NAME))
    KubernetesCluster(http, Labels.of(wiring.catalogue().product)).apply(objects(), owner)
    assert {request["status"] for request in eks.seen.all()} == {404, 201}
    assert aws.asked == [f"/clusters/{NAME}"]
    http._pool.clear()


def test_a_token_is_renewed_before_it_ends_and_not_sooner(aws, eks):
    """One token serves for ten of its fifteen minutes; the cluster is asked for even less often."""
    later = 0
    access = EksAccess(NAME, clock=lambda: time.time() + later)
    first = access().token
    later = TOKEN_LASTS - 5
    assert access().token == first
    assert TOKEN_LASTS < GOOD_FOR - 60
    time.sleep(1.1)  # a signature is told from the next by its second
    later = TOKEN_LASTS + 1
    assert access().token != first
    assert len(aws.asked) == 1
    later = CLUSTER_LASTS + 1
    access()
    assert len(aws.asked) == 2


def test_side_by_side_aws_is_asked_once(aws, eks):
    """A dozen requests at the start want access at the same moment."""
    access = EksAccess(NAME)
    threads = [threading.Thread(target=access) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(aws.asked) == 1


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((404, {"message": "No cluster found for name: tenants."}), "No cluster found"),
        ((403, {"message": "not authorized to perform: eks:DescribeCluster"}), "not authorized"),
        ((200, {"cluster": {"name": NAME, "status": "CREATING"}}), "is CREATING: no endpoint yet"),
        ((503, {}), "cannot be reached"),
    ],
)
def test_what_aws_refuses_is_temporary_and_named(aws, answer, said):
    """It is the deployment that is wrong: once it is put right, every tenant heals."""
    aws.answer = answer
    with pytest.raises(Temporary, match=said):
        EksAccess(NAME)()


def test_without_credentials_it_is_temporary(aws, eks, monkeypatch):
    """And says so."""
    session = botocore.session.get_session()
    session.get_component("credential_provider").providers.clear()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    with pytest.raises(Temporary, match="credentials"):
        EksAccess(NAME, session=session)()


def test_the_authenticator_takes_no_other_form(aws, eks):
    """Changed in any part, too old, for another cluster or by another key, a token is nobody's."""
    good = EksAccess(NAME)().token
    url = base64.urlsafe_b64decode(good.removeprefix(PREFIX) + "==").decode()
    takes = Authenticator(NAME, {KEY: (SECRET, WORKER)}, time.time)
    assert takes(good) == WORKER
    for old, new in (
        ("https://", "http://"),
        ("sts.eu-central-1.", "sts.evil."),
        (".amazonaws.com/", ".amazonaws.com.evil.example/"),
        ("GetCallerIdentity", "AssumeRole"),
        ("X-Amz-Expires=60", "X-Amz-Expires=86400"),
        ("host%3Bx-k8s-aws-id", "host"),
        ("&X-Amz-Signature", "&more=1&X-Amz-Signature"),
        ("X-Amz-Signature=", "X-Amz-Signature=0"),
        (KEY, "AKIAOTHER"),
    ):
        assert old in url
        changed = base64.urlsafe_b64encode(url.replace(old, new).encode()).decode().rstrip("=")
        assert takes(PREFIX + changed) is None, (old, new)
    for token in ("", PREFIX, good + "=", good[:-4], good.removeprefix(PREFIX)):
        assert takes(token) is None
    assert Authenticator("another", {KEY: (SECRET, WORKER)}, time.time)(good) is None
    assert Authenticator(NAME, {KEY: ("another", WORKER)}, time.time)(good) is None
    assert (
        Authenticator(NAME, {KEY: (SECRET, WORKER)}, lambda: time.time() + GOOD_FOR)(good) is None
    )


def test_session_credentials_are_signed_along(aws, eks, monkeypatch):
    """A Lambda's role has a session token; it is part of what is signed."""
    monkeypatch.setenv("AWS_SESSION_TOKEN", "a session/token+")
    token = EksAccess(NAME)().token
    assert Authenticator(NAME, {KEY: (SECRET, WORKER)}, time.time)(token) == WORKER


def test_the_settings_choose(settings_of, monkeypatch):
    """A server and a token, or a cluster's name; with neither it says what is missing."""
    assert isinstance(settings_of(cluster_name=NAME), EksAccess)
    assert settings_of(kube_server="https://k", kube_token="t")().server == "https://k"
    with pytest.raises(Misconfigured, match="CLUSTER_NAME, or KUBE_SERVER"):
        settings_of()


def test_a_token_in_a_file_is_read_again_when_it_changes(settings_of, tmp_path):
    """Whoever renews it writes another; while there is none it is waited for."""
    file = tmp_path / "token"
    access = settings_of(kube_server="https://k/", kube_token_file=str(file))
    with pytest.raises(Temporary, match="token cannot be read"):
        access()
    for number, token in enumerate(("first", "second")):
        file.write_text(f"{token}\n")
        os.utime(file, (number, number))
        assert (access().server, access().token) == ("https://k", token)


@pytest.fixture
def settings_of(monkeypatch):
    """The way in that these settings lead to."""

    def make(**given):
        fields = {**dict.fromkeys(Settings.__slots__), **given}
        monkeypatch.setattr(wiring, "settings", lambda: Settings(**fields))
        return wiring._access()

    return make
