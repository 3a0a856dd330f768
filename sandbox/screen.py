"""The one screen that a person at the terminal reads."""

from collections.abc import Mapping

from rich.console import Console
from rich.table import Table

from chalicelib.domain.catalogue import Product


def show(console: Console, product: Product, ready: Mapping[str, object]) -> None:
    """Where to go, what to pay with, what runs where."""
    site = ready["site"]
    console.print(f"\n[bold]{product.name}[/] is up, all of it on this machine.\n")
    steps = Table.grid(padding=(0, 2))
    steps.add_row("Buy a plan", f"[bold cyan]{site}/pricing[/]")
    steps.add_row("Read your mail", f"[cyan]{site}/sandbox/[/]  (the codes that would be mailed)")
    steps.add_row("Pay with", "[bold]4242 4242 4242 4242[/], any future date, any CVC")
    steps.add_row("", "4000 0000 0000 0002 is declined, …0341 fails when it renews")
    steps.add_row("See the tenant", f"kubectl --kubeconfig {ready['kubeconfig']} get ns")
    if "127.0.0.1" in str(ready["stripe"]):
        steps.add_row(
            "A month later",
            f"curl -d '{{\"advance\": 2678400}}' -H 'content-type: application/json' "
            f"{ready['stripe']}/sandbox/clock",
        )
    console.print(steps, soft_wrap=True)
    table = Table(title="What runs where", title_justify="left", box=None, padding=(0, 2, 0, 0))
    table.add_column("in place of")
    table.add_column("here")
    table.add_column("what it is")
    for instead, part, what in (
        ("S3 + CloudFront", "site", "static_site/, with /api passed on"),
        ("API Gateway + Lambda", "api", "the real app.py under Chalice's local server"),
        ("SQS + schedules", "worker", "the real handlers, called with real events"),
        ("DynamoDB, SQS, Cognito", "aws", "moto, with what it lacks put right"),
        ("Stripe", "stripe", "a stand-in: API, hosted pages, webhooks, a clock"),
        ("Kubernetes", "kubernetes", "a stand-in: server-side apply, kubectl works"),
    ):
        table.add_row(instead, f"[cyan]{ready[part]}[/]", what)
    console.print()
    console.print(table)
    console.print(f"\nLogs: {ready['logs']}/*.log", soft_wrap=True)
    console.print("Ctrl-C ends everything and forgets it.\n")
