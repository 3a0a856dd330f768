"""`ops plans`."""

import sys
from dataclasses import asdict

import click

from ops import plans as catalogue_plans
from ops import stripe_account
from ops.commands.common import deploys, show_rows
from ops.deploying.step import Shop

NOTHING = "the plans are as they should be"


@click.group()
def plans() -> None:
    """The catalogue, and what Stripe holds of it."""


@plans.command()
@deploys
def diff(shop: Shop, *, as_json: bool) -> None:
    """Say what `push` would change; exit code 1 when that is something."""
    want = catalogue_plans.wanted(shop.catalogue, shop.stage.name)
    todo = catalogue_plans.changes(want, catalogue_plans.look(stripe_account.client(shop), want))
    show_rows(map(asdict, todo), as_json=as_json, nothing=NOTHING)
    sys.exit(1 if todo else 0)


@plans.command()
@deploys
def push(shop: Shop, *, as_json: bool) -> None:
    """Make products, prices and the portal be as in plans.toml."""
    done = catalogue_plans.push(stripe_account.client(shop), shop.catalogue, shop.stage.name)
    show_rows(map(asdict, done), as_json=as_json, nothing=NOTHING)
