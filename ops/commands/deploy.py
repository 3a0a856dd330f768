"""`ops deploy` and `ops destroy`."""

import sys

import click

from ops.commands.common import console, say, shop_of, stage_option, title
from ops.commands.doctor import report
from ops.deploying import pipeline
from ops.stacks import Stacks


@click.command()
@stage_option
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
def deploy(stage: str, *, dry_run: bool) -> None:
    """From an AWS account to a running shop; can be run again at any time."""
    shop = shop_of(stage)
    stacks = Stacks(shop.session)
    pipeline.run(pipeline.steps(shop, stacks), title, say, dry_run=dry_run)
    if dry_run:
        return
    title("doctor")
    healthy = report(shop)
    console.print(f"\nThe shop is at [bold]{shop.parameters.get('site_url')}/pricing[/bold]")
    sys.exit(0 if healthy else 1)


@click.command()
@stage_option
@click.option("--data", is_flag=True, help="Remove the table and the accounts, too.")
@click.option("--yes", "sure", help="The deployment's name, instead of being asked for it.")
@click.option("--yes-data", "sure_of_data", help="The table's name, instead of being asked for it.")
def destroy(stage: str, *, data: bool, sure: str | None, sure_of_data: str | None) -> None:
    """Take a stage down; customers' tenants in the cluster stay as they are."""
    shop = shop_of(stage)
    name = shop.stage.deployment
    question = f"This takes down the shop {name}. Type its name to go on"
    if (sure or click.prompt(question)) != name:
        raise click.ClickException("not confirmed: nothing was done")
    if data:
        question = f"This deletes every customer's record and account of {name}. Type `data {name}`"
        if (sure_of_data or click.prompt(question)) != f"data {name}":
            raise click.ClickException("not confirmed: nothing was done")
    pipeline.destroy(shop, Stacks(shop.session), title, say, data=data)
    if not data:
        say(f"the table, the queue and the accounts of {name} are kept; --data removes them")
