"""The commands, and how their refusals look: one line, exit code 2."""

import sys

import click
import stripe
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.domain.errors import DomainError
from ops.commands.acts import replay, resume, roll_out, suspend, sync
from ops.commands.configure import configure
from ops.commands.dead_letters import dead_letters
from ops.commands.deploy import deploy, destroy
from ops.commands.doctor import doctor
from ops.commands.leaving import credentials, export, forget
from ops.commands.plans import plans
from ops.commands.secret import secret
from ops.commands.tenants import stats, tenants, timeline


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def ops() -> None:
    """Deploy a shop, and look after it."""


COMMANDS: tuple[click.Command, ...] = (
    *(configure, deploy, destroy, doctor, plans, secret),
    *(tenants, timeline, stats),
    *(sync, replay, suspend, resume, roll_out, dead_letters),
    *(credentials, export, forget),
)
for command in COMMANDS:
    ops.add_command(command)


def main() -> None:
    """Run one command."""
    try:
        ops()
    except (DomainError, BotoCoreError, ClientError, stripe.StripeError) as e:
        click.secho(f"ops: {e}", fg="red", err=True)
        sys.exit(2)
