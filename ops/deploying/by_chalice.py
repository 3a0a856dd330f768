"""`chalice deploy` and `chalice delete` as a developer types them, from any clone.

The CLI imports `app.py` before it does anything, and `app.py` this. Chalice has read by then what
it remembers; where that was not what AWS tells, it is written anew, and the command begins again.
"""

import os
import sys

import boto3
import click

from chalicelib import wiring
from chalicelib.domain.errors import Misconfigured
from ops import chalice_files, stages
from ops.deploying import home
from ops.deploying.data import Data
from ops.deploying.memory import Memory
from ops.deploying.step import Shop, StepFailed
from ops.stacks import Stacks

CHANGES = frozenset({"deploy", "delete"})
BEGUN_AGAIN = "OPS_CHALICE_BEGUN_AGAIN"
"""Set once the command has begun again: whatever AWS says then, it goes on."""


def prepare() -> None:
    """Let one of those commands find what it needs, or end it with a line that says what to do."""
    context = click.get_current_context(silent=True)
    if context is None or context.info_name not in CHANGES:
        return
    try:
        changed = _ready(context.params["stage"], context.params.get("profile"), context.info_name)
    except (StepFailed, Misconfigured) as e:
        raise click.ClickException(str(e)) from e
    if changed and BEGUN_AGAIN not in os.environ:
        os.environ[BEGUN_AGAIN] = "1"
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 - the same


def _ready(name: str, profile: str | None, verb: str) -> bool:
    """Whether Chalice's memory was not what AWS tells, and is now."""
    stage = stages.load(name)
    os.environ["AWS_DEFAULT_REGION"] = stages.region_of(stage, os.environ) or ""
    session = boto3.Session(profile_name=profile, region_name=stage.region or None)
    shop = Shop(stage, wiring.catalogue(), session, stages.ROOT, os.environ)
    home.check(stage, home.here(session))
    memory = Memory(shop)
    if verb == "deploy":
        if chalice_files.differing():
            raise StepFailed(
                ".chalice/ is not what infra/stages.toml says", "run `python -m ops configure`"
            )
        if not Data(shop, Stacks(session)).has_queue():
            raise StepFailed(f"[{name}] has no queue yet", f"run `make deploy STAGE={name}` first")
    return memory.complete(click.echo, deploys=verb == "deploy")
