"""The deployment package, as Chalice makes it and as `make package` does, unpacked as by Lambda."""

import compileall
import os
import shutil
import subprocess
import sys
import tempfile
import venv
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import boto3

from bench.outside import ROOT
from ops import trimming

STAGE = "dev"
INSTALLED = Path(boto3.__file__).parents[1]
RUNTIME = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six.py")
"""What Lambda has of its own."""


@dataclass(frozen=True, slots=True)
class Package:
    """One of the two: the zip, where it was unpacked to, and what Lambda has beside it."""

    zip: Path
    task: Path
    runtime: Path
    python: Path

    @property
    def megabytes(self) -> tuple[float, float]:
        """Zipped and unpacked."""
        with zipfile.ZipFile(self.zip) as opened:
            unpacked = sum(info.file_size for info in opened.infolist())
        return self.zip.stat().st_size / 1e6, unpacked / 1e6

    def on(self, env: Mapping[str, str]) -> dict[str, str]:
        """The environment of a program that has this and nothing else; it writes no bytecode."""
        return {
            **env,
            "PYTHONPATH": f"{self.task}:{self.runtime}",
            "PYTHONDONTWRITEBYTECODE": "1",
        }


@contextmanager
def packages() -> Iterator[tuple[Package, Package]]:
    """By Chalice alone, and trimmed."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        usual, ours = folder / "usual.zip", folder / "ours.zip"
        shutil.copy(_built(folder / "tree"), usual)
        shutil.copy(usual, ours)
        trimming.trim(ours)
        runtime = folder / "runtime"
        runtime.mkdir()
        for part in RUNTIME:
            (runtime / part).symlink_to(INSTALLED / part)
        compileall.compile_dir(runtime, maxlevels=0, quiet=1)  # packages have theirs with them
        # An interpreter that starts as usual, and that has nothing installed.
        venv.create(folder / "venv", symlinks=True)
        python = folder / "venv" / "bin" / "python"
        made = [Package(file, folder / file.stem, runtime, python) for file in (usual, ours)]
        for package in made:
            zipfile.ZipFile(package.zip).extractall(package.task)
        yield made[0], made[1]


def _built(tree: Path) -> Path:
    """Chalice's own, from a copy of the tree."""
    tree.mkdir()
    for name in ("app.py", "requirements.txt"):
        shutil.copy(ROOT / name, tree)
    ignore = shutil.ignore_patterns("__pycache__", "deployments", "deployed")
    for name in ("chalicelib", ".chalice"):
        shutil.copytree(ROOT / name, tree / name, ignore=ignore)
    done = subprocess.run(  # noqa: S603 - our own program
        [*trimming.CHALICE, "package", "--stage", STAGE, str(tree / "out")],
        cwd=tree, env={**os.environ, "AWS_DEFAULT_REGION": "us-east-1"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        sys.exit(f"bench: chalice package failed\n{done.stderr}")
    return tree / "out" / "deployment.zip"
