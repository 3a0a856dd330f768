"""What Lambda would get: bytes, and what they take to start, as it unpacks them."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import boto3

from bench.counting import Program, instructions
from bench.outside import ROOT, WEBHOOK_SECRET, Outside, outside
from bench.row import Row
from bench.shoppers import Shopper
from ops import trimming

RUNTIME = ("boto3", "botocore", "s3transfer", "jmespath")
ZIP, UNPACKED = 16.0, 90.0
STAGE = "dev"


def rows() -> Iterable[Row]:
    """Sizes, and a start from what was unpacked."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        usual, ours = folder / "usual.zip", folder / "ours.zip"
        shutil.copy(_built(folder / "tree"), usual)
        shutil.copy(usual, ours)
        trimming.trim(ours)
        yield _sizes(_Size.of(usual), _Size.of(ours))
        with outside() as there:
            yield _started(there, folder, usual, ours)


@dataclass(frozen=True, slots=True)
class _Size:
    """Megabytes."""

    zipped: float
    unpacked: float

    @classmethod
    def of(cls, package: Path) -> "_Size":
        with zipfile.ZipFile(package) as opened:
            unpacked = sum(info.file_size for info in opened.infolist())
        return cls(package.stat().st_size / 1e6, unpacked / 1e6)

    def __str__(self) -> str:
        return f"{self.zipped:.1f} / {self.unpacked:.1f}"


def _built(tree: Path) -> Path:
    """Chalice's own package, from a copy of the tree."""
    tree.mkdir()
    for name in ("app.py", "requirements.txt"):
        shutil.copy(ROOT / name, tree)
    ignore = shutil.ignore_patterns("__pycache__", "deployments", "deployed")
    for name in ("chalicelib", ".chalice"):
        shutil.copytree(ROOT / name, tree / name, ignore=ignore)
    env = {**os.environ, "AWS_DEFAULT_REGION": "us-east-1"}
    done = subprocess.run(  # noqa: S603 - our own program
        [*trimming.CHALICE, "package", "--stage", STAGE, str(tree / "out")],
        cwd=tree, env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        sys.exit(f"bench: chalice package failed\n{done.stderr}")
    return tree / "out" / "deployment.zip"


def _sizes(usual: _Size, ours: _Size) -> Row:
    return Row(
        what="deployment package",
        floor="",
        others=f"{usual} by `chalice package` alone",
        ours=str(ours),
        goal=f"≤ {ZIP:.0f} / ≤ {UNPACKED:.0f}",
        unit="MB zipped / unpacked",
        how="`make package`: no dependency that is used is given up, and the bytecode is in it",
        met=ours.zipped <= ZIP and ours.unpacked <= UNPACKED,
    )


def _started(there: Outside, folder: Path, usual: Path, ours: Path) -> Row:
    """A function's folder cannot be written to: what has no bytecode is compiled at each start."""
    runtime = folder / "runtime"
    runtime.mkdir()
    for name in RUNTIME:
        (runtime / name).symlink_to(Path(boto3.__file__).parents[1] / name)
    shopper = Shopper(there.env, there.aws)
    event = folder / "event.json"
    shopper.put({**shopper.key, "nudged": 0, "version": 0})

    def new_event() -> None:
        event.write_text(json.dumps(shopper.webhook(WEBHOOK_SECRET)))

    def count(package: Path, env: Mapping[str, str]) -> tuple[int, int]:
        task = folder / package.stem
        zipfile.ZipFile(package).extractall(task)
        env = {**env, "PYTHONPATH": f"{task}:{runtime}", "PYTHONDONTWRITEBYTECODE": "1"}
        python = ("-S",)  # nothing of this environment but what is named
        hello = Program("hello", env, python=python)
        webhook = Program("event", env, ["app.app", str(event)], new_event, python)
        return instructions(hello), instructions(webhook)

    hello, before = count(usual, there.env)
    _, after = count(ours, there.env)
    return Row(
        what="cold start to the first answered webhook, from the package as Lambda unpacks it",
        floor="",
        others=f"{before / hello:.1f} packaged by Chalice alone",
        ours=f"{after / hello:.1f}",
        goal="≤ 5.0",
        unit="times a hello-world Chalice app that was packaged by Chalice; instructions",
        how="both unpacked into a folder where no bytecode is written, as a function's is",
        met=after / hello <= 5.0,  # noqa: PLR2004 - the goal
    )
