"""`ops sync`, `replay`, `suspend`, `resume`, `customer-gone`, `rollout`: putting right."""

import sys
from dataclasses import asdict

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from ops.commands.common import console, operates, say, show_json, show_one
from ops.desk import Desk
from ops.operating import acting, customers, rollout
from ops.operating.finding import find
from ops.operating.following import News, follow
from ops.operating.standing import summary

ENDED_BADLY = 1
PATIENCE = click.option(
    "--timeout", default=120.0, show_default=True, help="Seconds to look on before giving up."
)
REASON = click.option("--reason", required=True, help="Stands in the timeline.")


@click.command()
@click.argument("user")
@PATIENCE
@operates
def sync(desk: Desk, user: str, timeout: float, *, as_json: bool) -> None:
    """Ask for a look at one customer, and follow it to its end; exit code 1 if that is a bad one.

    Also how a tenant that failed for good is tried again.
    """
    record = find(desk, user)
    news = News(desk, record.tenant_id)
    acting.nudge(desk, record.tenant_id, "asked for a look")
    see_through(desk, news, timeout, as_json=as_json)


@click.command()
@click.argument("event")
@operates
def replay(desk: Desk, event: str, *, as_json: bool) -> None:
    """Take one of Stripe's events (evt_…) again, as if it had just been delivered."""
    done = acting.replay(desk, event)
    show_one(asdict(done), as_json=as_json)
    sys.exit(0 if done.tenant_id or done.outcome == "kept" else ENDED_BADLY)


@click.command()
@click.argument("user")
@REASON
@PATIENCE
@operates
def suspend(desk: Desk, user: str, reason: str, timeout: float, *, as_json: bool) -> None:
    """Stop what a tenant runs, whatever it pays, until `resume`; its data stay."""
    record = find(desk, user)
    news = News(desk, record.tenant_id)
    acting.suspend(desk, record, reason)
    see_through(desk, news, timeout, as_json=as_json)


@click.command()
@click.argument("user")
@REASON
@PATIENCE
@operates
def resume(desk: Desk, user: str, reason: str, timeout: float, *, as_json: bool) -> None:
    """Lift what `suspend` did; what the tenant should be is up to what it pays again."""
    record = find(desk, user)
    news = News(desk, record.tenant_id)
    acting.resume(desk, record, reason)
    see_through(desk, news, timeout, as_json=as_json)


@click.command("customer-gone")
@click.argument("user")
@REASON
@PATIENCE
@operates
def customer_gone(desk: Desk, user: str, reason: str, timeout: float, *, as_json: bool) -> None:
    """Say that Stripe does not have a customer any more: what they paid for ends, data are kept.

    For one that Stripe has never heard of, which may be a key of another account: look first.
    """
    record = find(desk, user)
    news = News(desk, record.tenant_id)
    customers.gone(desk, record, reason)
    see_through(desk, news, timeout, as_json=as_json)


def see_through(desk: Desk, news: News, timeout: float, *, as_json: bool) -> None:
    """Tell what comes of an act, and end with the exit code that fits."""
    tell = (lambda _: None) if as_json else say
    followed = follow(desk, news.tenant_id, timeout, tell, news)
    tenant = summary(desk, followed.record) if followed.record else None
    if as_json:
        show_json({"end": followed.end, "reason": followed.reason, "tenant": tenant})
    else:
        say(f"{followed.end}{f': {followed.reason}' if followed.reason else ''}\n")
        show_one(tenant or {}, as_json=False)
    sys.exit(0 if followed.end == "done" else ENDED_BADLY)


@click.command("rollout")
@click.option(
    "--rate",
    default=2.0,
    show_default=True,
    type=click.FloatRange(min=0.01),
    help="Tenants a second at most.",
)
@click.option("--max-failures", default=3, show_default=True, help="With one more it stops.")
@click.option("--dry-run", is_flag=True, help="Only say how many it is about.")
@PATIENCE
@operates
def roll_out(  # noqa: PLR0913 - one for each option
    desk: Desk,
    rate: float,
    max_failures: int,
    timeout: float,
    *,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Bring a changed catalogue to every tenant; deploy it first.

    Ctrl-C stops it. Run again, it goes on: who has what the catalogue says now is left alone.
    """
    todo = rollout.tenants(desk)
    if dry_run or not todo:
        show_one({"toDo": len(todo), "nudged": 0, "done": 0, "failed": []}, as_json=as_json)
        return
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        disable=as_json,
    )
    with bar:
        task = bar.add_task("rollout", total=len(todo))
        try:
            done = rollout.roll_out(
                desk,
                todo,
                per_second=rate,
                most_failures=max_failures,
                patience=timeout,
                tell=lambda p: bar.update(task, completed=p.done + len(p.failed)),
            )
        except KeyboardInterrupt:
            bar.stop()
            say("stopped; the same command goes on where it was")
            sys.exit(ENDED_BADLY)
    names = {"toDo": done.to_do, "nudged": done.nudged, "done": done.done}
    show_one({**names, "failed": done.failed, "underWay": done.under_way}, as_json=as_json)
    sys.exit(0 if done.done == done.to_do else ENDED_BADLY)
