"""Lambda around a package: its Runtime API, and the real runtime client on this Python."""

import json
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from uuid import uuid4

import awslambdaric

SITE_PACKAGES = Path(awslambdaric.__file__).parents[1]
THE_CLIENTS_OWN = ("awslambdaric", "simplejson", "snapshot_restore_py.py")
PATIENCE = 60


class FunctionError(Exception):
    """The function raised, or could not be started."""


class Function:
    """One container of one function: it takes one invocation at a time, as on Lambda."""

    def __init__(self, handler, task, runtime, env, log):
        self.handler = handler
        self._events = Queue()
        self._answers = {}
        self._one_at_a_time = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _api_of(self))
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        for path in (SITE_PACKAGES / name for name in THE_CLIENTS_OWN):
            if not (runtime / path.name).exists():
                (runtime / path.name).symlink_to(path)
        for path in SITE_PACKAGES.glob("runtime_client*"):
            if not (runtime / path.name).exists():
                (runtime / path.name).symlink_to(path)
        start = (
            f"import sys; sys.path[:0] = [{str(task)!r}]; sys.path.append({str(runtime)!r})\n"
            f"from awslambdaric.__main__ import main; main(['awslambdaric', {handler!r}])"
        )
        with log.open("ab") as file:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", start],
                cwd=task, stdout=file, stderr=file,
                env=env | {
                    "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self._server.server_address[1]}",
                    "AWS_LAMBDA_FUNCTION_NAME": handler, "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
                    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512", "LAMBDA_TASK_ROOT": str(task),
                    "_HANDLER": handler,
                },
            )  # fmt: skip
        self._log = log

    def invoke(self, event):
        """What the function returns."""
        with self._one_at_a_time:
            request_id, done = str(uuid4()), threading.Event()
            self._answers[request_id] = [done, None, None]
            self._events.put((request_id, event))
            until = time.monotonic() + PATIENCE
            while not done.wait(0.5):
                if self._process.poll() is not None or time.monotonic() > until:
                    raise FunctionError(self._log.read_text()[-2000:])
            _, answer, error = self._answers.pop(request_id)
            if error is not None:
                raise FunctionError(f"{self.handler}: {error}")
            return json.loads(answer)

    def next_event(self):
        """Blocks until there is one."""
        return self._events.get()

    def concluded(self, request_id, answer, error):
        """An invocation has ended."""
        held = self._answers[request_id]
        held[1:] = [answer, error]
        held[0].set()

    def stop(self):
        """No more invocations."""
        self._process.kill()
        self._process.wait()
        self._server.shutdown()
        self._server.server_close()


def _api_of(function):
    class RuntimeApi(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            """Say nothing."""

        def do_GET(self):
            request_id, event = function.next_event()
            body = json.dumps(event).encode()
            self.send_response(200)
            for name, value in {
                "Content-Type": "application/json",
                "Content-Length": str(len(body)),
                "Lambda-Runtime-Aws-Request-Id": request_id,
                "Lambda-Runtime-Deadline-Ms": str(int((time.time() + 45) * 1000)),
                "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:us-east-1:123456789012:function:f",
            }.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            parts = self.path.strip("/").split("/")
            self.send_response(202)
            self.send_header("Content-Length", "0")
            self.end_headers()
            if parts[-1] == "response":
                function.concluded(parts[-2], body, None)
            elif parts[2] == "invocation":
                function.concluded(parts[-2], None, body)

    return RuntimeApi
