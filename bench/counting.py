"""How much work a program is: instructions (callgrind), and CPU time of runs side by side."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

PROGRAMS = Path(__file__).with_name("programs")
_COLLECTED = re.compile(rb"Collected : (\d+)")


def nothing() -> None:
    """What most programs need done before they run."""


@dataclass(frozen=True, slots=True)
class Program:
    """`bench/programs/<name>.py` with its arguments; `before` makes each run the first one."""

    name: str
    env: Mapping[str, str]
    arguments: Sequence[str] = ()
    before: Callable[[], None] = nothing
    python: Path = Path(sys.executable)
    flags: Sequence[str] = ()

    @property
    def command(self) -> list[str]:
        """What is started."""
        return [
            str(self.python),
            *self.flags,
            str(PROGRAMS / f"{self.name}.py"),
            *self.arguments,
        ]

    def having(self, env: Mapping[str, str]) -> "Program":
        """The same, elsewhere."""
        return replace(self, env=env)

    def having_flags(self, *flags: str) -> "Program":
        """The same, with flags for the interpreter."""
        return replace(self, flags=flags)

    def run(self, *prefix: str) -> subprocess.CompletedProcess[bytes]:
        """Run it once.

        Raises:
            SystemExit: it failed; what it said.
        """
        self.before()
        done = subprocess.run(  # noqa: S603 - our own programs
            [*prefix, *self.command], env=dict(self.env), capture_output=True, check=False
        )
        if done.returncode:
            said = (done.stdout + done.stderr).decode(errors="replace")[-3000:]
            sys.exit(f"bench: {' '.join(self.command)} failed\n{said}")
        return done


def instructions(program: Program) -> int:
    """Instructions from the interpreter's start to the answer, with the bytecode there already."""
    program.run()
    valgrind = shutil.which("valgrind")
    if not valgrind:
        sys.exit("bench: valgrind is needed (Debian: apt install valgrind)")
    with tempfile.TemporaryDirectory() as folder:
        out = f"--callgrind-out-file={folder}/out"
        said = program.run(valgrind, "--tool=callgrind", out).stderr
    found = _COLLECTED.search(said)
    if not found:
        sys.exit(f"bench: callgrind gave no count for {program.name}")
    return int(found[1])


def cpu_seconds(programs: Mapping[str, Program], rounds: int) -> dict[str, float]:
    """The least CPU time of each, over rounds in which they run one after the other."""
    least = dict.fromkeys(programs, float("inf"))
    for _ in range(rounds):
        for name, program in programs.items():
            program.before()
            least[name] = min(least[name], _cpu(program))
    return least


def _cpu(program: Program) -> float:
    null = os.open(os.devnull, os.O_WRONLY)
    to_null = [(os.POSIX_SPAWN_DUP2, null, 1), (os.POSIX_SPAWN_DUP2, null, 2)]
    pid = os.posix_spawn(
        program.command[0], program.command, dict(program.env), file_actions=to_null
    )
    os.close(null)
    _, status, usage = os.wait4(pid, 0)
    if status:
        program.run()  # says what is wrong
        sys.exit(f"bench: {program.name} failed once: {status}")
    return usage.ru_utime + usage.ru_stime
