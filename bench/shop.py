"""The running sandbox, as a customer and as Stripe see it: seconds of waiting."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles
from typing import Any
from urllib.parse import urlencode

import stripe
import urllib3

from bench.row import Row
from bench.shoppers import PASSWORD, claims_of, event_of, pay
from chalicelib.domain.record import tenant_id_of

ROOT = Path(__file__).parents[1]
CUSTOMERS = 40
EVENTS = 20
BURSTS = 5
PATIENCE = 30


def rows() -> Iterable[Row]:
    """Pay and be ready; a checkout session; a burst of events."""
    with _sandbox() as ready:
        customers = [_Customer(ready, n) for n in range(CUSTOMERS)]
        asked, waited = [], []
        for customer in customers:
            asked.append(customer.checkout())
            waited.append(customer.pays_until_ready())
        yield _pay_to_ready(waited)
        yield _checkout(asked, _stand_in_takes(ready))
        yield _burst([_reconciles_of_a_burst(ready, customer) for customer in customers[:BURSTS]])


def _pay_to_ready(waited: list[float]) -> Row:
    middle, late = median(waited), quantiles(waited, n=100)[98]
    return Row(
        what="pay to ready, in the sandbox",
        floor="",
        others="5 to 30 s, as such shops say of themselves",
        ours=f"median {middle:.2f}, p99 {late:.2f}",
        goal="median < 0.5, p99 < 1.5",
        unit="s from Stripe's page to a namespace that is ready",
        how=f"{CUSTOMERS} customers in turn: the card is sent, then the status is asked "
        "for every 10 ms, as fast as a dashboard could know",
        met=middle < 0.5 and late < 1.5,  # noqa: PLR2004 - the goal
    )


def _checkout(asked: list[float], theirs: float) -> Row:
    middle = (median(asked) - theirs) * 1000
    return Row(
        what="checkout session, request to answer, warm",
        floor="",
        others="500 to 28000 reported of a comparable extension",
        ours=f"{middle:.0f}",
        goal="< 100",
        unit="ms, without Stripe's own time",
        how=f"median of {CUSTOMERS} first sessions, each of a new customer (so that the Stripe "
        "customer is made, too), through the site; without what the same two calls take at the "
        f"stand-in, {theirs * 1000:.0f} ms",
        met=middle < 100,  # noqa: PLR2004 - the goal
    )


def _stand_in_takes(ready: dict[str, Any]) -> float:
    """Seconds that a customer and a session take at Stripe's stand-in, by themselves."""
    took = []
    http = urllib3.PoolManager()

    def post(path: str, form: dict[str, str]) -> Any:  # noqa: ANN401 - JSON
        headers = {
            "Authorization": f"Bearer {ready['stripeKey']}",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        url, body = f"{ready['stripe']}/v1/{path}", urlencode(form)
        answer = http.request("POST", url, body=body, headers=headers)
        if answer.status != 200:  # noqa: PLR2004 - HTTP's own word for it
            sys.exit(f"bench: {path}: {answer.data.decode()}")
        return answer.json()

    price = http.request(
        "GET", f"{ready['stripe']}/v1/prices?active=true",
        headers={"Authorization": f"Bearer {ready['stripeKey']}"},
    ).json()["data"][0]["id"]  # fmt: skip
    for _ in range(CUSTOMERS):
        begun = time.monotonic()
        customer = post("customers", {"email": "bench@example.com"})["id"]
        form = {
            "mode": "subscription", "customer": customer, "line_items[0][price]": price,
            "line_items[0][quantity]": "1", "success_url": "https://s.example/?s={CHECKOUT_SESSION_ID}",
            "cancel_url": "https://s.example/",
        }  # fmt: skip
        post("checkout/sessions", form)
        took.append(time.monotonic() - begun)
    return median(took)


def _burst(made: list[int]) -> Row:
    middle = int(median(made))
    return Row(
        what=f"a burst of {EVENTS} events of one customer",
        floor="1",
        others=f"{EVENTS}, one for each",
        ours=f"{middle} (at most {max(made)})",
        goal="≤ 3",
        unit="reconciles that did work",
        how=f"{EVENTS} signed events at once to the API, counted in the worker's log; median of "
        f"{len(made)} customers",
        met=0 < middle <= 3,  # noqa: PLR2004 - the goal
    )


def _reconciles_of_a_burst(ready: dict[str, Any], customer: "_Customer") -> int:
    before = _reconciles(ready, customer.tenant_id)
    payloads = [json.dumps(event_of(customer.tenant_id)) for _ in range(EVENTS)]
    with ThreadPoolExecutor(EVENTS) as pool:
        statuses = list(pool.map(lambda p: _deliver(ready, p), payloads))
    if set(statuses) != {200}:
        sys.exit(f"bench: not every event was taken: {statuses}")
    until, seen = time.monotonic() + PATIENCE, -1
    while time.monotonic() < until and seen != (now := _reconciles(ready, customer.tenant_id)):
        seen = now
        time.sleep(2)  # longer than a reconcile: a count that stands still so long is the last
    return seen - before


def _deliver(ready: dict[str, Any], payload: str) -> int:
    signature = stripe.WebhookSignature.generate_signature_header(payload, ready["webhookSecret"])
    headers = {"Stripe-Signature": signature, "Content-Type": "application/json"}
    url = f"{ready['api']}/api/payments/webhook"
    return urllib3.request("POST", url, body=payload, headers=headers).status


def _reconciles(ready: dict[str, Any], tenant_id: str) -> int:
    """How often the worker found something to do for a tenant, by its log."""
    lines = Path(ready["logs"], "worker.log").read_text("utf-8").splitlines()
    found = [json.loads(line) for line in lines if '"reconcile"' in line and tenant_id in line]
    return sum(line["outcome"] != "nothing pending" for line in found)


class _Customer:
    """Somebody signed in, who does what the pages do, and looks at the clock."""

    def __init__(self, ready: dict[str, Any], number: int) -> None:
        self._site = ready["site"]
        self._http = urllib3.PoolManager()
        self._headers: dict[str, str] = {}
        self._url = ""
        email = f"bench-{number}@example.com"
        account = {"email": email, "password": PASSWORD}
        self._ask("POST", "/api/auth/signup", account)
        mail = self._http.request("GET", f"{self._site}/sandbox/mail?to={email}").json()
        self._ask("POST", "/api/auth/confirm", {"email": email, "code": mail[0]["code"]})
        token = self._ask("POST", "/api/auth/login", account)["token"]
        self._headers = {"Authorization": f"Bearer {token}"}
        claims = claims_of(token)
        self.tenant_id = tenant_id_of(claims["iss"], claims["sub"])

    def checkout(self) -> float:
        """Press the button; seconds until the answer."""
        begun = time.monotonic()
        body = {"planId": "basic"}
        answer = self._ask("POST", "/api/subscriptions/create-checkout-session", body)
        took = time.monotonic() - begun
        self._url = answer["checkoutUrl"]
        return took

    def pays_until_ready(self) -> float:
        """Send the card; seconds until the tenant is ready."""
        begun = time.monotonic()
        pay(self._url)
        while self._ask("GET", "/api/subscriptions/status")["tenant"]["state"] != "ready":
            if time.monotonic() - begun > PATIENCE:
                sys.exit(f"bench: not ready within {PATIENCE} s")
            time.sleep(0.01)  # the status is all that a customer can ask; this is its grain
        return time.monotonic() - begun

    def _ask(self, method: str, path: str, body: dict[str, str] | None = None) -> Any:  # noqa: ANN401 - JSON
        answer = self._http.request(
            method, self._site + path, json=body, headers=self._headers, timeout=35
        )
        if answer.status >= 400:  # noqa: PLR2004 - HTTP's own line
            sys.exit(f"bench: {method} {path}: {answer.status} {answer.data.decode()}")
        return answer.json() if answer.data else None


@contextmanager
def _sandbox() -> Iterator[dict[str, Any]]:
    """`python -m sandbox`, and what its ready file says."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "ready.json")
        command = [sys.executable, "-m", "sandbox", "--port", "0", "--ready-file", str(file)]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)  # noqa: S603 - our own
        try:
            until = time.monotonic() + 3 * PATIENCE
            while not file.exists():
                if process.poll() is not None or time.monotonic() > until:
                    sys.exit("bench: the sandbox does not come up")
                time.sleep(0.05)  # the file appears when everything answers
            yield json.loads(file.read_text("utf-8"))
        finally:
            process.terminate()
            process.wait(15)
