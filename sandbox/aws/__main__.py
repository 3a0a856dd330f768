"""`python -m sandbox.aws --port N`."""

import argparse

from moto import backends

from sandbox import wsgi
from sandbox.aws.front import SERVICES, Front


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(prog="sandbox.aws")
    parser.add_argument("--port", type=int, required=True)
    port = parser.parse_args().port
    front = Front()
    for service in SERVICES:
        backends.get_backend(service)  # moto would import it at the first call
    wsgi.serve("aws", port, front, front.polling.stop)


if __name__ == "__main__":
    main()
