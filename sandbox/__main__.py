"""`python -m sandbox [--port 8000] [--ready-file FILE]`: the whole system on this machine."""

import argparse
import io
import os
import signal
import sys
import threading
from pathlib import Path

FAILED = 1


def main() -> int:
    """Run until told to end; the exit code."""
    ending = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ending.set())
    from sandbox.serving import CANNOT_START, refuse  # noqa: PLC0415 - signals come first

    given = _arguments()
    try:
        from rich.console import Console  # noqa: PLC0415 - what is missing is told in one line

        from chalicelib import wiring  # noqa: PLC0415 - the same
        from sandbox import outside, parts, screen  # noqa: PLC0415 - the same
        from sandbox.addresses import BusyPortError  # noqa: PLC0415 - the same
        from sandbox.outside import UnusableError  # noqa: PLC0415 - the same
        from sandbox.process import PartFailedError  # noqa: PLC0415 - the same
        from sandbox.supervisor import Supervisor  # noqa: PLC0415 - the same
    except ModuleNotFoundError as e:
        raise refuse(f"sandbox: the package {e.name} is missing: `make demo` installs it") from e
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal that has no "…" shows a "?"
    console = Console()
    parts.keep_to_this_machine()
    try:
        if given.stripe:
            os.environ |= outside.asked_for(os.environ)
        supervisor = Supervisor(given.port, given.ready_file, ending)
    except (BusyPortError, UnusableError) as e:
        raise refuse(f"sandbox: {e}") from e
    try:
        ready = supervisor.start()
        if ready:
            screen.show(console, wiring.catalogue().product, ready)
        supervisor.watch()
    except UnusableError as e:
        raise refuse(f"sandbox: {e}") from e
    except PartFailedError as e:
        console.print(f"sandbox: {e}", style="red", markup=False)
        return FAILED if supervisor.started else CANNOT_START
    finally:
        supervisor.stop()
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    parser.add_argument(
        "--port", type=int, default=8000, help="the site's; the others follow; 0 picks free ones"
    )
    parser.add_argument("--ready-file", type=Path, help="gets one JSON object when all is up")
    parser.add_argument(
        "--stripe",
        action="store_true",
        help="real Stripe, in test mode, with STRIPE_SECRET_KEY (docs/going-live.md)",
    )
    given = parser.parse_args()
    last = 65535 - 5
    if not 0 <= given.port <= last:
        parser.error(f"--port must be between 0 and {last}")
    file: Path | None = given.ready_file
    if file and (file.is_dir() or not os.access(file.parent, os.W_OK)):
        parser.error(f"--ready-file {file} cannot be written")
    return given


if __name__ == "__main__":
    sys.exit(main())
