"""Starts all parts, keeps them running, ends them."""

import json
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
import stripe
import urllib3

from chalicelib import wiring
from chalicelib.gateways.stripe_errors import key_refused
from ops import plans
from sandbox import certificate, outside, parts, seed
from sandbox.addresses import NAMES, Addresses, free_ports
from sandbox.kubernetes import kubeconfig
from sandbox.process import Part, PartFailedError

PATIENCE = 30
"""Seconds that a part may take to answer; usually it is less than two."""

TO_END = 4
"""Seconds until a part that does not end by itself is ended."""

GLANCE = 0.05
"""Seconds between two looks at the parts."""

FIRST = ("aws", "stripe", "kubernetes", "site")
THEN = ("api", "worker")
"""Stateless, so they are started again when they die, as Lambda would."""


class Supervisor:
    """The sandbox as a whole.

    Attributes:
        ending: set by a signal; everything here looks at it while waiting.
        folder: logs, the clock, the kubeconfig; removed in the end.
    """

    def __init__(self, port: int, ready_file: Path | None, ending: threading.Event) -> None:
        self.ending = ending
        self._account = outside.stripe_account(os.environ)
        if self._account:
            self._account.refuse_unreachable()
        self._stage = self._account.stage if self._account else parts.STAGE
        self._cluster = outside.cluster(os.environ)
        self._first = [
            name
            for name in FIRST
            if not (name == "stripe" and self._account)
            and not (name == "kubernetes" and self._cluster)
        ]
        self._ready_file = ready_file
        self._ready: dict[str, object] = {}
        self._parts: dict[str, Part] = {}
        self._addresses = Addresses(free_ports(port))
        self.folder = Path(tempfile.mkdtemp(prefix="arm-engine-"))
        self._clock = self.folder / "clock"
        self._ca, self._key = certificate.make(self.folder)
        self._commands = parts.commands(self._addresses, self._clock, self._ca, self._key)
        self._http = urllib3.PoolManager(
            retries=False, timeout=urllib3.Timeout(2), ca_certs=str(self._ca)
        )

    def start(self) -> dict[str, object]:
        """Start everything; what the ready file says, or nothing if told to end meanwhile.

        Raises:
            PartFailedError: a part could not be started.
        """
        if self.ending.is_set():
            return {}
        for name in self._first:
            self._start(name, parts.environment())
        self._await(self._first)
        if self.ending.is_set():
            return {}
        env = parts.environment() | self._seed()
        for name in THEN:
            # Each signs with a key of its own: the aws part tells by it who needs which rights.
            self._start(name, env | {"AWS_ACCESS_KEY_ID": name})
        self._await(THEN)
        if not self.ending.is_set():
            self._tell_ready()
        return self._ready

    @property
    def started(self) -> bool:
        """Whether everything has been up."""
        return bool(self._ready.get("pids"))

    def watch(self) -> None:
        """Until told to end: start again what can be, and fail with what cannot."""
        while not self.ending.wait(GLANCE):
            for name in self._first:
                self._parts[name].check()
            dead = [name for name in THEN if self._parts[name].ended()]
            for name in dead:
                self._parts[name].start()
            if dead:
                self._await(dead)
                self._tell_ready()

    def stop(self) -> None:
        """End every part, and leave nothing behind."""
        for part in self._parts.values():
            part.tell_to_end()
        until = time.monotonic() + TO_END
        for part in self._parts.values():
            part.end(until)
        if self._ready_file:
            self._ready_file.unlink(missing_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _start(self, name: str, env: dict[str, str]) -> None:
        path = "/api/subscriptions/plans" if name == "api" else "/sandbox/health"
        part = Part(name, self._commands[name], env, self._addresses[name] + path, self.folder)
        self._parts[name] = part
        part.start()

    def _await(self, names: Iterable[str]) -> None:
        until = time.monotonic() + PATIENCE
        waiting = list(names)
        while waiting and not self.ending.wait(GLANCE):
            for name in waiting:
                self._parts[name].check()
            if time.monotonic() > until:
                raise PartFailedError(f"{', '.join(waiting)}: no answer for {PATIENCE} s")
            waiting = [name for name in waiting if not self._parts[name].healthy(self._http)]

    def _seed(self) -> dict[str, str]:
        """Make what has to exist; the environment of the api and the worker."""
        catalogue = wiring.catalogue()
        deployment = catalogue.deployment(self._stage)
        queue = f"{deployment}-tenants.fifo"
        aws = parts.aws_environment(self._addresses)
        session = boto3.Session(
            aws["AWS_ACCESS_KEY_ID"], aws["AWS_SECRET_ACCESS_KEY"], region_name=parts.REGION
        )
        with ThreadPoolExecutor(1) as beside:
            secret = beside.submit(self._seed_stripe)
            made = seed.on_aws(deployment, queue, session, self._addresses["aws"])
            reached = self._outside(secret.result())
        config = self._cluster.kubeconfig if self._cluster else self.folder / "kubeconfig"
        if not self._cluster:
            ca = self._ca.read_text()
            kubeconfig.write(config, reached.kube_server, parts.KUBE_ADMIN_TOKEN, ca)
        self._ready = {
            **{name: self._addresses[name] for name in NAMES},
            "stripe": reached.stripe or "https://api.stripe.com",
            "kubernetes": reached.kube_server,
            "stripeKey": reached.stripe_key,
            "webhookSecret": reached.webhook_secret,
            "stage": self._stage,
            "testMode": self._account is not None,
            "kubeconfig": str(config),
            "table": deployment,
            "queueUrl": made.queue_url,
            "ca": str(self._ca),
            "logs": str(self.folder),
        }
        env = {
            **aws,
            **parts.settings(self._addresses, reached, made, deployment, queue, self._stage),
        }
        self._ready |= {"environment": self._operators(env), "clock": str(self._clock)}
        return {**env, "SANDBOX_CLOCK": str(self._clock)}

    def _operators(self, env: dict[str, str]) -> dict[str, str]:
        """What `python -m ops` works with: the same, with rights of its own."""
        token = self._cluster.token if self._cluster else parts.KUBE_ADMIN_TOKEN
        return {**env, "AWS_ACCESS_KEY_ID": "operator", "KUBE_TOKEN": token}

    def _seed_stripe(self) -> str:
        """The catalogue, and a webhook endpoint; its signing secret."""
        account = self._account
        client = (
            account.client
            if account
            else stripe.StripeClient(
                parts.STRIPE_KEY, base_addresses={"api": self._addresses["stripe"]}
            )
        )
        try:
            plans.push(client, wiring.catalogue(), self._stage)
        except stripe.PermissionError as e:
            raise outside.UnusableError(f"{outside.KEY}: {key_refused(e)}") from e
        if account:
            return account.webhook_secret
        url = self._addresses["api"] + "/api/payments/webhook"
        return seed.webhook(client, url, wiring.catalogue().deployment(self._stage))

    def _outside(self, webhook_secret: str) -> parts.Outside:
        account, cluster, ca = self._account, self._cluster, self._ca
        if cluster:
            ca = self.folder / "cluster-ca.pem"
            ca.write_text(cluster.ca or "")
        return parts.Outside(
            stripe=account.base if account else self._addresses["stripe"],
            stripe_key=account.key if account else parts.STRIPE_KEY,
            webhook_secret=webhook_secret,
            test_mode=account is not None,
            kube_server=cluster.server if cluster else self._addresses["kubernetes"],
            kube_ca=None if cluster and not cluster.ca else ca,
            kube_token=cluster.token if cluster else parts.KUBE_TOKEN,
        )

    def _tell_ready(self) -> None:
        self._ready["pids"] = {name: part.pid for name, part in self._parts.items()}
        if self._ready_file:
            draft = self._ready_file.with_name(self._ready_file.name + ".draft")
            draft.write_text(json.dumps(self._ready, indent=2) + "\n")
            draft.replace(self._ready_file)
