"""What the sandbox's parts have in common: one port on loopback, a clean end, plain refusals."""

import os
import signal
import sys
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Protocol
from urllib.parse import urlsplit

HOST = "127.0.0.1"
SUPERVISED = "SANDBOX_SUPERVISED"
"""Set in a part's environment: it ends when its standard input does, with whoever started it."""

MAX_DIGITS = 18
"""Of a length in bytes."""

CANNOT_START = 2
"""The exit code of a part, and of the sandbox, that could not even start."""


class Server(Protocol):
    """What `socketserver` and werkzeug agree on."""

    def serve_forever(self) -> None:
        """Until `shutdown`."""

    def shutdown(self) -> None:
        """Called from another thread."""


class LocalServer(ThreadingHTTPServer):
    """A threaded HTTP server that takes a burst of connections."""

    daemon_threads = True
    request_queue_size = 128


class WellFormed(BaseHTTPRequestHandler):
    """400 for an address or a length that is none: what is below stumbles over either."""

    def parse_request(self) -> bool:
        """Read the request's head; whether there is anything to serve."""
        if not super().parse_request():
            return False
        try:
            urlsplit(self.path)
        except ValueError:
            self.send_error(HTTPStatus.BAD_REQUEST)
            return False
        length = self.headers.get("Content-Length", "0").strip()
        if not (length.isascii() and length.isdecimal() and len(length) <= MAX_DIGITS):
            self.send_error(HTTPStatus.BAD_REQUEST)
            return False
        return True


class Quiet(WellFormed):
    """HTTP/1.1 with connections kept alive, and no line per request."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # an answer is two small writes: Nagle makes that 40 ms
    server_version = "sandbox"
    sys_version = ""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the base has it
        """Say nothing."""


def refuse(message: str) -> "SystemExit":
    """One clear line, and the exit code for what could not start."""
    print(message, file=sys.stderr, flush=True)  # noqa: T201 - the part's only voice
    return SystemExit(CANNOT_START)


def run(
    part: str, port: int, make: Callable[[], Server], stop: Callable[[], None] | None = None
) -> None:
    """Serve until SIGTERM or SIGINT, and end with exit code 0."""
    try:
        server = make()
    except OSError as e:
        raise refuse(f"{part}: port {port} cannot be used: {e.strerror}") from e

    def end(*_: object) -> None:
        # shutdown() waits for the loop that this handler interrupts: another thread has to call.
        threading.Thread(target=server.shutdown, daemon=True).start()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    if os.environ.get(SUPERVISED):
        threading.Thread(target=_end_with_the_supervisor, daemon=True).start()
    server.serve_forever()
    if stop:
        stop()


def _end_with_the_supervisor() -> None:
    """Even one that was killed closes its end of the pipe."""
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)
