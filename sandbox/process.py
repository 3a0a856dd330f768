"""One part of the sandbox as a process of its own."""

import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import urllib3

ROOT = Path(__file__).parents[1]
LAST_LINES = 5


class PartFailedError(Exception):
    """A part ended by itself; the message is for the person at the terminal."""


class Part:
    """A process that ends when this one does, however that comes about."""

    def __init__(
        self, name: str, command: Sequence[str], env: Mapping[str, str], health: str, logs: Path
    ) -> None:
        self.name = name
        self.log = logs / f"{name}.log"
        self._command = command
        self._env = env
        self._health = health
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """Its process, once started."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start it, in a session of its own: Ctrl-C is for the supervisor, which tells it."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own commands, by sys.executable
                self._command,
                cwd=ROOT,
                env=self._env,
                stdin=subprocess.PIPE,  # closed by the system when the supervisor is no more
                stdout=log,  # figures for CloudWatch, as on Lambda
                stderr=log,
                start_new_session=True,
            )

    def ended(self) -> bool:
        """Whether it was started and runs no more."""
        return self._process is not None and self._process.poll() is not None

    def check(self) -> None:
        """Raise PartFailedError if it has ended."""
        if self._process and self.ended():
            lines = self.log.read_text("utf-8", "replace").splitlines()[-LAST_LINES:]
            if self._process.returncode == 2 and lines:  # noqa: PLR2004 - its refusal is one line
                raise PartFailedError(lines[-1])
            said = "\n  ".join(["", *lines])
            raise PartFailedError(f"{self.name} ended ({self._process.returncode}):{said}")

    def healthy(self, http: urllib3.PoolManager) -> bool:
        """Whether it answers."""
        try:
            return http.request("GET", self._health).status < 500  # noqa: PLR2004 - not broken
        except urllib3.exceptions.HTTPError:
            return False

    def tell_to_end(self) -> None:
        """Ask it to end."""
        if self._process and not self.ended():
            self._process.terminate()

    def end(self, until: float) -> None:
        """Wait for its end until a moment (monotonic seconds); then end it."""
        if self._process is None:
            return
        try:
            self._process.wait(max(0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdin:
            self._process.stdin.close()
