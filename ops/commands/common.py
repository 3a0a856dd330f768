"""What the commands share: the stage they are about, and how they speak."""

import os
from collections.abc import Callable
from typing import Any

import boto3
import click
from rich.console import Console

from chalicelib import wiring
from ops import stages
from ops.deploying.step import Shop

console = Console(highlight=False, soft_wrap=True)

stage_option: Callable[[Any], Any] = click.option(
    "--stage", envvar="STAGE", default="dev", show_default=True, help="As in infra/stages.toml."
)


def shop_of(stage: str) -> Shop:
    """A stage in the account that the environment names.

    Raises:
        Misconfigured: there is no such stage.
    """
    env = dict(os.environ)
    if region := env.get("AWS_REGION"):
        env["AWS_DEFAULT_REGION"] = region  # the one of the two that boto3 and Chalice read
    return Shop(
        stage=stages.load(stage),
        catalogue=wiring.catalogue(),
        session=boto3.Session(region_name=region),
        root=stages.ROOT,
        env=env,
        stripe_base=os.environ.get("STRIPE_API_BASE") or None,
    )


def title(text: str) -> None:
    """A step begins."""
    console.print(f"[bold]{text}")


def say(text: str) -> None:
    """A line of progress."""
    console.print(f"  {text}", markup=False)
