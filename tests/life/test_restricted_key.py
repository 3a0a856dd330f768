"""A restricted key: the rights that a whole life takes, and what is said where one is missing."""

import json
import re
from dataclasses import replace

import pytest
import stripe

from chalicelib import wiring
from chalicelib.domain.errors import Permanent, Temporary
from chalicelib.gateways.stripe_api import StripeApi
from ops import cli, plans, stripe_rights, webhook
from ops.commands import plans as plans_command
from ops.gateways.billing import Billing
from ops.stages import ROOT
from sandbox.stripe.transport import InMemory
from tests.life.world import DAY, FAILS_LATER, IS_DISPUTED

SAID = (
    "The provided key 'rk_test_*********************abcd' does not have the required permissions "
    "for this endpoint on account 'acct_1PJBLEBBLEfV'. Having the 'rak_subscription_write' "
    "permission would allow this request to continue."
)
"""As Stripe says it."""


class Recording(InMemory):
    """The way to Stripe, which notes each call, and refuses some as a restricted key would be."""

    def __init__(self, account):
        super().__init__(account)
        self.calls = set()
        self.refused = None
        self.said = SAID

    def request(self, method, url, headers, post_data=None, **more):
        """Note it, then do it."""
        path = "/" + url.split("/", 3)[3].split("?")[0]
        self.calls.add((method.upper(), path))
        if self.refused and path.startswith(self.refused):
            error = {"type": "invalid_request_error", "message": self.said}
            return json.dumps({"error": error}), 403, {"request-id": "req_1"}
        return super().request(method, url, headers, post_data, **more)


@pytest.fixture
def catalogue():
    """As it ships, with duplicates resolved."""
    shipped = wiring.catalogue()
    return replace(shipped, policy=replace(shipped.policy, resolve_duplicates=True))


@pytest.fixture
def wire(world, monkeypatch):
    """Every call that the product makes from now on, and none of the tests' own."""
    made = Recording(world.stripe)
    payments = StripeApi("rk_test_1", deployment="arm-engine-dev", http_client=made)
    monkeypatch.setattr(wiring, "payments", lambda: payments)
    return made


def a_second_subscription(world, ada):
    (price,) = world.ledger.all("price", lookup_key="arm-engine-dev-pro-month")
    world.offset += 60
    world.sdk.subscriptions.create({
        "customer": ada.customer_id, "items": [{"price": price["id"]}],
        "metadata": {"checkout": "nonce-2"},
        "default_payment_method": ada.subscription["default_payment_method"],
    })  # fmt: skip


def a_whole_life(world, wire, catalogue):
    """What the functions, the deploy and an operator do, each at least once."""
    client = stripe.StripeClient("rk_test_1", http_client=wire)
    plans.push(client, catalogue, "staging")
    todo = webhook.plan([], "https://a.example", secret_known=False)
    url = "https://a.example"
    webhook.carry_out(
        todo, client, url=url, deployment="arm-engine-dev", known=None, store=lambda _: None
    )
    webhook.find(client, "arm-engine-dev")
    ada = world.customer("ada")
    ada.open("pro")
    ada.buy("basic")
    ada.portal("switch", plan="pro-month")
    a_second_subscription(world, ada)
    world.settle()
    world.customer("tim").buy(card=FAILS_LATER)
    world.advance(60 * DAY)
    world.customer("eve").buy(card=IS_DISPUTED)
    wiring.audit().run()
    billing = Billing("rk_test_1", api_base=None, http_client=wire)
    billing.everything(ada.customer_id)
    billing.customer_of(ada.subscription["id"])
    billing.active_subscriptions()
    billing.delete_customer(ada.customer_id)
    world.settle()


def test_a_restricted_key_needs_what_a_whole_life_takes(world, wire, catalogue):
    """No more and no less than the table says."""
    a_whole_life(world, wire, catalogue)
    assert stripe_rights.needed(wire.calls) == dict(stripe_rights.RIGHTS)


def test_the_page_lists_these_rights():
    """Whoever makes a key reads them there, in Stripe's own words."""
    page = (ROOT / "docs/going-live.md").read_text("utf-8")
    rows = re.findall(r"^\| ([^|]+) \| (Read|Write) \|", page, re.MULTILINE)
    assert dict(rows) == dict(stripe_rights.RIGHTS)


def test_the_operator_reads_which_right_is_missing(world, wire):
    """On the tenant's record, without the key and the account that Stripe's text names, too."""
    ada = world.customer("ada")
    url = ada.open()
    wire.refused = "/v1/subscriptions"
    ada.pay(url)
    world.settle()
    reason = ada.record.failure.reason
    assert "lacks the permission rak_subscription_write (request req_1)" in reason
    assert "rk_test" not in reason
    assert "acct_" not in reason
    assert not ada.record.failure.permanent
    wire.refused = None
    world.advance(600)
    assert ada.short == ("active", True, "basic", "ready")


def test_a_right_that_stripe_does_not_name_is_told_all_the_same(world, wire):
    """Some refusals say only that a right is missing."""
    wire.refused, wire.said = "/v1/", "This is a restricted API key, but …"
    with pytest.raises(Temporary, match=r"lacks a permission \(request req_1\): docs/going-live"):
        wiring.payments().subscriptions("cus_1")


def test_an_operators_own_call_names_it(world, wire):
    """`export`, `forget` and `replay` ask Stripe by themselves."""
    wire.refused = "/v1/customers"
    with pytest.raises(Permanent, match="rak_subscription_write"):
        Billing("rk_test_1", api_base=None, http_client=wire).delete_customer("cus_1")


def test_a_command_says_it_in_one_line(world, wire, monkeypatch, capsys):
    """`plans diff` with a key that may not read prices."""
    wire.refused = "/v1/prices"
    client = stripe.StripeClient("rk_test_1", http_client=wire)
    monkeypatch.setattr(plans_command.stripe_account, "client", lambda _: client)
    monkeypatch.setattr("sys.argv", ["ops", "plans", "diff"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "lacks the permission rak_subscription_write" in told
