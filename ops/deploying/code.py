"""`chalice deploy`, and what it remembers, kept where every machine finds it."""

import base64
import gzip
import os
import subprocess
from functools import cached_property
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from ops import trimming
from ops.deploying.step import Say, Shop, StepFailed

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient


class Memory:
    """What Chalice writes into .chalice/deployed, also in SSM.

    Without it a deploy from another machine would try to make everything a second time.
    """

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._file = shop.root / ".chalice/deployed" / f"{shop.stage.name}.json"
        # Not below the functions' own path: they would take it for a setting.
        self._name = f"/{shop.stage.app}/deployed/{shop.stage.name}"

    @cached_property
    def _ssm(self) -> "SSMClient":
        return self._shop.session.client("ssm")

    def restore(self) -> bool:
        """Write the file from SSM, where it is not there; whether that was done."""
        if self._file.exists():
            return False
        try:
            found = self._ssm.get_parameter(Name=self._name)["Parameter"]["Value"]
        except ClientError as e:
            if e.response["Error"]["Code"] == "ParameterNotFound":
                return False
            raise
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._file.write_bytes(gzip.decompress(base64.b64decode(found)))
        return True

    def keep(self) -> None:
        """Put the file into SSM."""
        packed = gzip.compress(self._file.read_bytes(), mtime=0)
        self._ssm.put_parameter(
            Name=self._name, Value=base64.b64encode(packed).decode(), Type="String", Overwrite=True
        )

    def forget(self) -> None:
        """Remove it from both places."""
        self._file.unlink(missing_ok=True)
        self._ssm.delete_parameters(Names=[self._name])


class Code:
    """The functions, the API, the queue's event source and the schedules."""

    name = "functions and API"

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._memory = Memory(shop)

    def plan(self) -> str:
        """Chalice has no dry run: it makes what its configuration says."""
        stage = self._shop.stage.name
        return f"chalice deploy --stage {stage}: update the functions and the API, or make them"

    def run(self, say: Say) -> str:
        """Deploy."""
        if self._memory.restore():
            say("what was deployed from another machine is known from SSM")
        _package(self._shop, say)
        chalice(self._shop, "deploy", say)
        self._memory.keep()
        if trimming.built_anew(self._shop.root):
            raise StepFailed(
                "chalice deploy did not take the package that was trimmed, and built another: "
                "something in the project's folder has changed meanwhile, be it bytecode",
                "run the same command again, and nothing else in that folder meanwhile; the "
                "functions work until then, and start slower",
            )
        return "deployed"

    def remove(self, say: Say) -> str:
        """Take all of it down."""
        self._memory.restore()
        chalice(self._shop, "delete", say)
        self._memory.forget()
        return "removed"


def _package(shop: Shop, say: Say) -> None:
    """Build what Chalice will then find built, trimmed."""
    say("package: what the functions need, and nothing else")
    try:
        trimming.prepare(shop.stage.name, shop.root, {**os.environ, **shop.env})
    except subprocess.CalledProcessError as e:
        raise StepFailed(
            "chalice package failed:\n" + "\n".join(str(e.stderr).splitlines()[-8:]),
            "put that right and run the same command again",
        ) from e


def chalice(shop: Shop, verb: str, say: Say) -> None:
    """Run the CLI, line by line.

    Raises:
        StepFailed: with its last lines.
    """
    said: list[str] = []
    with subprocess.Popen(  # noqa: S603 - our own program
        [*trimming.CHALICE, verb, "--stage", shop.stage.name],
        cwd=shop.root,
        env={**os.environ, **shop.env},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        for line in process.stdout or ():
            said.append(line.rstrip())
            say(line.rstrip())
    if process.returncode:
        raise StepFailed(
            f"chalice {verb} failed:\n" + "\n".join(said[-8:]),
            "put that right and run the same command again; it goes on where it stopped",
        )
