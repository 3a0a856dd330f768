"""`ops plans`."""

import sys

import click

from ops.commands.common import say, shop_of, stage_option
from ops.deploying.stripe_side import Plans


@click.group()
def plans() -> None:
    """The catalogue, and what Stripe holds of it."""


@plans.command()
@stage_option
def diff(stage: str) -> None:
    """Say what `push` would change; exit code 1 when that is something."""
    said = Plans(shop_of(stage)).plan()
    say(said)
    sys.exit(0 if said.startswith("nothing") else 1)


@plans.command()
@stage_option
def push(stage: str) -> None:
    """Make products, prices and the portal be as in plans.toml."""
    say(Plans(shop_of(stage)).run(say))
