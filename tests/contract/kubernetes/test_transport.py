"""The way to the API server: whom it trusts, where it goes, and what it says when nothing comes."""

import socket
import ssl
import threading
from base64 import b64encode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from urllib3.util import create_urllib3_context

from chalicelib.domain.errors import Temporary
from chalicelib.gateways import pools
from chalicelib.gateways.kubernetes_http import KubernetesHttp, fixed
from sandbox import certificate
from sandbox.kubernetes.__main__ import _tls

TOKEN = "a-token-that-nobody-may-read"
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def no_proxy_of_this_machine(monkeypatch):
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def serve():
    """Start servers that note each request, with an answer and over TLS if so asked."""
    running = []

    def start(status=200, tls=None, **headers):
        class Handler(BaseHTTPRequestHandler):
            asked = []  # noqa: RUF012 - one class per server

            def do_GET(self):
                self.asked.append((self.path, self.headers["Authorization"]))
                self.send_response(status)
                for name, value in {"Content-Length": "2", **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.handle_error = lambda *_: None  # a client that does not trust us hangs up
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        running.append((server, thread))
        return server.server_address[1], Handler.asked

    yield start
    for server, thread in running:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def get():
    """The status of one request."""
    opened = []

    def ask(server, ca=None):
        http = KubernetesHttp(fixed(server, ca, TOKEN))
        opened.append(http)
        return http.request("GET", "/version").status

    yield ask
    for http in opened:
        http._pool.clear()


@pytest.fixture
def authority(tmp_path):
    """A certificate for 127.0.0.1 and localhost that signs itself, and a server's side of it."""
    ca, key = certificate.make(tmp_path)
    return ca.read_text(), _tls(ca, key)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_certificate_of_the_clusters_own_authority_is_trusted(serve, get, authority, host):
    """By name and by address, as an API server may be had by either."""
    ca, tls = authority
    port, asked = serve(tls=tls)
    assert get(f"https://{host}:{port}", ca) == 200
    assert asked == [("/version", f"Bearer {TOKEN}")]


@pytest.mark.parametrize("trusted", ["none given", "another"])
def test_a_certificate_of_somebody_elses_is_not(serve, get, authority, tmp_path, trusted):
    """Nothing is asked, and the token stays here and out of the message."""
    _, tls = authority
    port, asked = serve(tls=tls)
    (tmp_path / "other").mkdir()
    other = certificate.make(tmp_path / "other")[0].read_text() if trusted == "another" else None
    with pytest.raises(Temporary, match="does not answer: MaxRetryError") as caught:
        get(f"https://127.0.0.1:{port}", other)
    assert "CERTIFICATE_VERIFY_FAILED" in str(caught.value.__cause__)
    assert TOKEN not in f"{caught.value} {caught.value.__cause__}"
    assert asked == []


def test_a_certificate_for_another_name_is_not_trusted(serve, get, authority, monkeypatch):
    """Whoever stands at that address has to be who was called."""
    ca, tls = authority
    port, asked = serve(tls=tls)
    found = socket.getaddrinfo
    here = lambda _host, *rest: found("127.0.0.1", *rest)  # noqa: E731 - stands in for a function
    monkeypatch.setattr(socket, "getaddrinfo", here)
    with pytest.raises(Temporary) as caught:
        get(f"https://cluster.test:{port}", ca)
    assert "Hostname mismatch" in str(caught.value.__cause__)
    assert asked == []


def test_nobody_is_sent_elsewhere_with_the_token(serve, get):
    """An API server redirects nothing; what does is something else in its place."""
    elsewhere, asked = serve()
    port, _ = serve(status=307, Location=f"http://127.0.0.1:{elsewhere}/version")
    with pytest.raises(Temporary):
        get(f"http://127.0.0.1:{port}")
    assert asked == []


@pytest.mark.parametrize("name", ["http_proxy", "ALL_PROXY"])
def test_a_proxy_of_the_environment_is_gone_through(serve, get, monkeypatch, name):
    """The one for the address's scheme, or the one for all."""
    port, asked = serve()
    monkeypatch.setenv(name, f"http://127.0.0.1:{port}")
    assert get("http://cluster.test:6443") == 200
    assert [path for path, _ in asked] == ["http://cluster.test:6443/version"]


def test_no_proxy_stands_before_what_it_names(serve, get, monkeypatch):
    """A private API server is reached past the proxy that the internet is reached by."""
    proxy, by_proxy = serve()
    port, asked = serve()
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy}")
    monkeypatch.setenv("no_proxy", "cluster.test,127.0.0.1")
    assert get(f"http://127.0.0.1:{port}") == 200
    assert (len(asked), by_proxy) == (1, [])


def test_a_clusters_own_authority_need_not_be_strict(authority, monkeypatch):
    """Since 3.13 Python wants extensions that many a cluster's authority lacks."""

    def strict():
        context = create_urllib3_context()
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        return context

    monkeypatch.setattr(pools, "create_urllib3_context", strict)
    flags = [
        pools.pool_to("https://cluster.test", ca_data=ca).connection_pool_kw["ssl_context"]
        for ca in (authority[0], None)
    ]
    assert [bool(c.verify_flags & ssl.VERIFY_X509_STRICT) for c in flags] == [False, True]


def test_a_proxy_may_want_a_name_and_a_password(monkeypatch):
    """They stand in its address, as every tool has it."""
    monkeypatch.setenv("https_proxy", "http://ada:s%40fe@proxy.test:3128")
    pool = pools.pool_to("https://cluster.test")
    assert pool.proxy_headers["proxy-authorization"] == "Basic " + b64encode(b"ada:s@fe").decode()
