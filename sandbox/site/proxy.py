"""What is below `/api/` goes on to the API, as the CDN sends it on to API Gateway."""

import json
from urllib.parse import urlsplit

import urllib3
from werkzeug.wrappers import Request, Response

from sandbox.site.headers import SECURITY

MAX_BODY = 10 * 1024 * 1024
"""Bytes; API Gateway refuses more."""

METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
"""What a CDN passes on; it knows no others."""

TIMEOUT = urllib3.Timeout(connect=2, read=30)

_PER_CONNECTION = frozenset(
    {
        "connection",
        "content-length",
        "date",
        "host",
        "keep-alive",
        "server",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)


class Proxy:
    """Carries requests to one server."""

    def __init__(self, server: str) -> None:
        self._server = server.rstrip("/")
        self._pool = urllib3.PoolManager(maxsize=32, retries=False, timeout=TIMEOUT)

    def __call__(self, request: Request) -> Response:
        """Carry one request there and its answer back."""
        if request.method not in METHODS:
            refused = _error(405, "method_not_allowed", "This is not how this address is used.")
            refused.headers["Allow"] = "GET, POST"
            return refused
        try:
            body = request.stream.read(MAX_BODY + 1)
        except OSError:
            return _error(400, "invalid_request", "The request ends in the middle.")
        if len(body) > MAX_BODY:
            return _error(413, "too_large", "The request is too large.")
        query = request.query_string.decode("latin-1")
        # As it was sent, escapes and all; a client that takes us for a proxy sends a whole address.
        url = f"{self._server}/{urlsplit(request.environ['RAW_URI']).path.lstrip('/')}"
        try:
            answer = self._pool.request(
                request.method,
                f"{url}?{query}" if query else url,
                body=body or None,
                headers=_passed_on(list(request.headers.items())),
                redirect=False,
                decode_content=False,
            )
        except urllib3.exceptions.HTTPError:
            return _error(503, "upstream_unavailable", "The service cannot be reached right now.")
        return Response(
            answer.data,
            status=answer.status,
            headers=_passed_on(list(answer.headers.items())) | SECURITY,
        )


def _passed_on(headers: list[tuple[str, str]]) -> dict[str, str]:
    return {name: value for name, value in headers if name.lower() not in _PER_CONNECTION}


def _error(status: int, code: str, message: str) -> Response:
    body = {"error": {"code": code, "message": message, "requestId": "site"}}
    return Response(json.dumps(body), status, SECURITY, content_type="application/json")
