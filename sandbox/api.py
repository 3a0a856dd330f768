"""`python -m sandbox.api --port N`: the real `app.py` under Chalice's own local server.

Settings come by the environment, as on Lambda.
"""

import argparse
import os

from chalice.config import Config
from chalice.local import ChaliceRequestHandler, LocalChalice, LocalDevServer, ThreadedHTTPServer

from app import app
from sandbox import clock, testmode
from sandbox.serving import HOST, WellFormed, run

MAX_RUNTIME = 29
"""Seconds that API Gateway waits for a function."""


class _Server(ThreadedHTTPServer):
    request_queue_size = 128


class _Handler(WellFormed, ChaliceRequestHandler):
    disable_nagle_algorithm = True  # an answer is two small writes: Nagle makes that 40 ms

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the base has it
        """Say nothing: the app's own log has what matters."""


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(prog="sandbox.api")
    parser.add_argument("--port", type=int, required=True)
    port = parser.parse_args().port
    if file := os.environ.get("SANDBOX_CLOCK"):
        clock.install(file)
    testmode.install()
    # What `chalice local` does: each thread has its own current request.
    app.__class__ = type("LocalApp", (LocalChalice, app.__class__), {})
    config = Config.create(app_name=app.app_name, lambda_timeout=MAX_RUNTIME)
    run(
        "api",
        port,
        lambda: LocalDevServer(app, config, HOST, port, _Handler, _Server).server,
    )


if __name__ == "__main__":
    main()
