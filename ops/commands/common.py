"""What the commands share: the stage they are about, and how they speak."""

import functools
import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import click
from rich.console import Console
from rich.table import Table

from chalicelib import correlation, wiring
from chalicelib.domain.texts import visible
from ops import desk as desks
from ops import stages
from ops.deploying.step import Shop

LAID_OUT = "\n\t"
"""What we lay out our own texts with."""

WIDE = 200
"""Columns where there is no terminal: nothing is folded that a program may read."""

console = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else WIDE)

stage_option: Callable[[Any], Any] = click.option(
    "--stage", envvar="STAGE", default="dev", show_default=True, help="As in infra/stages.toml."
)

sandbox_option: Callable[[Any], Any] = click.option(
    "--sandbox",
    envvar="OPS_SANDBOX",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A sandbox's ready file: work on that, not on a stage.",
)
json_option: Callable[[Any], Any] = click.option(
    "--json", "as_json", is_flag=True, help="For programs."
)


def operates(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command a desk (`desk`), at a stage or at a sandbox, and `as_json`."""

    @functools.wraps(command)
    def wrapped(stage: str, sandbox: Path | None, **rest: Any) -> Any:  # noqa: ANN401 - click's
        # Lines and messages that this causes can be told from a customer's own.
        with correlation.about(request_id=f"ops-{uuid4().hex[:12]}"):
            return command(desk=_desk(stage, sandbox), **rest)

    with_options: Callable[..., Any] = stage_option(sandbox_option(json_option(wrapped)))
    return with_options


def deploys(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command a shop (`shop`), of a stage or of a sandbox, and `as_json`."""

    @functools.wraps(command)
    def wrapped(stage: str, sandbox: Path | None, **rest: Any) -> Any:  # noqa: ANN401 - click's
        shop = shop_of_sandbox(desks.at_sandbox(sandbox)) if sandbox else shop_of(stage)
        return command(shop=shop, **rest)

    with_options: Callable[..., Any] = stage_option(sandbox_option(json_option(wrapped)))
    return with_options


def _desk(stage: str, sandbox: Path | None) -> desks.Desk:
    return desks.at_sandbox(sandbox) if sandbox else desks.at_stage(stages.load(stage))


def shop_of(stage: str) -> Shop:
    """A stage, in its own region, with the credentials that the environment names.

    Raises:
        Misconfigured: there is no such stage, or the environment names another region.
    """
    return _shop(stages.load(stage))


def shop_of_sandbox(desk: desks.Desk) -> Shop:
    """A sandbox, whose stage is dev's but for its name: in test mode it has one of its own."""
    return _shop(replace(stages.load("dev"), name=desk.stage))


def _shop(found: stages.Stage) -> Shop:
    env = dict(os.environ)
    session = boto3.Session(region_name=stages.region_of(found, env))
    if session.region_name:
        env["AWS_DEFAULT_REGION"] = session.region_name  # of the two names, the one Chalice reads
    return Shop(
        stage=found,
        catalogue=wiring.catalogue(),
        session=session,
        root=stages.ROOT,
        env=env,
        stripe_base=os.environ.get("STRIPE_API_BASE") or None,
    )


def title(text: str) -> None:
    """A step begins."""
    console.print(f"[bold]{text}")


def say(text: str) -> None:
    """A line of progress. What customers and Stripe call things reaches no terminal's controls."""
    console.print(f"  {visible(text, keep=LAID_OUT)}", markup=False)


def as_text(value: object) -> str:
    """A value in a cell: nothing for None, yes or no, lists with commas."""
    if value is None or value == []:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(as_text, value))
    if isinstance(value, Mapping):
        said = ((name, as_text(inner)) for name, inner in value.items())
        return ", ".join(f"{name} {text}" for name, text in said if text)
    return visible(str(value))


def show_rows(rows: Iterable[Mapping[str, Any]], *, as_json: bool, nothing: str) -> None:
    """Several of a kind: a table whose columns are the keys, or a JSON array."""
    found = list(rows)
    if as_json:
        show_json(found)
    elif not found:
        say(nothing)
    else:
        table = Table(box=None, padding=(0, 1))
        for name in found[0]:
            table.add_column(_words(name), overflow="fold")
        for row in found:
            table.add_row(*(as_text(value) for value in row.values()))
        console.print(table, markup=False)


def show_one(thing: Mapping[str, Any], *, as_json: bool) -> None:
    """One thing: a line for each key that says something, or a JSON object."""
    if as_json:
        show_json(thing)
        return
    width = max(map(len, map(_words, thing)), default=0)
    for name, value in thing.items():
        if text := as_text(value):
            say(f"{_words(name):<{width}}  {text}")


def show_json(value: object) -> None:
    """For programs."""
    click.echo(json_text(value))


def json_text(value: object) -> str:
    """As JSON; what has no form there (Stripe's decimals) as a text."""
    return visible(json.dumps(value, indent=2, ensure_ascii=False, default=str), keep="\n")


def _words(name: str) -> str:
    """`whatTheCustomerReads` as `what the customer reads`."""
    return "".join(f" {c.lower()}" if c.isupper() else c for c in name).replace("_", " ").strip()
