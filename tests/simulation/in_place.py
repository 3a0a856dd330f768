"""The real code over a history's world: its factories, its time and its threads replaced."""

import functools
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Self
from unittest.mock import patch

import stripe

from chalicelib import wiring
from chalicelib.domain import tenant
from chalicelib.entrypoints import metrics
from chalicelib.gateways import cluster, dynamodb, side_by_side
from chalicelib.services import missed
from tests.simulation import remembering
from tests.simulation.deployment import CATALOGUE, SETTINGS, TOKENS
from tests.simulation.stripe_wire import read_field

World = Any


@contextmanager
def in_place(world: World) -> Iterator[None]:
    """The entry points over this world, and its time as everybody's time."""
    pool = lambda **_: _Pool(world)  # noqa: E731 - in place of a class
    with (
        patch.multiple(
            wiring,
            settings=lambda: SETTINGS,
            _parameters=lambda: None,
            catalogue=lambda: CATALOGUE,
            records=lambda: world.records,
            nudges=lambda: world.nudges,
            queue=lambda: world.sqs,
            payments=lambda: world.payments,
            cluster=lambda: world.kubernetes,
            tokens=lambda: TOKENS,
            clock=lambda: world.clock,
            new_id=world.new_id,
        ),
        patch.object(tenant, "objects", remembering.objects),
        patch.object(tenant, "revision", remembering.revision),
        patch.object(missed, "AT_MOST", 5),  # so that stretches of time are halved
        patch.object(time, "time", lambda: world.scheduler.now),
        patch.object(time, "sleep", world.scheduler.sleep),
        patch.object(dynamodb, "random", world),
        patch.object(stripe._http_client, "random", world),  # between the SDK's own attempts
        patch.object(cluster, "ThreadPoolExecutor", pool),
        patch.object(side_by_side, "ThreadPoolExecutor", pool),
        patch.object(metrics, "_write", lambda *_: None),  # standard output is the story's
        # The SDK words a log line for every call, whether or not anybody logs, and looks about for
        # what to tell Stripe of the machine that it runs on.
        patch.object(stripe._util, "logfmt", lambda _: ""),
        patch.object(stripe, "enable_telemetry", new=False),
        patch.object(stripe.StripeObject, "__getattr__", read_field),
        patch.object(stripe._api_requestor._APIRequestor, "AI_AGENTS", ()),
        _logged(world),
    ):
        yield


@contextmanager
def _logged(world: World) -> Iterator[None]:
    """What the code logs goes into the story, if there is one; else nowhere."""
    if world.story is None:
        before = logging.root.manager.disable
        logging.disable(logging.CRITICAL)
        try:
            yield
        finally:
            logging.disable(before)
        return
    logger, handler = logging.getLogger("arm"), _Teller(world)
    logger.addHandler(handler)
    propagates, logger.propagate = logger.propagate, False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.propagate = propagates


class _Pool:
    """`ThreadPoolExecutor`, on the scheduler."""

    def __init__(self, world: Any) -> None:
        self._world = world

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def map(self, work: Callable[[Any], Any], items: Any) -> list[Any]:
        strand = self._world.scheduler.current
        if strand is None:
            return [work(item) for item in items]
        return strand.activity.side_by_side([functools.partial(work, item) for item in items])


class _Teller(logging.Handler):
    """What the code logs, as lines of the story."""

    def __init__(self, world: Any) -> None:
        super().__init__()
        self._world = world

    def emit(self, record: logging.LogRecord) -> None:
        known = {"outcome", "status", "reason", "type", "code", "nudged", "sent_again", "applied"}
        said = [f"{n} {v}" for n, v in sorted(vars(record).items()) if n in known and v is not None]
        tenant_id = getattr(record, "tenant", None)
        who = self._world.name_of(tenant_id) if tenant_id else ""
        self._world.tell(f"    {record.getMessage()} {who or ''} {', '.join(said)}".rstrip())
