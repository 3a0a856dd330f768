"""The one origin: pages with their headers, and the API behind it."""

import socket
from urllib.parse import urlsplit

import pytest
import requests

from sandbox.site.headers import SECURITY

PAGES = (
    "/", "/about", "/pricing", "/contact", "/signup", "/login", "/password-reset",
    "/checkout/success", "/checkout/cancel", "/dashboard",
)  # fmt: skip


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_served_with_every_security_header(sandbox, path):
    """The policy allows our own origin and nothing unsafe; names are filled in."""
    answer = requests.get(sandbox.url("site", path), timeout=5)
    assert answer.status_code == 200
    assert answer.headers.items() >= SECURITY.items()
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "{{" not in answer.text
    assert "ARM Engine" in answer.text


def test_an_unknown_page_is_a_page_too(sandbox):
    """404, in the site's own form."""
    answer = requests.get(sandbox.url("site", "/nothing-here"), timeout=5)
    assert answer.status_code == 404
    assert answer.headers.items() >= SECURITY.items()
    assert "text/html" in answer.headers["Content-Type"]


def test_pages_are_read_only(sandbox):
    """405, and what is allowed."""
    answer = requests.post(sandbox.url("site", "/pricing"), timeout=5)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")


def test_the_api_keeps_its_own_errors(sandbox):
    """The site passes them on as they are, with their id, under its own security headers."""
    answer = requests.get(sandbox.url("site", "/api/subscriptions/status"), timeout=5)
    assert answer.headers.items() >= SECURITY.items()
    assert answer.status_code == 401
    assert answer.json()["error"].keys() == {"code", "message", "requestId"}


def test_plans_are_public_and_cacheable(sandbox):
    """What is sold, by the contract's form."""
    answer = requests.get(sandbox.url("site", "/api/subscriptions/plans"), timeout=5)
    assert "max-age" in answer.headers["Cache-Control"]
    assert [p["id"] for p in answer.json()] == ["free", "basic", "pro"]
    assert [p["price"] for p in answer.json()] == [0, 2900, 9900]


def test_a_body_of_many_megabytes_is_refused(sandbox):
    """As API Gateway does, before our code sees it."""
    answer = requests.post(
        sandbox.url("site", "/api/payments/webhook"), data=b"x" * (11 << 20), timeout=30
    )
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")


@pytest.mark.parametrize(
    ("request_line", "body", "status"),
    [
        ("GET http://anywhere.example/api/subscriptions/plans HTTP/1.1", b"", 200),
        ("GET /../app.py HTTP/1.1", b"", 404),
        ("GET /%2e%2e%2fapp.py HTTP/1.1", b"", 404),
        ("POST /api/payments/webhook HTTP/1.1", b"zz\r\nhello\r\n0\r\n\r\n", 400),
    ],
)
def test_a_request_that_no_library_sends_is_answered(sandbox, request_line, body, status):
    """A whole address, a path that climbs, chunks that are none: an answer, never a crash."""
    where = urlsplit(sandbox.ready["site"])
    headers = "Host: x\r\nConnection: close\r\n"
    if body:
        headers += "Transfer-Encoding: chunked\r\n"
    with socket.create_connection((where.hostname, where.port), timeout=5) as connection:
        connection.sendall(f"{request_line}\r\n{headers}\r\n".encode() + body)
        assert int(connection.recv(64).split()[1]) == status


@pytest.mark.parametrize("part", ["site", "api", "aws", "stripe"])
@pytest.mark.parametrize(
    ("target", "length"),
    [
        ("http://[::1/pricing", "0"),
        ("/api/payments/webhook", "abc"),
        ("/api/payments/webhook", "-1"),
        ("/api/payments/webhook", "9" * 5000),
    ],
)
def test_an_address_or_a_length_that_is_none_is_answered(sandbox, part, target, length):
    """400, and the connection is closed: what follows cannot be told from the body."""
    where = urlsplit(sandbox.ready[part])
    head = f"POST {target} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n"
    with socket.create_connection((where.hostname, where.port), timeout=5) as connection:
        connection.sendall(head.encode())
        assert connection.makefile("rb").read().split()[1] == b"400"
