"""The clients that Stripe itself ships, at the stand-in: they know nothing of this project."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from chalicelib.domain.stripe_event import API_VERSION
from sandbox.addresses import free_ports
from sandbox.stripe import cards, checkout
from tests.contract.stripe.node import CLI, needed, node

HERE = Path(__file__).parent
KEY = "sk_test_contract"
CARD = cards.Card(cards.PAYS, "visa", "4242", 12, 2040)


@pytest.fixture
def alone(tmp_path):
    """An environment that leads nowhere but to loopback, and a home of its own."""
    dead = f"http://127.0.0.1:{free_ports(0)['aws']}"
    return {
        "PATH": os.environ["PATH"], "HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path),
        "HTTPS_PROXY": dead, "HTTP_PROXY": dead, "NO_PROXY": "127.0.0.1",
        "STRIPE_CLI_TELEMETRY_OPTOUT": "1", "STRIPE_NO_AUTO_UPDATE": "1", "STRIPE_API_KEY": KEY,
    }  # fmt: skip


@pytest.fixture
def by_node(account, alone):
    """One thing that stripe-node does, and what came of it."""

    def ask(what, *arguments):
        command = [node(), HERE / "clients.mjs", what, account.url, KEY, *arguments]
        done = subprocess.run(
            command, check=False, capture_output=True, text=True, timeout=60, env=alone
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return ask


@pytest.fixture
def by_cli(account, alone):
    """One command of Stripe's own, and what it printed."""
    needed(CLI.is_file(), "Stripe's CLI (npm ci, on Linux on x64)")

    def run(*arguments):
        command = [CLI, *arguments, "--api-base", account.url]
        done = subprocess.run(
            command, check=False, capture_output=True, text=True, timeout=60, env=alone
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


@pytest.fixture
def bought(account, sdk):
    """A subscription that was paid for."""
    (price,) = sdk.prices.list({"lookup_keys": ["arm-engine-dev-basic-month"]}).data
    customer = sdk.customers.create({"email": "ada@example.com"})
    session = sdk.checkout.sessions.create({
        "mode": "subscription", "success_url": "https://shop.example/ok", "customer": customer.id,
        "line_items": [{"price": price.id, "quantity": 1}],
    })  # fmt: skip
    checkout.complete(account.state.ledger, session.id, CARD)
    return sdk.checkout.sessions.retrieve(session.id).subscription


def test_node_reads_every_page_both_ways(by_node, sdk):
    """Five customers by pages of two: each once, newest first, and back from the oldest."""
    made = [sdk.customers.create({}).id for _ in range(5)]
    found = by_node("pages")
    assert found["back"] == made[::-1]
    assert found["on"] == made[1:]


def test_node_gets_whole_what_it_asks_for(by_node, bought):
    """Down to the product of the price of an item; what cannot be expanded is refused."""
    assert by_node("expand", bought) == {
        "customer": "ada@example.com", "paid": "paid", "product": "arm-engine-dev-basic",
        "unknown": {"type": "StripeInvalidRequestError", "rawType": "invalid_request_error",
                    "status": 400},
    }  # fmt: skip


def test_nodes_key_stands_for_one_call(by_node, sdk):
    """The same call is the same customer; another one is an idempotency error of Stripe's."""
    found = by_node("idempotency")
    assert (found["same"], found["replayed"]) == (True, "true")
    assert found["other"] == {
        "type": "StripeIdempotencyError", "rawType": "idempotency_error", "status": 400,
    }  # fmt: skip
    assert len(sdk.customers.list().data) == 1


def test_node_takes_what_the_stand_in_signs(account, sdk, by_node):
    """By the endpoint's secret, and by no other."""
    account.deliveries.start()
    assert by_node("webhook") == {
        "type": "customer.created", "name": "Ada", "version": API_VERSION,
        "wrong": "StripeSignatureVerificationError",
    }  # fmt: skip


def test_we_take_what_node_signs(api, account, by_node):
    """The webhook itself, by the header that Stripe's SDK makes for tests."""
    event = {
        "id": "evt_by_node", "object": "event", "type": "customer.deleted", "created": 1,
        "api_version": API_VERSION, "livemode": False,
        "data": {"object": {"id": "cus_1", "object": "customer"}},
    }  # fmt: skip
    payload = json.dumps(event)
    for secret, status in (("whsec_contract", 200), ("whsec_other", 400)):
        header = by_node("sign", secret, payload)["header"]
        answer, _ = api.call(
            "POST", "/api/payments/webhook", payload.encode(), {"Stripe-Signature": header}
        )
        assert answer == status


LISTED = (
    "customers", "subscriptions", "events", "products", "prices", "invoices", "charges",
    "payment_intents", "payment_methods", "webhook_endpoints", "coupons", "promotion_codes",
    "refunds", "disputes",
)  # fmt: skip


@pytest.mark.parametrize("kind", LISTED)
def test_the_cli_lists(by_cli, bought, sdk, kind):
    """What the SDK lists, in its order."""
    found = json.loads(by_cli(kind, "list", "--limit", "2"))
    wanted = getattr(sdk, kind).list({"limit": 2})
    assert [each["id"] for each in found["data"]] == [each.id for each in wanted.data]
    assert found["has_more"] == wanted.has_more


def test_the_cli_reads_and_writes_by_hand(by_cli, bought, sdk):
    """One subscription by its id, and a change by the parameters as they are typed."""
    found = json.loads(by_cli("subscriptions", "retrieve", bought, "--expand", "customer"))
    assert found["customer"]["email"] == "ada@example.com"
    by_cli("subscriptions", "update", bought, "--cancel-at-period-end=true", "-d", "metadata[a]=b")
    now = sdk.subscriptions.retrieve(bought)
    assert (now.cancel_at_period_end, now.metadata.to_dict()["a"]) == (True, "b")


TRIGGERED = {
    "customer.created", "customer.updated", "customer.deleted",
    "product.created", "product.updated", "price.created", "price.updated",
    "customer.subscription.created", "customer.subscription.updated",
    "customer.subscription.deleted",
    "payment_intent.created", "payment_intent.succeeded", "payment_intent.payment_failed",
    "payment_intent.canceled", "payment_method.attached", "payment_method.detached",
    "charge.succeeded", "charge.failed", "charge.refunded",
    "charge.dispute.created", "charge.dispute.closed",
}  # fmt: skip
REMOVED = "payment_intent:payment_method_types"
"""The fixtures are of an older version: a PaymentIntent is no longer made with these."""

UNDER_ANOTHER_NAME = {
    "subscription.payment_succeeded": "invoice.paid",
    "subscription.payment_failed": "invoice.payment_failed",
}


@pytest.mark.parametrize("name", [*sorted(TRIGGERED), *UNDER_ANOTHER_NAME])
def test_the_cli_triggers(by_cli, account, name):
    """Stripe's own fixture for an event makes it happen here, and the event says it."""
    paid = name.startswith(("payment_intent.", "charge.")) and name != "payment_intent.canceled"
    more = ("--remove", REMOVED) if paid else ()
    assert "Trigger succeeded" in by_cli("trigger", name, *more)
    told = {event["type"] for event in account.state.ledger.tables["event"].values()}
    assert UNDER_ANOTHER_NAME.get(name, name) in told
