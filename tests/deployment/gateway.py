"""API Gateway in front of a function: HTTP in, proxy events out, only the routes it was given."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4


class Gateway:
    """Serves the paths of a SAM template's API."""

    def __init__(self, port, stage, definition, invoke):
        routes = {
            (path, method.upper())
            for path, methods in definition["paths"].items()
            for method in methods
        }
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _front_of(stage, routes, invoke))
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self):
        """No more requests."""
        self._server.shutdown()
        self._server.server_close()


def _front_of(stage, routes, invoke):
    class Front(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            """Say nothing."""

        def _serve(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            parts = urlsplit(self.path)
            if (parts.path, self.command) not in routes:
                self._answer(403, {}, '{"message": "Missing Authentication Token"}')
                return
            query = parse_qs(parts.query, keep_blank_values=True) or None
            answer = invoke({
                "resource": parts.path, "path": parts.path, "httpMethod": self.command,
                "headers": dict(self.headers.items()),
                "multiValueHeaders": {n: self.headers.get_all(n) for n in self.headers},
                "queryStringParameters": query and {n: v[-1] for n, v in query.items()},
                "multiValueQueryStringParameters": query,
                "pathParameters": None, "stageVariables": None,
                "requestContext": {
                    "resourcePath": parts.path, "httpMethod": self.command, "stage": stage,
                    "path": f"/{stage}{parts.path}", "requestId": str(uuid4()),
                    "identity": {"sourceIp": "192.0.2.1"},
                },
                "body": body.decode() or None, "isBase64Encoded": False,
            })  # fmt: skip
            headers = dict(answer.get("headers") or {})
            for name, values in (answer.get("multiValueHeaders") or {}).items():
                headers[name] = values[-1]
            self._answer(answer["statusCode"], headers, answer["body"])

        do_GET = do_POST = _serve  # noqa: N815 - http.server's names

        def _answer(self, status, headers, body):
            raw = (body if isinstance(body, str) else json.dumps(body)).encode()
            self.send_response(status)
            for name, value in headers.items():
                if name.lower() != "content-length":
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

    return Front
