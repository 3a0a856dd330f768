"""A WSGI application on a port, as the SDKs and browsers like it."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from werkzeug.serving import WSGIRequestHandler, make_server

from sandbox.serving import HOST, WellFormed, run

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


class QuietHandler(WellFormed, WSGIRequestHandler):
    """HTTP/1.1, so that connections are kept, and no line per request."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # an answer is two small writes: Nagle makes that 40 ms

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - as the base has it
        """Say nothing."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing, and look at nothing: the address may be none."""


def serve(
    part: str, port: int, app: "WSGIApplication", stop: Callable[[], None] | None = None
) -> None:
    """Serve on loopback until told to stop."""
    run(
        part,
        port,
        lambda: make_server(HOST, port, app, threaded=True, request_handler=QuietHandler),
        stop,
    )
