"""The sandbox's clock: the wall clock plus an offset that all processes share through a file.

It moves what is decided: billing, grace, retention. Signatures, tokens and visibility timeouts go
by the wall clock, as they do on AWS.
"""

import os
import tempfile
import time
from pathlib import Path


class SandboxClock:
    """Time as billing and decisions see it; several processes may hold the same file."""

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)

    def now(self) -> float:
        """Epoch seconds."""
        return time.time() + self.offset()

    def offset(self) -> int:
        """Whole seconds that this clock is ahead of the wall clock; 0 as long as nobody set it."""
        try:
            return int(self._path.read_text())
        except FileNotFoundError:
            return 0

    def set_offset(self, seconds: int) -> None:
        """Move the clock for everybody: written whole by a rename, never seen half."""
        handle, draft = tempfile.mkstemp(dir=self._path.parent, prefix=self._path.name)
        with os.fdopen(handle, "w") as file:
            file.write(str(int(seconds)))
        Path(draft).replace(self._path)


def install(path: str | Path) -> SandboxClock:
    """Make the real code in this process decide by the sandbox's clock, from outside of it."""
    from chalicelib import wiring  # noqa: PLC0415 - only the api and the worker have it

    clock = SandboxClock(path)
    wiring.clock = lambda: clock.now
    return clock
