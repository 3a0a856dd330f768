"""The Stripe stand-in on a socket, the SDK at it, and a catalogue to sell."""

import threading

import pytest
import stripe
from werkzeug.serving import make_server

from chalicelib import wiring
from chalicelib.gateways.stripe_api import StripeApi
from ops import plans
from sandbox.clock import SandboxClock
from sandbox.stripe import api
from sandbox.stripe.clock_steps import ClockSteps
from sandbox.stripe.state import Stripe
from sandbox.stripe.webhooks import Deliveries
from sandbox.wsgi import QuietHandler

KEY = "sk_test_contract"


class Account:
    """One account in test mode: its state, and the way to it."""

    def __init__(self, folder):
        clock = SandboxClock(folder / "clock")
        self.clock = clock
        self.state = Stripe(clock.now)
        self.deliveries = Deliveries(self.state.ledger, self.state.trouble)
        steps = ClockSteps(self.state, self.deliveries, clock, None)
        self._server = make_server(
            "127.0.0.1", 0, api.make(self.state, self.deliveries, clock, steps, KEY),
            threaded=True, request_handler=QuietHandler,
        )  # fmt: skip
        self.url = f"http://127.0.0.1:{self._server.port}"
        self.state.ledger.url = self.url
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self):
        """Deliver and serve nothing any more."""
        self.deliveries.stop()
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def account(tmp_path):
    """An account of its own, with the catalogue in it."""
    made = Account(tmp_path)
    yield made
    made.stop()


@pytest.fixture
def sdk(account):
    """The official SDK at the stand-in."""
    client = stripe.StripeClient(
        KEY, base_addresses={"api": account.url}, http_client=stripe.RequestsClient()
    )
    plans.push(client, wiring.catalogue(), "dev")
    yield client.v1
    client._requestor._client.close()


@pytest.fixture
def gateway(account, sdk):
    """Ours, at the same account."""
    made = StripeApi(KEY, api_base=account.url, deployment="arm-engine-dev")
    yield made
    stripe_client = made._client.subscriptions._requestor._client
    stripe_client.close()
