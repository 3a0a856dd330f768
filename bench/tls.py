"""TLS, and connections that are kept, before a stand-in: a client pays for both."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import urllib3

from sandbox.serving import HOST, LocalServer, Quiet

_OF_THE_CONNECTION = frozenset({"connection", "transfer-encoding", "content-length", "host"})


@contextmanager
def front(
    upstream: str, certificate: Path, key: Path, asked: list[str] | None = None
) -> Iterator[str]:
    """An https address on loopback that passes on to `upstream`, and notes what was asked for."""
    pool = urllib3.PoolManager(retries=False)

    class Handler(Quiet):
        def do_POST(self) -> None:  # noqa: N802 - http.server's own name
            if asked is not None:
                asked.append(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {k: v for k, v in self.headers.items() if k.lower() not in _OF_THE_CONNECTION}
            answer = pool.request(
                self.command, upstream + self.path, body=body, headers=headers, redirect=False
            )
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                if name.lower() not in _OF_THE_CONNECTION:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.data)))
            self.end_headers()
            self.wfile.write(answer.data)

        do_GET = do_POST  # noqa: N815 - http.server's own name

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = LocalServer((HOST, 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"https://{HOST}:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
