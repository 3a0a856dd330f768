"""How many instructions a program takes: the same on a busy machine as on a quiet one."""

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

PROGRAMS = Path(__file__).with_name("programs")
_COLLECTED = re.compile(rb"Collected : (\d+)")


def instructions(program: str, env: Mapping[str, str], *arguments: str) -> int:
    """Instructions that `bench/programs/<program>.py` takes, from the interpreter's start to its end.

    Raises:
        SystemExit: valgrind is missing, or the program failed; what it said.
    """
    command = [sys.executable, str(PROGRAMS / f"{program}.py"), *arguments]
    run(command, env)  # once without counting: the bytecode is there afterwards
    valgrind = shutil.which("valgrind")
    if not valgrind:
        sys.exit("bench: valgrind is needed (Debian: apt install valgrind)")
    with tempfile.TemporaryDirectory() as folder:
        out = f"--callgrind-out-file={folder}/out"
        said = run([valgrind, "--tool=callgrind", out, *command], env)
    found = _COLLECTED.search(said)
    if not found:
        sys.exit(f"bench: callgrind gave no count for {program}")
    return int(found[1])


def run(command: Sequence[str], env: Mapping[str, str]) -> bytes:
    """Run a program; what it said to standard error."""
    done = subprocess.run(command, env=dict(env), capture_output=True, check=False)  # noqa: S603 - our own
    if done.returncode:
        sys.exit(f"bench: {command} failed\n{done.stdout.decode()}{done.stderr.decode()[-3000:]}")
    return done.stderr
