"""Calls to the outside for each operation, counted where they arrive."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import stripe
import urllib3
from chalice.local import LambdaContext

import app
from bench.outside import WEBHOOK_SECRET, Outside, outside, settings
from bench.row import Row
from bench.shoppers import Shopper, pay
from chalicelib import wiring
from chalicelib.domain import tenant
from chalicelib.entrypoints import logs, worker

UNIT = "calls"
HOW = (
    "counted by the stand-ins, in a warm container (the queue's address is asked for once in its "
    "life, and a price's id once)"
)


@dataclass(frozen=True, slots=True)
class Counts:
    """What one operation asked of AWS (by operation), of Stripe and of the cluster."""

    aws: Mapping[str, int]
    stripe: int
    cluster: int

    def __str__(self) -> str:
        """As the table shows it."""
        named = (
            (sum(self.aws.values()), "AWS"),
            (self.stripe, "Stripe"),
            (self.cluster, "cluster"),
        )
        return " + ".join(f"{n} {name}" for n, name in named if n) or "none"


def rows() -> Iterable[Row]:
    """Webhook, nothing pending, steady renewal, new tenant."""
    found = counted()
    objects = found["objects"].cluster
    goals: dict[str, tuple[str, bool]] = {
        "webhook": ("2", str(found["webhook"]) == "2 AWS"),
        "nothing pending": ("1", str(found["nothing pending"]) == "1 AWS"),
        "steady renewal's reconcile": (
            "2 AWS + 1 Stripe",
            str(found["steady renewal's reconcile"]) == "2 AWS + 1 Stripe",
        ),
        "new tenant, in the cluster": (
            f"objects + 1 = {objects + 1}",
            found["new tenant, in the cluster"].cluster == objects + 1,
        ),
    }
    for name, (goal, met) in goals.items():
        ours = str(found[name])
        yield Row(f"calls: {name}", goal, "", ours, f"= {goal}", UNIT, HOW, met)


def counted() -> dict[str, Counts]:
    """Each operation once, warm; `objects` has the number of a tenant's objects as its cluster."""
    logs.logger.setLevel("CRITICAL")
    with outside() as there, settings(there.env):
        stripe.ca_bundle_path = there.env["STRIPE_CA_BUNDLE"]
        found = _life(there)
        catalogue = wiring.catalogue()
        made = tenant.objects(catalogue, "0" * 16, catalogue.paid_plans[0], suspended=False)
    return found | {"objects": Counts({}, 0, len(made))}


def _life(there: Outside) -> dict[str, Counts]:
    """One customer warms everything up, the next is counted."""
    found: dict[str, Counts] = {}
    for _ in range(2):
        shopper = Shopper(there.env, there.aws)

        def api(event: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON
            answer = app.app(event, None)
            if answer["statusCode"] != 200:  # noqa: PLR2004 - HTTP's own word for it
                raise RuntimeError(f"{answer}")
            return json.loads(answer["body"])

        def work(who: Shopper = shopper) -> None:
            worker.on_tenant_message(who.message(), LambdaContext("worker", 512))

        def webhook(who: Shopper = shopper) -> None:
            api(who.webhook(WEBHOOK_SECRET))

        session: dict[str, Any] = {}

        def checkout(who: Shopper = shopper, into: dict[str, Any] = session) -> None:
            into.update(api(who.asks_for_checkout()))

        found["checkout session"] = _count(there, checkout)
        pay(session["checkoutUrl"])
        found["new tenant, in the cluster"] = _count(there, work)
        found["nothing pending"] = _count(there, work)
        found["webhook"] = _count(there, webhook)
        found["steady renewal's reconcile"] = _count(there, work)
    return found


def _count(there: Outside, act: Callable[[], None]) -> Counts:
    before, asked, _ = _seen(there)
    act()
    after, asked_then, cluster = _seen(there)
    return Counts(dict(after - before), asked_then - asked, cluster)


def _seen(there: Outside) -> tuple[Counter[str], int, int]:
    """AWS's counts so far, Stripe's, and the cluster's since the last look."""
    aws = urllib3.request("GET", f"{there.aws}/sandbox/requests").json()
    names = Counter({f"{s}.{n}": c for s, counts in aws.items() for n, c in counts.items()})
    with urllib3.PoolManager(ca_certs=there.env["KUBE_CA"]) as http:
        url = f"{there.env['KUBE_SERVER']}/sandbox/requests"
        cluster = len(http.request("GET", url).json())
        http.request("DELETE", url)
    return names, len(there.stripe_requests), cluster
