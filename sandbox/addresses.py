"""Where the parts are: a port on loopback each."""

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.serving import HOST

NAMES = ("site", "api", "stripe", "aws", "kubernetes", "worker")
"""In the order of their ports."""


class BusyPortError(Exception):
    """Somebody else has the port; the message is for the person at the terminal."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where everything is, once the ports are known."""

    ports: Mapping[str, int]

    def __getitem__(self, part: str) -> str:
        """The base URL of a part."""
        scheme = "https" if part == "kubernetes" else "http"
        return f"{scheme}://{HOST}:{self.ports[part]}"


def free_ports(first: int) -> dict[str, int]:
    """A port for each part: in a row from the first, or, for 0, whatever is free.

    Raises:
        BusyPortError: one of them cannot be had.
    """
    taken: list[socket.socket] = []
    try:
        for n, name in enumerate(NAMES):
            port = first + n if first else 0
            probe = socket.socket()
            taken.append(probe)
            if os.name == "posix":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError as e:
                raise BusyPortError(
                    f"port {port} (for {name}) cannot be used: {e.strerror}; "
                    "choose others with --port, 0 picks free ones"
                ) from e
        return {name: probe.getsockname()[1] for name, probe in zip(NAMES, taken, strict=True)}
    finally:
        for probe in taken:
            probe.close()
