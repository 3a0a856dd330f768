"""`ops tenants`, `ops timeline`, `ops stats`: looking."""

from typing import get_args

import click

from chalicelib.domain import money
from chalicelib.domain.decision import Status
from ops.commands.common import operates, say, show_json, show_one, show_rows
from ops.desk import Desk
from ops.operating.finding import find, find_all
from ops.operating.problems import problems as problems_of
from ops.operating.revenue import monthly
from ops.operating.standing import detail, summary
from ops.operating.statistics import statistics
from ops.operating.words import in_order, moment, said, sentence


@click.group()
def tenants() -> None:
    """Who there is, and how they stand."""


@tenants.command("list")
@click.option("--status", type=click.Choice(get_args(Status)), help="Only these.")
@click.option("--pending", is_flag=True, help="Only those that wait for something.")
@click.option("--failed", is_flag=True, help="Only those that failed for good.")
@click.option("--held", is_flag=True, help="Only those that an operator holds.")
@click.option("--problems", is_flag=True, help="Only those that a person must see, and why.")
@operates
def list_all(  # noqa: PLR0913 - one for each option
    desk: Desk,
    status: str | None,
    *,
    pending: bool,
    failed: bool,
    held: bool,
    problems: bool,
    as_json: bool,
) -> None:
    """All tenants, or some. Reads the whole table, and asks nobody else."""
    rows = []
    for record in desk.records.all():
        told = problems_of(record, desk.now) if problems else []
        if (
            (not pending or record.pending)
            and (not failed or (record.failure and record.failure.permanent))
            and (not held or record.hold)
            and (not problems or told)
        ):
            more = {"problems": told} if problems else {}
            rows.append({**summary(desk, record), **more})
    shown = [row for row in rows if status in {None, row["status"]}]
    show_rows(shown, as_json=as_json, nothing="nobody")


@tenants.command()
@click.argument("user")
@operates
def show(desk: Desk, user: str, *, as_json: bool) -> None:
    """One customer: what they pay, what they have, what is wrong.

    USER is an e-mail address, a tenant id or namespace, a Stripe customer or subscription. An
    address that has had several accounts shows all of them; as JSON they are a list then.
    """
    found = [detail(desk, record) for record in find_all(desk, user)]
    if as_json:
        show_json(found if len(found) > 1 else found[0])
        return
    for number, one in enumerate(found):
        if number:
            say("")
        show_one(one, as_json=False)


@click.command()
@click.argument("user")
@operates
def timeline(desk: Desk, user: str, *, as_json: bool) -> None:
    """Everything that happened to one customer, in order, in words."""
    record = find(desk, user)
    lines = in_order(desk.ledger.lines(record.tenant_id))
    if as_json:
        show_json(
            [
                {"at": moment(e.created), "by": e.kind, "what": said(e), "id": e.id, "text": e.text}
                for e in lines
            ]
        )
        return
    for entry in lines:
        say(sentence(entry))
    say("")
    show_one(summary(desk, record), as_json=False)


@click.command()
@operates
def stats(desk: Desk, *, as_json: bool) -> None:
    """Customers by status and plan, monthly revenue, and how long they waited."""
    catalogue, stage = desk.catalogue, desk.stage
    products = {catalogue.product_id(stage, plan) for plan in catalogue.paid_plans}
    revenue = monthly(desk.billing.active_subscriptions(), products)
    found = statistics(desk.records.all(), desk.now, catalogue, stage, revenue).as_json()
    if as_json:
        show_json(found)
        return
    wait = found.pop("pay_to_ready")
    revenue, currency = found.pop("monthly_revenue"), found.pop("currency")
    found["monthly revenue"] = f"{money.plain(revenue, currency)} {currency.upper()}"
    if missing := found.pop("revenue_not_reckoned"):
        found["monthly revenue"] += f", without {missing} items whose price has tiers or is metered"
    if wait["customers"]:
        found["pay to ready"] = f"median {wait['median']} s, p99 {wait['p99']} s"
    show_one(found, as_json=False)
