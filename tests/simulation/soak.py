"""`python -m tests.simulation.soak --minutes 10`: the same over the real processes.

Many customers live their lives in the running sandbox, while its parts fail, lose what they send
and are killed. In the end nothing disturbs it any more, and Stripe, table and cluster have to say
the same of everybody.
"""

import argparse
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests
import stripe

from tests.journeys.conftest import await_ready, start, stop
from tests.journeys.shop import PAYS, Customer, Sandbox
from tests.simulation.compared import Compared

if TYPE_CHECKING:
    from collections.abc import Callable

LIVES = 5
"""Customers at a time."""

REPORT = Path(__file__).parents[2] / "bench" / "soak.md"
"""Where the figures of a long soak go; `make bench` puts them below its own."""

LONG = 10
"""Minutes from which on they are worth keeping."""

FAILS_LATER = "4000000000000341"
PATIENCE = 300
"""Seconds until everything has to be at rest: a killed worker's message is away for 60."""


class Soak:
    """One soak: who lives, what goes wrong, and how often each was done."""

    def __init__(self, sandbox: Sandbox, seed: int) -> None:
        self._sandbox = sandbox
        self._seed = seed
        self._over = threading.Event()
        self._unexpected: list[str] = []
        self.done: Counter[str] = Counter()
        self.compared = Compared(sandbox.ready)

    def run(self, seconds: float) -> None:
        """Let them live for a while."""
        threads = [
            threading.Thread(target=self._live, args=(random.Random(f"{self._seed} {n}"),))  # noqa: S311
            for n in range(LIVES)
        ]
        threads.append(threading.Thread(target=self._trouble))
        for thread in threads:
            thread.start()
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            time.sleep(min(left, 10))
            lives, killed = self.done["lives"], self.done["killed"]
            sys.stderr.write(f"{left / 60:5.1f} min left, {lives} lives, {killed} parts killed\n")
        self._over.set()
        for thread in threads:
            thread.join(60)
        self._heal()

    def differences(self) -> list[str]:
        """What is wrong once everything is at rest."""
        until = time.monotonic() + PATIENCE
        while (self.compared.owed() or self.compared.pending()) and time.monotonic() < until:
            time.sleep(1)
        waiting = [f"{event} was never delivered" for event in self.compared.owed()]
        waiting += [f"{tenant_id} still waits for a look" for tenant_id in self.compared.pending()]
        different = [*self.compared.differences(), *self.compared.audit()]
        return [*self._unexpected, *waiting, *different]

    def _live(self, luck: random.Random) -> None:
        while not self._over.is_set():
            try:
                self._one_life(luck)
                self.done["lives"] += 1
            except (AssertionError, requests.RequestException, stripe.StripeError, ValueError):
                self.done["lives cut short"] += 1  # by an outage: what was begun stays to be judged
                time.sleep(0.5)

    def _one_life(self, luck: random.Random) -> None:
        customer = Customer(self._sandbox).sign_in()
        for _ in range(luck.randint(1, 6)):
            if self._over.is_set():
                return
            act = luck.choice(
                (self._buy, self._buy, self._click_twice, self._free, self._cancel, self._switch,
                 self._pause, self._watch, self._card_fails)
            )  # fmt: skip
            act(customer, luck)
            self.done[act.__name__.strip("_").replace("_", " ")] += 1
            time.sleep(luck.choice((0.0, 0.1, 1.0, 3.0)))

    def _buy(self, customer: Customer, luck: random.Random, card: str = PAYS) -> None:
        answer = customer.checkout(luck.choice(("basic", "pro")))
        if answer.status_code == 200:
            customer.pay(answer.json()["checkoutUrl"], card)
        self._judge(answer)

    def _card_fails(self, customer: Customer, luck: random.Random) -> None:
        self._buy(customer, luck, FAILS_LATER)

    def _click_twice(self, customer: Customer, luck: random.Random) -> None:
        answers: list[Any] = []
        clicks = [
            threading.Thread(target=lambda: answers.append(customer.checkout("basic")))
            for _ in range(2)
        ]
        for click in clicks:
            click.start()
        for click in clicks:
            click.join()
        for answer in answers:
            self._judge(answer)
            if answer.status_code == 200 and luck.random() < 0.5:
                customer.pay(answer.json()["checkoutUrl"])

    def _free(self, customer: Customer, luck: random.Random) -> None:
        what = luck.choice(("start", "start", "stop"))
        self._judge(customer.call("POST", f"/api/subscriptions/{what}-free"))

    def _watch(self, customer: Customer, _: random.Random) -> None:
        for _ in range(5):
            self._judge(customer.call("GET", "/api/subscriptions/status"))
            time.sleep(0.2)

    def _judge(self, answer: requests.Response) -> None:
        if answer.status_code == 500:
            self._unexpected.append(f"{answer.request.path_url} answered 500: {answer.text[:200]}")

    def _mine(self, customer: Customer) -> Any:
        namespace = customer.status()["tenant"]["namespace"] or ""
        for found in self.compared.stripe.subscriptions.list({"limit": 100}).auto_paging_iter():
            if namespace.endswith(found.metadata.to_dict()["tenant_id"]) and namespace:
                return found
        return None

    def _cancel(self, customer: Customer, luck: random.Random) -> None:
        mine = self._mine(customer)
        if mine is None:
            return
        if luck.random() < 0.5:
            self.compared.stripe.subscriptions.cancel(mine.id)
        else:
            self.compared.stripe.subscriptions.update(mine.id, {"cancel_at_period_end": True})

    def _switch(self, customer: Customer, luck: random.Random) -> None:
        mine = self._mine(customer)
        if mine is not None:
            key = f"arm-engine-dev-{luck.choice(('basic', 'pro'))}-month"
            price = self.compared.stripe.prices.list({"lookup_keys": [key]}).data[0].id
            item = {"id": mine["items"].data[0].id, "price": price}
            self.compared.stripe.subscriptions.update(mine.id, {"items": [item]})  # type: ignore[list-item]

    def _pause(self, customer: Customer, luck: random.Random) -> None:
        mine = self._mine(customer)
        if mine is not None:
            paused: Any = luck.choice(("", {"behavior": "void"}))
            self.compared.stripe.subscriptions.update(mine.id, {"pause_collection": paused})

    def _trouble(self) -> None:
        luck = random.Random(f"{self._seed} trouble")  # noqa: S311
        troubles: tuple[Callable[[random.Random], None], ...] = (
            lambda r: self._faults("stripe", outage=r.choice((1, 5, 15))),
            lambda r: self._faults("aws", outage=r.choice((1, 3, 8))),
            lambda _: self._faults("aws", transaction_conflicts=0.3),
            lambda r: self._faults("kubernetes", outage=r.choice((1, 5, 20))),
            lambda _: self._faults("stripe", drop=0.3, duplicate=0.3, shuffle=True, delay=0.5),
            lambda _: self._heal(),
            lambda r: self._kill(r.choice(("api", "worker"))),
            lambda r: self._kill(r.choice(("api", "worker"))),
            lambda r: self._time_passes(r.choice((3600, 86_400, 8 * 86_400, 31 * 86_400))),
        )
        while not self._over.wait(luck.uniform(1, 8)):
            try:
                luck.choice(troubles)(luck)
            except (requests.RequestException, AssertionError, OSError):
                self.done["trouble that did not come about"] += 1

    def _faults(self, part: str, **faults: float) -> None:
        self._sandbox.faults(part, **faults)
        self.done[f"faults at {part}"] += 1

    def _kill(self, part: str) -> None:
        os.kill(self._sandbox.ready["pids"][part], signal.SIGKILL)
        self.done["killed"] += 1

    def _time_passes(self, seconds: int) -> None:
        self._sandbox.ask("POST", "stripe", "/sandbox/clock", json={"advance": seconds})
        self.done["clock advanced"] += 1

    def _heal(self) -> None:
        calm = {"drop": 0, "duplicate": 0, "shuffle": False, "delay": 0, "outage": 0}
        self._sandbox.faults("stripe", **calm)
        self._sandbox.faults("aws", transaction_conflicts=0, outage=0)
        self._sandbox.faults("kubernetes", outage=0)


def report(soak: Soak, found: list[str], minutes: float) -> str:
    """Figures that can stand in bench/README.md."""
    did = ", ".join(f"{what} {n}" for what, n in soak.done.most_common())
    return (
        f"## Soaked\n\nBy `make soak MINUTES={minutes:g}`: {len(soak.compared.records())} tenants, "
        f"{len(found)} differences between Stripe, table and cluster at the end.\n\n"
        f"What was done, how often: {did}.\n"
    )


def main() -> None:
    """Soak, and compare; exit code 1 if anything differs."""
    parser = argparse.ArgumentParser(prog="tests.simulation.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        ready = Path(folder) / "ready.json"
        process = start(ready, "--port", "0")
        try:
            await_ready(process, ready)
            soak = Soak(Sandbox(process, ready), given.seed)
            soak.run(given.minutes * 60)
            found = soak.differences()
            text = report(soak, found, given.minutes)
            print("\n".join([text, *found]))  # noqa: T201 - a program
            if given.minutes >= LONG:
                REPORT.write_text(text)
        finally:
            stop(process)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
