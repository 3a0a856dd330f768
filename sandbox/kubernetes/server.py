"""The cluster on a socket: HTTP/1.1, with TLS if there is a certificate, and the switches."""

import json
import ssl
import sys
import threading
from collections.abc import Callable
from http import HTTPStatus
from socket import socket
from typing import Any, Literal
from urllib.parse import urlsplit

from sandbox.kubernetes import setup
from sandbox.kubernetes.authorization import ADMIN, service_account
from sandbox.kubernetes.cluster import Cluster
from sandbox.kubernetes.faults import BadFault, Faults, Seen
from sandbox.kubernetes.requests import Answer, as_json, parse
from sandbox.kubernetes.statuses import Refusal
from sandbox.serving import HOST, LocalServer, Quiet

TERMINATING = 1.0
"""Seconds that a namespace takes to go; a real one takes about five."""

_TOO_MANY = Refusal(
    429,
    "Too many requests, please try again later.",
    "TooManyRequests",
    {"retryAfterSeconds": 1},
)
_NOT_READY = Refusal(503, "the sandbox's outage", "ServiceUnavailable")


class KubernetesServer(LocalServer):
    """One cluster, one token that may do everything, and perhaps the worker's.

    With `worker_token` the cluster is set up as an administrator would have (`infra/cluster.yaml`),
    and that token is the worker's: it may do what the worker may on a real one.
    """

    def __init__(
        self,
        port: int,
        token: str,
        tls: ssl.SSLContext | None = None,
        worker_token: str | None = None,
        *,
        runs_workloads: bool = False,
    ) -> None:
        self._tls = tls
        self.faults = Faults()
        self.seen = Seen()
        users = {token: ADMIN}
        if worker_token is not None:
            users[worker_token] = service_account(*setup.WORKER)
        self.cluster = Cluster(users, _later, runs_workloads=runs_workloads)
        if worker_token is not None:
            setup.apply(self.cluster, token)
        self.around: Callable[[Literal["before", "after"]], None] = lambda _: None
        """Called before each request is looked at, and after a change was made, unanswered yet."""
        super().__init__((HOST, port), _Handler)

    def get_request(self) -> tuple[socket, Any]:
        """The next connection; its handshake is left to its own thread."""
        connection, address = super().get_request()
        if self._tls:
            connection = self._tls.wrap_socket(
                connection, server_side=True, do_handshake_on_connect=False
            )
        return connection, address

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as the base has it
        """A client that went away, or would not have our certificate, is no news."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


def _later(action: Callable[[], None]) -> None:
    timer = threading.Timer(TERMINATING, action)
    timer.daemon = True
    timer.start()


class _Handler(Quiet):
    server: KubernetesServer

    def do_GET(self) -> None:
        """The same for every method: the cluster knows them."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = urlsplit(self.path).path
        if path.startswith("/sandbox/"):
            self._send(self._switch(path, body))
            return
        seen = self.server.seen.add(self.command, path)
        answer = self._answer(body)
        seen["status"] = answer.status
        self._send(answer)
        self.close_connection = self.close_connection or self.server.faults.closes

    def _answer(self, body: bytes) -> Answer:
        self.server.around("before")
        verdict = self.server.faults.pass_through(self.command)
        if verdict != "up":
            refusal = _NOT_READY if verdict == "down" else _TOO_MANY
            return as_json(refusal.code, refusal.body)
        request = parse(self.command, self.path, dict(self.headers.items()), body)
        answer = self.server.cluster.handle(request)
        if self.command != "GET":
            self.server.around("after")
        return answer

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815 - http.server's own names

    def _switch(self, path: str, body: bytes) -> Answer:
        match self.command, path:
            case "GET", "/sandbox/health":
                return as_json(HTTPStatus.OK, {"ok": True})
            case "GET", "/sandbox/faults":
                return as_json(HTTPStatus.OK, self.server.faults.state())
            case "POST", "/sandbox/faults":
                return self._set_faults(body)
            case "GET", "/sandbox/requests":
                return as_json(HTTPStatus.OK, self.server.seen.all())
            case "DELETE", "/sandbox/requests":
                self.server.seen.clear()
                return as_json(HTTPStatus.OK, {})
        return as_json(HTTPStatus.NOT_FOUND, {"error": "there is no such switch"})

    def _set_faults(self, body: bytes) -> Answer:
        try:
            wanted = json.loads(body)
            if not isinstance(wanted, dict):
                raise BadFault("not an object")
            self.server.faults.set(wanted)
        except ValueError as e:
            return as_json(HTTPStatus.BAD_REQUEST, {"error": str(e)})
        return as_json(HTTPStatus.OK, self.server.faults.state())

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
            self.send_header("Retry-After", "1")
        if answer.stream is None:
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)
            return
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for line in answer.stream:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
        self.wfile.write(b"0\r\n\r\n")
