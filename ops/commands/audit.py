"""`ops audit`."""

import sys
from dataclasses import asdict

import click

from chalicelib import wiring
from ops.commands.common import operates, say, show_json, show_rows
from ops.desk import Desk


@click.command()
@click.option("--mend", is_flag=True, help="Nudge whoever a reconcile can put right.")
@operates
def audit(desk: Desk, *, mend: bool, as_json: bool) -> None:  # noqa: ARG001 - the desk sets the stage
    """Compare Stripe, the table and the cluster; exit code 1 when they disagree.

    The same that runs every day. What is being worked on at the moment is not judged.
    """
    report = wiring.audit().run(mend=mend)
    if as_json:
        show_json(asdict(report))
    else:
        rows = [{"what": f.kind, "tenantId": f.tenant_id, "said": f.text} for f in report.findings]
        show_rows(rows, as_json=False, nothing="Stripe, the table and the cluster agree")
        say(f"{report.tenants} tenants, {report.pending} of them under way, {report.mended} mended")
    sys.exit(1 if report.findings else 0)
