"""The stand-in as a process; `--help` says what it takes.

With a certificate it speaks TLS, which kubectl wants before it sends a token. The first line on
standard output says which port it is: `{"port": N}`.
"""

import argparse
import json
import ssl
from pathlib import Path

from sandbox.kubernetes.server import KubernetesServer
from sandbox.serving import refuse, run


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(prog="sandbox.kubernetes")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--token", required=True)
    parser.add_argument("--worker-token", help="with what infra/cluster.yaml gives the worker")
    parser.add_argument("--certificate", type=Path)
    parser.add_argument("--key", type=Path)
    given = parser.parse_args()
    if (given.certificate is None) is not (given.key is None):
        parser.error("--certificate and --key go together")
    tls = _tls(given.certificate, given.key) if given.certificate else None

    def make() -> KubernetesServer:
        server = KubernetesServer(
            given.port, given.token, tls, given.worker_token, runs_workloads=True
        )
        print(json.dumps({"port": server.server_address[1]}), flush=True)  # noqa: T201 - for whoever started it
        return server

    run("kubernetes", given.port, make)


def _tls(certificate: Path, key: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(certificate, key)
    except OSError as e:  # ssl.SSLError is one
        raise refuse(f"kubernetes: {certificate} and {key} are no certificate: {e}") from e
    return context


if __name__ == "__main__":
    main()
