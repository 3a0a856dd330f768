"""`ops deploy` and `ops destroy`."""

import sys
from dataclasses import replace

import click

from ops.commands.common import console, say, shop_of, stage_option, title
from ops.commands.doctor import report
from ops.deploying import home as homes
from ops.deploying import pipeline, taking_down
from ops.deploying.step import Shop
from ops.stacks import Stacks


@click.command()
@stage_option
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@click.option("--home", help="`ACCOUNT REGION` of a stage's first deploy, instead of being asked.")
def deploy(stage: str, *, dry_run: bool, home: str | None) -> None:
    """From an AWS account to a running shop; can be run again at any time."""
    shop = _at_home(shop_of(stage), home, dry_run=dry_run)
    stacks = Stacks(shop.session)
    pipeline.run(pipeline.steps(shop, stacks), title, say, dry_run=dry_run)
    if dry_run:
        return
    title("doctor")
    healthy = report(shop)
    console.print(f"\nThe shop is at [bold]{shop.parameters.get('site_url')}/pricing[/bold]")
    sys.exit(0 if healthy else 1)


def _at_home(shop: Shop, answer: str | None, *, dry_run: bool) -> Shop:
    """The same shop, once its stage has an account and a region: the first deploy asks for them."""
    if shop.stage.account:
        return shop
    here, name = homes.here(shop.session), shop.stage.name
    pinned = replace(shop, stage=replace(shop.stage, account=here.account, region=here.region))
    if dry_run:
        say(f"[{name}] has no home yet; the first deploy would ask whether it is {here}")
        return pinned
    wanted = f"{here.account} {here.region}"
    question = (
        f"[{name}] has no home yet. It would be {here}, and stay there: infra/stages.toml will say "
        f"so. Type `{wanted}` to go on"
    )
    if (answer or click.prompt(question)) != wanted:
        raise click.ClickException("not confirmed: nothing was done")
    for written in (
        "infra/stages.toml",
        *(f".chalice/{f}" for f in homes.settle(shop.stage, here)),
    ):
        say(f"{written}: written; commit it, so that every clone knows where [{name}] lives")
    return shop_of(name)


@click.command()
@stage_option
@click.option("--data", is_flag=True, help="Remove the table and the accounts, too.")
@click.option("--yes", "sure", help="The deployment's name, instead of being asked for it.")
@click.option("--yes-data", "sure_of_data", help="The table's name, instead of being asked for it.")
def destroy(stage: str, *, data: bool, sure: str | None, sure_of_data: str | None) -> None:
    """Take a stage down; customers' tenants in the cluster stay as they are."""
    shop = shop_of(stage)
    name, here = shop.stage.deployment, homes.here(shop.session)
    homes.check(shop.stage, here)
    question = f"This takes down the shop {name} in {here}. Type its name to go on"
    if (sure or click.prompt(question)) != name:
        raise click.ClickException("not confirmed: nothing was done")
    if data:
        question = f"This deletes every customer's record and account of {name}. Type `data {name}`"
        if (sure_of_data or click.prompt(question)) != f"data {name}":
            raise click.ClickException("not confirmed: nothing was done")
    taking_down.destroy(shop, Stacks(shop.session), title, say, data=data)
