"""Programs of the project as processes of a test's own."""

import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import requests

from sandbox.addresses import free_ports

ROOT = Path(__file__).parents[1]
PATIENCE = 30


def await_answer(process, url):
    """Until there is an answer, whatever it says."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            return requests.get(url, timeout=5)
        except requests.ConnectionError:
            assert process.poll() is None, f"it ended before it answered: {process.args}"
            assert time.monotonic() < until, f"no answer within {PATIENCE} s: {process.args}"
            time.sleep(0.05)


@contextmanager
def part(name, *arguments):
    """A part of the sandbox; its address."""
    port = free_ports(0)["aws"]
    command = [sys.executable, "-m", f"sandbox.{name}", "--port", str(port), *map(str, arguments)]
    process = subprocess.Popen(command, cwd=ROOT)
    url = f"http://127.0.0.1:{port}"
    try:
        await_answer(process, f"{url}/sandbox/health")
        yield url
    finally:
        process.terminate()
        assert process.wait(5) == 0
