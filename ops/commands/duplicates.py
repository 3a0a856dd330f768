"""`ops duplicates`."""

import click

from ops.commands.acts import PATIENCE, see_through
from ops.commands.common import operates, show_one, show_rows
from ops.desk import Desk
from ops.operating import duplicates as undoing
from ops.operating.finding import find
from ops.operating.following import News


@click.group()
def duplicates() -> None:
    """Customers who pay twice."""


@duplicates.command("list")
@operates
def list_all(desk: Desk, *, as_json: bool) -> None:
    """Who has more than one live subscription, and which of them counts."""
    rows = [
        {
            "tenantId": record.tenant_id,
            "email": record.user.email,
            "counts": record.subscription.id if record.subscription else None,
            "beside": list(record.billing.duplicates),
        }
        for record in desk.records.all()
        if record.billing.duplicates
    ]
    show_rows(rows, as_json=as_json, nothing="nobody pays twice")


@duplicates.command()
@click.argument("user")
@click.option("--undo", help="Which one, where there are several.")
@click.option("--yes", is_flag=True, help="Money goes back; there is no way back from that.")
@PATIENCE
@operates
def resolve(  # noqa: PLR0913 - one for each option
    desk: Desk, user: str, undo: str | None, timeout: float, *, yes: bool, as_json: bool
) -> None:
    """Cancel a customer's second subscription at once, and refund all that it charged."""
    record = find(desk, user)
    chosen = undoing.to_undo(record, undo)
    if not yes:
        kept = record.subscription.id if record.subscription else None
        show_one({"cancelAndRefund": chosen, "keep": kept}, as_json=as_json)
        raise click.UsageError("money goes back at once; if that is right, add --yes")
    news = News(desk, record.tenant_id)
    undoing.undo(desk, record, chosen)
    see_through(desk, news, timeout, as_json=as_json)
