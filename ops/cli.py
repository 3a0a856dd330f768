"""The commands, and how their refusals look.

Exit codes: 0 it is done, or all is well; 1 it is done, and something is not well; 2 it could not be
done, and one line on standard error says why.
"""

import sys

import click
from botocore.exceptions import BotoCoreError, ClientError
from stripe import AuthenticationError, PermissionError, StripeError  # noqa: A004 - Stripe's names

from chalicelib.domain.errors import DomainError
from chalicelib.gateways.stripe_errors import key_refused
from ops.commands.acts import customer_gone, replay, resume, roll_out, suspend, sync
from ops.commands.audit import audit
from ops.commands.configure import configure
from ops.commands.dead_letters import dead_letters
from ops.commands.deploy import deploy, destroy
from ops.commands.doctor import doctor
from ops.commands.duplicates import duplicates
from ops.commands.leaving import credentials, export, forget
from ops.commands.plans import plans
from ops.commands.secret import secret
from ops.commands.tenants import stats, tenants, timeline

COULD_NOT = 2


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def ops() -> None:
    """Deploy a shop, and look after it."""


COMMANDS: tuple[click.Command, ...] = (
    *(configure, deploy, destroy, doctor, plans, secret),
    *(tenants, timeline, stats),
    *(sync, replay, suspend, resume, customer_gone, roll_out, dead_letters, audit, duplicates),
    *(credentials, export, forget),
)
for command in COMMANDS:
    ops.add_command(command)


def main() -> None:
    """Run one command."""
    try:
        ops()
    except DomainError as e:
        _refuse(str(e))
    except (BotoCoreError, ClientError) as e:
        _refuse(f"AWS: {e}")
    except (AuthenticationError, PermissionError) as e:
        _refuse(key_refused(e))
    except StripeError as e:
        _refuse(f"Stripe: {type(e).__name__} {e.code or ''} {e.request_id or ''}".strip())


def _refuse(text: str) -> None:
    click.secho(f"ops: {text}", fg="red", err=True)
    sys.exit(COULD_NOT)
