"""Somebody at a terminal, with `python -m ops` and a sandbox."""

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from unittest.mock import patch

from ops import cli

ROOT = Path(__file__).parents[2]


class Operator:
    """Runs commands as a person or a script would; most of them in this process, to save time."""

    def __init__(self, ready_file):
        self._ready_file = ready_file

    def run(self, *arguments, code=0):
        """What it prints; on standard error, when it could not be done."""
        out, err = io.StringIO(), io.StringIO()
        ended = 0
        with (
            patch.object(sys, "argv", ["ops", *arguments, "--sandbox", str(self._ready_file)]),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            try:
                cli.main()
            except SystemExit as e:
                ended = e.code or 0
        assert ended == code, (ended, out.getvalue(), err.getvalue())
        return err.getvalue() if code == cli.COULD_NOT else out.getvalue()

    def ask(self, *arguments, code=0):
        """What it answers to a program."""
        return json.loads(self.run(*arguments, "--json", code=code))

    def start(self, *arguments):
        """Begin in a process of its own, and do not wait."""
        # A profile of the person's own must lead nowhere.
        env = {**os.environ, "AWS_PROFILE": "somebodys-own"}
        return subprocess.Popen(
            [sys.executable, "-m", "ops", *arguments, "--sandbox", str(self._ready_file)],
            cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            # A person's terminal can interrupt it; what a shell runs in the background ignores that.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - no threads of ours hold a lock
        )  # fmt: skip
