"""`ops credentials`, `export`, `forget`: what one customer may have, and may ask for."""

from pathlib import Path

import click

from ops.commands.common import json_text, operates, say, show_json, show_one
from ops.commands.files import NewFile, write
from ops.desk import Desk
from ops.operating import credentials as access
from ops.operating import leaving
from ops.operating.finding import NotFound, find
from ops.operating.standing import summary

_FILE = NewFile()


@click.command()
@click.argument("user")
@click.option(
    "--seconds",
    default=3600,
    show_default=True,
    type=click.IntRange(min=access.SHORTEST, max=24 * 3600),
    help="How long it is good.",
)
@click.option("--output", type=_FILE, help="A file that only you can read; else to the terminal.")
@operates
def credentials(desk: Desk, user: str, seconds: int, output: Path | None, *, as_json: bool) -> None:
    """A kubeconfig with the rights of a tenant's own service account, for a while."""
    record = find(desk, user)
    config, expires = access.kubeconfig(desk, record, seconds)
    if output is None:
        show_json(config)
        return
    write(output, json_text(config) + "\n")
    show_one({"kubeconfig": str(output), "expires": expires}, as_json=as_json)


@click.command()
@click.argument("user")
@click.option("--output", type=_FILE, help="A file that only you can read; else to the terminal.")
@operates
def export(desk: Desk, user: str, output: Path | None, *, as_json: bool) -> None:
    """Everything that is known of a customer, as one JSON document. It is personal data."""
    try:
        document = leaving.export(desk, find(desk, user))
    except NotFound:
        account = leaving.account_of(desk, user)
        if account is None:
            raise
        document = leaving.export_account(desk, account)
    if output is None:
        show_json(document)
        return
    write(output, json_text(document) + "\n")
    show_one({"export": str(output)}, as_json=as_json)


@click.command()
@click.argument("user")
@click.option("--yes", is_flag=True, help="There is no way back.")
@click.option("--timeout", default=180.0, show_default=True, help="Seconds for the namespace.")
@operates
def forget(desk: Desk, user: str, timeout: float, *, yes: bool, as_json: bool) -> None:
    """Remove a customer from everything: account, Stripe, cluster, table.

    Without --yes it only shows who is meant, and ends with exit code 2.
    """
    record, account = None, leaving.account_of(desk, user)
    try:
        record = find(desk, user)
    except NotFound:
        if account is None:
            raise
    if not yes:
        show_one(summary(desk, record) if record else {"email": user}, as_json=as_json)
        raise click.UsageError(
            "this cannot be undone: subscription, workspace and data go at once. "
            "If this is who you mean, add --yes"
        )
    steps: list[str] = []

    def tell(text: str) -> None:
        steps.append(text)
        if not as_json:
            say(text)

    if record:
        leaving.forget(desk, record, timeout, tell)
    elif account:
        leaving.forget_account(desk, account, tell)
    if as_json:
        tenant_id = record.tenant_id if record else None
        show_json({"tenantId": tenant_id, "done": steps, "kept": list(leaving.KEPT)})
        return
    for text in leaving.KEPT:
        say(f"kept: {text}")
