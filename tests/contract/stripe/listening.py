"""A webhook endpoint on a socket."""

import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer


class Listener:
    """It answers what `statuses` says, then 200, and keeps what it got: signature, body, status."""

    def __init__(self):
        got, statuses = [], []

        class Listening(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = statuses.pop(0) if statuses else 200
                got.append((self.headers["Stripe-Signature"], body, status))
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                """Say nothing."""

        self.got, self.statuses = got, statuses
        self._server = HTTPServer(("127.0.0.1", 0), Listening)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/hook"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def wait_for(self, count):
        """Until it got so many deliveries."""
        until(lambda: len(self.got) >= count)

    def stop(self):
        """Listen no more."""
        self._server.shutdown()
        self._server.server_close()


def until(look):
    """Wait for something that another thread does."""
    end = time.monotonic() + 10
    while not look():
        assert time.monotonic() < end
        time.sleep(0.01)
