"""`ops doctor`."""

import json
import sys
from dataclasses import asdict

import click
from rich.table import Table

from ops.commands.common import console, shop_of, stage_option
from ops.deploying.step import Shop
from ops.doctor.examining import examine
from ops.doctor.looking import Look

_MARKS = {"ok": "[green]ok", "warn": "[yellow]warn", "fail": "[red]FAIL"}


@click.command()
@stage_option
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def doctor(stage: str, *, as_json: bool) -> None:
    """Look whether a stage is set up right; exit code 1 when something does not work."""
    sys.exit(0 if report(shop_of(stage), as_json=as_json) else 1)


def report(shop: Shop, *, as_json: bool = False) -> bool:
    """Show every finding; whether none of them is a failure."""
    findings = list(examine(Look(shop)))
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        table = Table(box=None, show_header=False, padding=(0, 1))
        for finding in findings:
            todo = f"\n-> {finding.todo}" if finding.todo else ""
            table.add_row(_MARKS[finding.state], finding.name, finding.said + todo)
        console.print(table)
    return all(finding.state != "fail" for finding in findings)
