"""TLS in front of a stand-in: what a client pays for certificates is part of what is measured."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit


@contextmanager
def front(upstream: str, certificate: Path, key: Path) -> Iterator[str]:
    """An https address on loopback whose bytes go to `upstream`, an http one, and back."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    parts = urlsplit(upstream)
    to = (parts.hostname or "", parts.port or 80)
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    threading.Thread(target=_accept, args=(listener, context, to), daemon=True).start()
    try:
        yield f"https://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.close()


def _accept(listener: socket.socket, context: ssl.SSLContext, to: tuple[str, int]) -> None:
    while True:
        try:
            plain, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_carry, args=(plain, context, to), daemon=True).start()


def _carry(plain: socket.socket, context: ssl.SSLContext, to: tuple[str, int]) -> None:
    with suppress(OSError), plain, socket.create_connection(to) as inner:
        for end in (plain, inner):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with context.wrap_socket(plain, server_side=True) as outer:
            threading.Thread(target=_pump, args=(inner, outer), daemon=True).start()
            _pump(outer, inner)


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
