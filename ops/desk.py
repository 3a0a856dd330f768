"""What an operator works with: the same parts that the functions work with, put together here.

A stage is reached with the operator's own rights (the AWS SDK's usual credentials); a sandbox by
what its ready file says. Both become the environment that the functions have, so that everything
behind it is the same code.
"""

import getpass
import json
import os
import time
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from chalicelib import wiring
from chalicelib.domain.catalogue import Catalogue
from chalicelib.domain.errors import Misconfigured
from chalicelib.gateways.dynamodb import DynamoDb
from chalicelib.ports import Clock, Cluster, Payments, Queue, Records, Sessions
from ops import stages
from ops.gateways.billing import Billing
from ops.gateways.dead_letters import DeadLetters
from ops.gateways.ledger import Ledger
from ops.gateways.pool import Pool
from ops.stages import Stage

_OURS = ("AWS_", "STRIPE_", "JWT_", "KUBE_", "CLUSTER_", "PARAMETERS_", "CHECKOUT_", "SITE_")


class Desk:
    """One stage, or one sandbox. What is not asked for is neither imported nor reached.

    Attributes:
        api: where the sandbox's API is; empty at a stage, where the site's address leads to it.
    """

    def __init__(self, api: str = "") -> None:
        self.api = api

    @property
    def stage(self) -> str:
        """The stage's name."""
        return wiring.settings().stage

    @property
    def catalogue(self) -> Catalogue:
        """What is sold."""
        return wiring.catalogue()

    @property
    def now(self) -> int:
        """Epoch seconds, by the clock that decisions go by."""
        return int(self.clock())

    @property
    def clock(self) -> Clock:
        """The clock that decisions go by."""
        return wiring.clock()

    @property
    def operator(self) -> str:
        """Who sits here: stands in the timeline beside what they did."""
        return os.environ.get("OPS_OPERATOR") or getpass.getuser()

    @property
    def issuer(self) -> str:
        """Who issues the tokens: with a subject it names a tenant."""
        return wiring.settings().jwt_issuer or ""

    @property
    def records(self) -> Records:
        """The table, as the functions use it."""
        return wiring.records()

    @cached_property
    def ledger(self) -> Ledger:
        """The table, as only an operator uses it."""
        return Ledger(DynamoDb(wiring.settings().table_name))

    @property
    def sessions(self) -> Sessions:
        """The table, for ending sessions."""
        return wiring.sessions()

    @property
    def queue(self) -> Queue:
        """The queue."""
        return wiring.queue()

    @cached_property
    def dead_letters(self) -> DeadLetters:
        """What the worker gave up."""
        return DeadLetters(f"{wiring.deployment()}-tenants-dead.fifo")

    @property
    def payments(self) -> Payments:
        """Stripe, as the functions use it."""
        return wiring.payments()

    @cached_property
    def billing(self) -> Billing:
        """Stripe, as only an operator uses it."""
        return Billing(wiring.stripe_secret_key(), api_base=wiring.settings().stripe_api_base)

    @property
    def cluster(self) -> Cluster:
        """The cluster."""
        return wiring.cluster()

    @cached_property
    def pool(self) -> Pool | None:
        """The user pool; None when tokens come from elsewhere."""
        return Pool.of_issuer(self.issuer)


def at_stage(stage: Stage) -> Desk:
    """Work on a stage.

    Raises:
        Misconfigured: the environment names another region than the stage's.
    """
    if region := stages.region_of(stage, os.environ):
        os.environ["AWS_DEFAULT_REGION"] = region
    os.environ |= {
        "STAGE": stage.name,
        "TABLE_NAME": stage.table,
        "QUEUE_NAME": stage.queue,
        "PARAMETERS_PATH": stage.parameters_path,
        "STRIPE_MODE": stage.stripe_mode,
        "CLUSTER_NAME": stage.cluster_name,
    }
    return Desk()


def at_sandbox(ready_file: Path) -> Desk:
    """Work on a sandbox that runs, and on nothing that the user's environment names.

    Raises:
        Misconfigured: the file is not there, or not a sandbox's.
    """
    try:
        ready = json.loads(ready_file.read_text("utf-8"))
        environment, clock, api = ready["environment"], Path(ready["clock"]), str(ready["api"])
    except FileNotFoundError as e:
        raise Misconfigured(
            f"there is no {ready_file}: start `make demo ARGS='--ready-file {ready_file}'` first"
        ) from e
    except (OSError, ValueError, KeyError, TypeError) as e:
        raise Misconfigured(f"{ready_file} is not a sandbox's ready file: {e}") from e
    _replace_environment(environment)
    wiring.clock = lambda: lambda: time.time() + _ahead(clock)
    return Desk(api)


def _replace_environment(environment: Mapping[str, str]) -> None:
    for name in [name for name in os.environ if name.startswith(_OURS)]:
        del os.environ[name]
    os.environ |= environment
    for name in ("no_proxy", "NO_PROXY"):
        os.environ[name] = ",".join(filter(None, [os.environ.get(name), "127.0.0.1", "localhost"]))


def _ahead(clock: Path) -> int:
    """Seconds that the sandbox's clock is ahead of the wall's; nobody may have moved it."""
    try:
        return int(clock.read_text("utf-8"))
    except FileNotFoundError:
        return 0
