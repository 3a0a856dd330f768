"""Starts all parts, keeps them running, ends them."""

import json
import os
import shutil
import socket
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
from sandbox import certificate, parts, seed
from sandbox.kubernetes import kubeconfig
from sandbox.parts import Addresses
from sandbox.process import Part, PartFailedError
from sandbox.serving import HOST

PATIENCE = 30
"""Seconds that a part may take to answer; usually it is less than two."""

TO_END = 4
"""Seconds until a part that does not end by itself is ended."""

GLANCE = 0.05
"""Seconds between two looks at the parts."""

FIRST = ("aws", "stripe", "kubernetes", "site")
THEN = ("api", "worker")
"""Stateless, so they are started again when they die, as Lambda would."""


class BusyPortError(Exception):
    """Somebody else has the port."""


class Supervisor:
    """The sandbox as a whole.

    Attributes:
        ending: set by a signal; everything here looks at it while waiting.
        folder: logs, the clock, the kubeconfig; removed in the end.
    """

    def __init__(self, port: int, ready_file: Path | None) -> None:
        self.ending = threading.Event()
        self.folder = Path(tempfile.mkdtemp(prefix="arm-engine-"))
        self._ready_file = ready_file
        self._ready: dict[str, object] = {}
        self._parts: dict[str, Part] = {}
        self._addresses = Addresses(_ports(port))
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
        for name in FIRST:
            self._start(name, parts.environment())
        self._await(FIRST)
        if self.ending.is_set():
            return {}
        env = parts.environment() | self._seed()
        for name in THEN:
            self._start(name, env)
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
            for name in FIRST:
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
        catalogue = wiring.catalogue()
        deployment = catalogue.deployment(parts.STAGE)
        queue = f"{deployment}-tenants.fifo"
        aws = parts.aws_environment(self._addresses)
        session = boto3.Session(
            aws["AWS_ACCESS_KEY_ID"], aws["AWS_SECRET_ACCESS_KEY"], region_name=parts.REGION
        )
        client = stripe.StripeClient(
            parts.STRIPE_KEY, base_addresses={"api": self._addresses["stripe"]}
        )

        def on_stripe() -> str:
            seed.on_stripe(client, catalogue, parts.STAGE)
            return seed.webhook(client, self._addresses["api"] + "/api/payments/webhook")

        with ThreadPoolExecutor(1) as beside:
            secret = beside.submit(on_stripe)
            made = seed.on_aws(deployment, queue, session, self._addresses["aws"])
            webhook_secret = secret.result()
        config = self.folder / "kubeconfig"
        kubeconfig.write(
            config, self._addresses["kubernetes"], parts.KUBE_TOKEN, self._ca.read_text()
        )
        self._ready = {
            **{name: self._addresses[name] for name in parts.NAMES},
            "stripeKey": parts.STRIPE_KEY,
            "webhookSecret": webhook_secret,
            "kubeconfig": str(config),
            "table": deployment,
            "queueUrl": made.queue_url,
            "ca": str(self._ca),
            "clockFile": str(self._clock),
            "logs": str(self.folder),
        }
        return {
            **aws,
            "SANDBOX_CLOCK": str(self._clock),
            **parts.settings(
                self._addresses,
                table=deployment,
                queue=queue,
                pool_id=made.pool_id,
                client_id=made.client_id,
                webhook_secret=webhook_secret,
                ca=self._ca,
            ),
        }

    def _tell_ready(self) -> None:
        self._ready["pids"] = {name: part.pid for name, part in self._parts.items()}
        if self._ready_file:
            draft = self._ready_file.with_name(self._ready_file.name + ".draft")
            draft.write_text(json.dumps(self._ready, indent=2) + "\n")
            draft.replace(self._ready_file)


def _ports(first: int) -> dict[str, int]:
    """A port for each part: in a row from the first, or, for 0, whatever is free."""
    taken: list[socket.socket] = []
    try:
        for n, name in enumerate(parts.NAMES):
            port = first + n if first else 0
            probe = socket.socket()
            taken.append(probe)
            if os.name == "posix":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError as e:
                raise BusyPortError(
                    f"port {port} (for {name}) cannot be used: {e.strerror}; "
                    "choose others with --port, 0 picks free ones"
                ) from e
        return {
            name: probe.getsockname()[1] for name, probe in zip(parts.NAMES, taken, strict=True)
        }
    finally:
        for probe in taken:
            probe.close()
