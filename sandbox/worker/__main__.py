"""`python -m sandbox.worker --port N`.

The port is for `/sandbox/health`, `POST /settle`, and `POST /audit`, which answers what it finds;
with the real Stripe in test mode for `POST /advance {"seconds": …}`, too.
"""

import argparse
import json
import os
from dataclasses import asdict

from chalicelib import wiring
from chalicelib.entrypoints import logs, worker
from sandbox import clock, testmode
from sandbox.serving import HOST, LocalServer, Quiet, run
from sandbox.worker.polling import Polling
from sandbox.worker.schedule import AUDIT_EVERY, EVERY, Schedule
from sandbox.worker.settling import Settling


def main() -> None:
    """Work until told to stop."""
    parser = argparse.ArgumentParser(prog="sandbox.worker")
    parser.add_argument("--port", type=int, required=True)
    port = parser.parse_args().port
    logs.configure()
    moved = None
    if file := os.environ.get("SANDBOX_CLOCK"):
        moved = clock.install(file)
    clocks = testmode.install()
    polling = Polling(os.environ["QUEUE_NAME"], worker.on_tenant_message)
    sweep = Schedule("sweep", worker.on_schedule, EVERY)
    audit = Schedule("audit", worker.on_audit, AUDIT_EVERY)
    settling = Settling(polling, sweep, os.environ["TABLE_NAME"])

    class Control(Quiet):
        def do_GET(self) -> None:
            self._answer(200 if self.path == "/sandbox/health" else 404, {"ok": True})

        def do_POST(self) -> None:
            given = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.path == "/advance" and clocks and moved:
                seconds = int(json.loads(given)["seconds"])
                customers = clocks.advance(seconds)
                moved.set_offset(moved.offset() + seconds)
                testmode.look_at_everybody()
                self._answer(200, {"customers": customers, "nextDue": settling.settle()})
            elif self.path == "/settle":
                self._answer(200, {"nextDue": settling.settle()})
            elif self.path == "/audit":
                self._answer(200, asdict(wiring.audit().run()))
            else:
                self._answer(404, {"error": "the worker has only POST /settle and /audit"})

        def _answer(self, status: int, body: object) -> None:
            raw = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

    def serve() -> LocalServer:
        server = LocalServer((HOST, port), Control)
        polling.start()
        sweep.start()
        audit.start()
        return server

    run("worker", port, serve)


if __name__ == "__main__":
    main()
