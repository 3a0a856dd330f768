"""The one screen that a person at the terminal reads."""

from collections.abc import Iterator, Mapping

from rich.console import Console
from rich.table import Table

from chalicelib.domain.catalogue import Product

LABEL = 20
"""Columns; what follows is never wrapped, so that a command can be copied whole."""


def show(console: Console, product: Product, ready: Mapping[str, object]) -> None:
    """Where to go, what to pay with, what runs where."""
    real = bool(ready.get("testMode"))
    where = "all of it on this machine"
    if real:
        where += " but Stripe: that is the real one, in test mode"
    console.print(f"\n[bold]{product.name}[/] is up, {where}.\n", soft_wrap=True)
    for label, text in _steps(ready):
        console.print(f"  {label:{LABEL}}{text}", soft_wrap=True, highlight=False)
    table = Table(title="What runs where", title_justify="left", box=None, padding=(0, 2, 0, 0))
    for heading in ("in place of", "here", "what it is"):
        table.add_column(heading)
    for instead, part, what in (
        ("S3 + CloudFront", "site", "static_site/, /api passed on"),
        ("API Gateway + Lambda", "api", "the real app.py"),
        ("SQS + schedules", "worker", "the real handlers, real events"),
        ("DynamoDB SQS Cognito", "aws", "moto, put right"),
        ("Stripe", "stripe", "API, pages, webhooks, a clock"),
        ("Kubernetes", "kubernetes", "server-side apply; kubectl works"),
    ):
        table.add_row(instead, f"[cyan]{ready[part]}[/]", what)
    console.print()
    console.print(table)
    console.print(f"\nLogs: {ready['logs']}/*.log", soft_wrap=True, highlight=False)
    console.print("Ctrl-C ends everything and forgets it.\n")


def product_prefix(ready: Mapping[str, object]) -> str:
    """What the names at Stripe begin with: the deployment's name, and the table's."""
    return f"{ready['table']}-"


def _steps(ready: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    site, stripe = ready["site"], str(ready["stripe"])
    yield "Buy a plan", f"[bold cyan]{site}/pricing[/]"
    yield "Read your mail", f"[cyan]{site}/sandbox/[/]  (the codes that would be mailed)"
    yield "Pay with", "[bold]4242 4242 4242 4242[/], any future date, any CVC"
    yield "", "4000 0000 0000 0002 is declined, 4000 0000 0000 0341 fails when it renews"
    yield "", "4000 0025 0000 3155 asks to be confirmed, 4000 0000 0000 1976 is inquired about"
    yield "See the tenant", f"kubectl --kubeconfig {ready['kubeconfig']} get ns"
    if ready.get("testMode"):
        yield "At Stripe", f"products and prices {product_prefix(ready)}…; customers on test clocks"
        post = f"curl -d '{{\"seconds\": 2678400}}' {ready['worker']}/advance"
        yield "Let a month pass", post
        if not ready["webhookSecret"]:
            yield (
                "Events",
                "none are delivered: what happens is seen by looking (docs/going-live.md)",
            )
    elif "127.0.0.1" in stripe:
        post = f"curl -H 'content-type: application/json' {stripe}/sandbox"
        yield "Let a month pass", f"{post}/clock -d '{{\"advance\": 2678400}}'"
        yield "Let grace pass", f"{post}/clock -d '{{\"advance\": 604800}}'  (after …0341 failed)"
        yield "Lose every webhook", f"{post}/faults -d '{{\"drop\": 1}}'"
