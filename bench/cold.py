"""Cold starts, as CPU against a hello-world Chalice app."""

import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.counting import Program, cpu_seconds, instructions
from bench.outside import WEBHOOK_SECRET, Outside, outside
from bench.row import Row
from bench.shoppers import Shopper, pay

API = "app.app"
WORKER = "chalicelib.entrypoints.worker.on_tenant_message"
ROUNDS = 9
UNIT = "times a hello-world Chalice app: CPU time / instructions"
HOW = (
    f"each program {ROUNDS} times in turn, the least CPU time of each; then once under callgrind; "
    "AWS, Stripe and the cluster are stand-ins behind TLS, in processes of their own"
)
COUNTED = ("hello", "floor", "boto", "webhook", "checkout", "worker")
"""Those that callgrind counts too; the rest would take minutes and are only there to compare."""


def rows() -> Iterable[Row]:
    """Webhook, checkout, worker."""
    with outside() as there, programs(there) as found:
        seconds = cpu_seconds(found, ROUNDS)
        counts = {name: instructions(found[name]) for name in COUNTED}

    def cell(name: str) -> str:
        ratio = f"{seconds[name] / seconds['hello']:.1f}"
        return f"{ratio} / {counts[name] / counts['hello']:.1f}" if name in counts else ratio

    def row(name: str, what: str, others: str, goal: float) -> Row:
        met = seconds[name] / seconds["hello"] <= goal
        return Row(what, cell("floor"), others, cell(name), f"≤ {goal}", UNIT, HOW, met, WHY)

    eager = f"{cell('eager')} everything at import"
    boto = f"{cell('boto')} boto3's two clients and their first calls"
    webhook = "cold start, API function, to the first answered webhook"
    yield row("webhook", webhook, f"{eager}; {boto}", 5.0)
    checkout = "cold start to the first checkout session (token check, Stripe's SDK)"
    yield row("checkout", checkout, eager, 8.5)
    worker = "cold start, worker, to the first convergence of somebody who has paid"
    yield row("worker", worker, f"{cell('typed')} the typed Kubernetes client alone", 9.0)


@contextmanager
def programs(there: Outside) -> Iterator[Mapping[str, Program]]:
    """All of them, each ready to be run again and again as if for the first time."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shopper = Shopper(there.env, there.aws)
        stripes = there.env["STRIPE_CA_BUNDLE"]

        def of(event: str, handler: str, before: Callable[[], None], *more: str) -> Program:
            return Program("event", there.env, [handler, str(folder / event), *more], before)

        def write(event: str, body: Mapping[str, Any]) -> None:
            (folder / event).write_text(json.dumps(body))

        def new_event() -> None:
            write("webhook", shopper.webhook(WEBHOOK_SECRET))

        write("checkout", shopper.asks_for_checkout())
        write("worker", shopper.message())
        checkout = of("checkout", API, shopper.forget, stripes)
        pay(json.loads(checkout.run().stdout.splitlines()[-1])["checkoutUrl"])
        paid = shopper.record()
        buyer = Shopper(there.env, there.aws)
        write("checkout", buyer.asks_for_checkout())
        yield {
            "hello": Program("hello", there.env),
            "floor": Program("floor", there.env),
            "boto": Program("boto", there.usual),
            "eager": Program("eager", there.env),
            "typed": Program("typed", there.env),
            "webhook": of("webhook", API, new_event),
            "checkout": of("checkout", API, buyer.forget, stripes),
            "worker": of("worker", WORKER, lambda: shopper.put(paid), stripes),
        }


WHY = ""
