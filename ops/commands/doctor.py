"""`ops doctor`."""

import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click
from rich.markup import escape
from rich.table import Table

from ops import desk
from ops.commands.common import (
    console,
    json_option,
    sandbox_option,
    shop_of,
    shop_of_sandbox,
    show_json,
    stage_option,
)
from ops.deploying.step import Shop
from ops.doctor.examining import IN_A_SANDBOX, examine
from ops.doctor.finding import Finding
from ops.doctor.looking import Look, SandboxLook

_MARKS = {"ok": "[green]ok", "warn": "[yellow]warn", "fail": "[red]FAIL"}


@click.command()
@stage_option
@sandbox_option
@json_option
def doctor(stage: str, sandbox: Path | None, *, as_json: bool) -> None:
    """Look whether a stage is set up right; exit code 1 when something does not work."""
    if sandbox:
        there = desk.at_sandbox(sandbox)
        look = SandboxLook(shop_of_sandbox(there), there.api)
        well = _shown(list(examine(look, IN_A_SANDBOX)), as_json=as_json)
    else:
        well = report(shop_of(stage), as_json=as_json)
    sys.exit(0 if well else 1)


def report(shop: Shop, *, as_json: bool = False) -> bool:
    """Show every finding; whether none of them is a failure."""
    return _shown(list(examine(Look(shop))), as_json=as_json)


def _shown(findings: Sequence[Finding], *, as_json: bool) -> bool:
    if as_json:
        show_json([asdict(finding) for finding in findings])
    else:
        table = Table(box=None, show_header=False, padding=(0, 1))
        for finding in findings:
            todo = f"\n-> {finding.todo}" if finding.todo else ""
            table.add_row(_MARKS[finding.state], finding.name, escape(finding.said + todo))
        console.print(table)
    return all(finding.state != "fail" for finding in findings)
