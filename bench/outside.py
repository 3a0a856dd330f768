"""The sandbox's AWS, Stripe and Kubernetes, each a process, for a program that is measured."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import boto3
import certifi
import stripe
import urllib3

from bench import tls
from chalicelib import wiring
from chalicelib.gateways import aws
from ops import plans
from sandbox import certificate, parts, seed
from sandbox.addresses import Addresses, free_ports

ROOT = Path(__file__).parents[1]
WEBHOOK_SECRET = "whsec_bench"  # noqa: S105 - made up
_PARTS = ("aws", "stripe", "kubernetes")
_PATIENCE = 60


@dataclass(frozen=True, slots=True)
class Outside:
    """Where everything is.

    Attributes:
        env: of a function that reaches AWS and Stripe by TLS, as it would reach the real ones;
            `AWS_CA_BUNDLE` has the authorities that this project trusts, and the stand-ins' own.
        usual: the same, with all the authorities that the SDKs come with.
        aws: the address of AWS without TLS, to look behind the scenes.
        stripe_requests: the paths that Stripe was asked for.
    """

    env: Mapping[str, str]
    usual: Mapping[str, str]
    aws: str
    stripe_requests: list[str]


@contextmanager
def outside() -> Iterator[Outside]:
    """Start them, and end them in the end."""
    parts.keep_to_this_machine()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        ca, key = certificate.make(folder)
        addresses = Addresses(free_ports(0))
        commands = parts.commands(addresses, folder / "clock", ca, key)
        for name in _PARTS:
            stack.enter_context(_running(commands[name]))
        _await(addresses, ca)
        env = _seeded(addresses, ca)
        ours, usual = folder / "ours.pem", folder / "usual.pem"
        ours.write_text(ca.read_text() + aws.ROOTS.read_text("utf-8"))
        usual.write_text(ca.read_text() + Path(certifi.where()).read_text("utf-8"))
        asked: list[str] = []
        env |= {
            "AWS_ENDPOINT_URL": stack.enter_context(tls.front(addresses["aws"], ca, key)),
            "AWS_CA_BUNDLE": str(ours),
            "STRIPE_API_BASE": stack.enter_context(tls.front(addresses["stripe"], ca, key, asked)),
            "STRIPE_CA_BUNDLE": str(usual),
            "PYTHONPATH": str(ROOT),
            "PYTHONHASHSEED": "0",
            "PATH": "/usr/bin:/bin",
        }
        yield Outside(env, env | {"AWS_CA_BUNDLE": str(usual)}, addresses["aws"], asked)


@contextmanager
def settings(env: Mapping[str, str]) -> Iterator[None]:
    """The environment of a function, in this process."""
    with mock.patch.dict(os.environ, env):
        _forget()
        yield
    _forget()


def _forget() -> None:
    """What a container remembers."""
    for factory in (*vars(wiring).values(), aws.session):
        if hasattr(factory, "cache_clear"):
            factory.cache_clear()


@contextmanager
def _running(command: list[str]) -> Iterator[None]:
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, cwd=ROOT, stdout=quiet, stderr=quiet)  # noqa: S603 - our own
    try:
        yield
    finally:
        process.terminate()
        process.wait(10)


def _await(addresses: Addresses, ca: Path) -> None:
    http = urllib3.PoolManager(retries=False, timeout=2, ca_certs=str(ca))
    until = time.monotonic() + _PATIENCE
    for name in _PARTS:
        while True:
            try:
                http.request("GET", addresses[name] + "/sandbox/health")
                break
            except urllib3.exceptions.HTTPError:
                if time.monotonic() > until:
                    sys.exit(f"bench: the sandbox's {name} does not answer")
                time.sleep(0.05)  # a part that starts tells nobody when it listens


def _seeded(addresses: Addresses, ca: Path) -> dict[str, str]:
    catalogue = wiring.catalogue()
    deployment = catalogue.deployment(parts.STAGE)
    queue = f"{deployment}-tenants.fifo"
    session = boto3.Session("sandbox", "sandbox", region_name=parts.REGION)
    made = seed.on_aws(deployment, queue, session, addresses["aws"])
    client = stripe.StripeClient(
        parts.STRIPE_KEY, base_addresses={"api": addresses["stripe"]}, max_network_retries=2
    )
    plans.push(client, catalogue, parts.STAGE)
    reached = parts.Outside(
        stripe=addresses["stripe"],
        stripe_key=parts.STRIPE_KEY,
        webhook_secret=WEBHOOK_SECRET,
        kube_server=addresses["kubernetes"],
        kube_ca=ca,
        kube_token=parts.KUBE_TOKEN,
    )
    env = parts.settings(addresses, reached, made, deployment, queue)
    return parts.aws_environment(addresses) | env
