"""Time at the real Stripe in test mode: each customer lives by a test clock of their own.

A test clock holds three customers at most, so there is one for each; its name is the deployment's,
by which all are found again and moved on together.
"""

import os
import threading
import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import stripe

from chalicelib import wiring
from chalicelib.gateways.stripe_api import StripeApi
from chalicelib.gateways.stripe_errors import call

SWITCH = "SANDBOX_TEST_CLOCKS"
"""Set in the environment of the parts that talk to the real Stripe."""

GLANCE_SECONDS = 2
PATIENCE_SECONDS = 180
"""A month of one customer usually takes Stripe less than half a minute."""


class OnTestClocks(StripeApi):
    """Stripe as the functions use it, whose new customers live by test clocks."""

    def __init__(self, secret_key: str, *, now: Callable[[], float], **more: Any) -> None:  # noqa: ANN401 - as the base has them
        super().__init__(secret_key, **more)
        self._now = now

    def _create_customer(self, params: Mapping[str, Any], idempotency_key: str) -> str:
        clock = call(
            lambda: self._client.test_helpers.test_clocks.create(
                {"frozen_time": int(self._now()), "name": self._deployment or ""}
            )
        )
        key = f"{idempotency_key}-{clock.id}"
        return super()._create_customer({**params, "test_clock": clock.id}, key)


class TestClocks:
    """All test clocks of a deployment."""

    __test__ = False

    def __init__(self, client: stripe.StripeClient, deployment: str, glance: float) -> None:
        self._clocks = client.v1.test_helpers.test_clocks
        self._deployment = deployment
        self._glance = glance

    def advance(self, seconds: int) -> int:
        """Move all on by so many seconds, and wait until Stripe is done; how many there are.

        Raises:
            TimeoutError: one of them is not ready in time.
        """
        moving = []
        for clock in self._clocks.list({"limit": 100}).auto_paging_iter():
            if clock.name == self._deployment:
                self._clocks.advance(clock.id, {"frozen_time": clock.frozen_time + seconds})
                moving.append(clock.id)
        for clock_id in moving:
            self._await(clock_id)
        return len(moving)

    def _await(self, clock_id: str) -> None:
        until = time.monotonic() + PATIENCE_SECONDS
        pause = threading.Event()
        while self._clocks.retrieve(clock_id).status != "ready":
            if time.monotonic() > until:
                raise TimeoutError(f"{clock_id} is not ready after {PATIENCE_SECONDS} s")
            pause.wait(self._glance)


def install() -> TestClocks | None:
    """Let new customers of this process live by test clocks, where the supervisor says so."""
    if not os.environ.get(SWITCH):
        return None
    settings = wiring.settings()
    key, base = wiring.stripe_secret_key(), settings.stripe_api_base

    @cache
    def payments() -> OnTestClocks:
        return OnTestClocks(
            key, now=wiring.clock(), api_base=base, deployment=wiring.deployment()
        )  # fmt: skip

    wiring.payments = payments
    client = stripe.StripeClient(key, base_addresses={"api": base} if base else {})
    return TestClocks(client, wiring.deployment(), GLANCE_SECONDS)


def look_at_everybody() -> None:
    """Ask for a look at each tenant: without events nothing else tells of a renewal."""
    records, queue, now = wiring.records(), wiring.queue(), int(wiring.clock()())
    for record in records.all():
        records.nudge(record.tenant_id, now)
        queue.send_tenant(record.tenant_id)
