"""`chalice deploy` and `chalice delete`."""

import os
import subprocess

from ops import trimming
from ops.deploying.memory import Memory
from ops.deploying.step import Say, Shop, StepFailed


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
        if self._memory.complete(say, deploys=True):
            say("what is deployed is known from AWS")
        _package(self._shop, say)
        chalice(self._shop, "deploy", say)
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
        self._memory.complete(say, deploys=False)
        chalice(self._shop, "delete", say)
        if left := self._memory.look().names():
            raise StepFailed(
                f"chalice delete has ended, and there still is: {', '.join(left)}",
                "run the same command again; what is gone is found gone",
            )
        self._memory.forget()
        return "removed: no function, role, schedule, event source or API is left"


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
