"""The sandbox as a process of its own, started as anybody would start it."""

import json
import os
import shutil
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import boto3
import pytest

from ops import rights, stages
from sandbox.seed import VISIBILITY
from tests.journeys.scenes import SESSION
from tests.journeys.shop import Customer, Sandbox, until

ROOT = Path(__file__).parents[2]
TO_START = 60
TO_STOP = 5
HIDDEN = 50
"""Seconds for which a message that is worked on stays hidden, where a test waits for it: longer than the
worker may run, so that a tenant still has one at a time."""


def start(ready_file, *arguments, env=None):
    """`python -m sandbox`, and what it says to the terminal."""
    return subprocess.Popen(
        [sys.executable, "-m", "sandbox", "--ready-file", str(ready_file), *arguments],
        cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def await_ready(process, ready_file):
    """Until the ready file is there; what was printed, if the process ends instead."""

    def look():
        if process.poll() is not None:
            raise AssertionError(f"the sandbox ended: {process.stdout.read()}")
        return ready_file.exists()

    until(look, "the ready file", TO_START)


def stop(process, number=signal.SIGTERM):
    """End it; its exit code and what it had printed."""
    process.send_signal(number)
    said, _ = process.communicate(timeout=TO_STOP)
    return process.returncode, said


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory):
    """One for all journeys; each has a customer of its own."""
    ready_file = tmp_path_factory.mktemp("sandbox") / "ready.json"
    process = start(ready_file, "--port", "0")
    try:
        await_ready(process, ready_file)
        running = Sandbox(process, ready_file)
        yield running
        nothing_was_done_without_a_right(running)
    finally:
        if process.poll() is None:
            code, said = stop(process)
            assert code == 0, said


@pytest.fixture
def hidden_for_less(sandbox):
    """A message that a dead worker held comes back soon, not after AWS's four and a half minutes."""
    sqs = boto3.client(
        "sqs",
        endpoint_url=sandbox.ready["aws"],
        region_name="us-east-1",
        aws_access_key_id="sandbox",
        aws_secret_access_key="sandbox",
    )
    queue = sandbox.ready["queueUrl"]
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": str(HIDDEN)})
    yield
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": str(VISIBILITY)})


def nothing_was_done_without_a_right(sandbox):
    """Whatever these journeys made the functions ask of AWS, their policies allow.

    The worker's process runs all that is behind the queue and the schedules, so it is held to the
    sum of these; `tests/deployment` tells them apart.
    """
    used = sandbox.ask("GET", "aws", "/sandbox/callers").json()
    behind = set(rights.FUNCTIONS) - {rights.API}
    for part, functions in {"api": {rights.API}, "worker": behind}.items():
        allowed = set().union(*(rights.pairs(name, stages.load("dev")) for name in functions))
        assert {tuple(right) for right in used.get(part, ())} <= allowed, part


@pytest.fixture
def customer(sandbox):
    """Somebody new, signed in."""
    return Customer(sandbox).sign_in()


@pytest.fixture(scope="session")
def chromium():
    """Path of the system's Chromium, or None for one that Playwright has downloaded."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    return None


@pytest.fixture(scope="session")
def browser(chromium):
    """A headless Chromium; without one these tests are skipped, loudly, but never in CI."""
    from playwright.sync_api import Error, sync_playwright  # noqa: PLC0415 - slow to import

    with sync_playwright() as playwright:
        try:
            started = playwright.chromium.launch(
                executable_path=chromium,
                args=[
                    "--no-sandbox",
                    "--disable-background-networking",
                    "--disable-component-update",
                    "--disable-sync",
                ],
            )
        except Error as e:
            if os.environ.get("CI"):
                raise
            pytest.skip(f"NO BROWSER: install chromium to run these tests ({str(e)[:80]})")
        yield started
        started.close()


@pytest.fixture
def page(visit):
    """A page of a fresh profile, not gone anywhere yet."""
    return visit()


@pytest.fixture
def visit(browser, sandbox):
    """Opens a page in a fresh profile; what goes wrong on it fails the test.

    A `status` is what the API says of somebody who is signed in. `answers` are given in place of
    the API's, by path: `(status code, JSON)`, "offline", "never", or a function of the route.
    """
    site = sandbox.ready["site"]
    contexts, wrong, held = [], [], []

    def open_page(path=None, *, status=None, answers=None, **options):
        storage = {"name": "session", "value": json.dumps(SESSION)}
        origin = {"origin": site, "localStorage": [storage] if status else []}
        context = browser.new_context(
            base_url=site, storage_state={"cookies": [], "origins": [origin]}, **options
        )
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        given = {"/api/subscriptions/status": (200, status)} if status else {}
        for name, answer in (given | (answers or {})).items():
            page.route(f"**{name}", partial(give, answer))
        if path:
            page.goto(path)
        return page

    def give(answer, route):
        if answer == "never":
            held.append(route)
        elif answer == "offline":
            route.abort()
        elif callable(answer):
            answer(route)
        else:
            route.fulfill(status=answer[0], json=answer[1])

    yield open_page
    for route in held:
        route.abort()
    for context in contexts:
        context.close()
    assert wrong == []
