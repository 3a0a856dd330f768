"""The commands, and how their refusals look: one line, exit code 2."""

import sys

import click

from chalicelib.domain.errors import DomainError
from ops.commands.configure import configure


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def ops() -> None:
    """Deploy a shop, and look after it."""


for command in (configure,):
    ops.add_command(command)


def main() -> None:
    """Run one command."""
    try:
        ops()
    except DomainError as e:
        click.secho(f"ops: {e}", fg="red", err=True)
        sys.exit(2)
