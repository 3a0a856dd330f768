"""`python -m sandbox.stripe --port N --key sk_test_… --clock-file F`."""

import argparse
import json
import logging
import socket
import threading

from werkzeug.serving import make_server

from sandbox.clock import SandboxClock
from sandbox.serving import HOST, Server, refuse, run
from sandbox.stripe import api
from sandbox.stripe.clock_steps import ClockSteps
from sandbox.stripe.state import Stripe
from sandbox.stripe.webhooks import Deliveries
from sandbox.wsgi import QuietHandler

LIVE_KEYS = ("sk_live_", "rk_live_")
TICK = 1
"""Seconds between two looks at what is due by itself."""


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(prog="sandbox.stripe")
    parser.add_argument("--port", type=int, required=True, help="0 picks a free one")
    parser.add_argument("--key", required=True, help="the one secret key that is accepted")
    parser.add_argument("--clock-file", required=True)
    parser.add_argument("--settle-url", help="asked to catch up whenever the clock moves")
    parser.add_argument("--public-url", help="where browsers find the hosted pages")
    given = parser.parse_args()
    if given.key.startswith(LIVE_KEYS):
        raise refuse("stripe: a live key is not for a sandbox; use one that starts with sk_test_")
    clock = SandboxClock(given.clock_file)
    stripe = Stripe(clock.now)
    deliveries = Deliveries(stripe.ledger, stripe.trouble)
    steps = ClockSteps(stripe, deliveries, clock, given.settle_url)
    app = api.make(stripe, deliveries, clock, steps, given.key)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    stopped = threading.Event()

    def start() -> Server:
        server = make_server(
            *(HOST, given.port, app),
            threaded=True,
            request_handler=QuietHandler,
            fd=_bound(given.port).detach(),
        )
        stripe.ledger.url = (given.public_url or f"http://{HOST}:{server.port}").rstrip("/")
        deliveries.start()
        threading.Thread(target=_tick, args=(stripe, stopped), daemon=True).start()
        print(json.dumps({"port": server.port}), flush=True)  # noqa: T201 - who started it reads it
        return server

    def stop() -> None:
        stopped.set()
        deliveries.stop()

    run("stripe", given.port, start, stop)


def _bound(port: int) -> socket.socket:
    """Werkzeug ends the process when a port is busy; this raises."""
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((HOST, port))
    except OSError:
        listening.close()
        raise
    listening.listen(128)
    return listening


def _tick(stripe: Stripe, stopped: threading.Event) -> None:
    while not stopped.wait(TICK):
        stripe.catch_up()


if __name__ == "__main__":
    main()
