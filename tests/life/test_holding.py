"""What an operator is told and offered when they hold somebody, and who needs a person at all."""

import json

import pytest
from click.testing import CliRunner

from ops.cli import ops
from ops.commands import common
from tests.life.operating import accounts, desk  # noqa: F401 - fixtures
from tests.life.world import DAY, FAILS_LATER


@pytest.fixture
def run(desk, monkeypatch):  # noqa: F811 - a fixture
    """A command; what it prints, and what it answers to a program."""
    monkeypatch.setattr(common, "_desk", lambda *_: desk)

    def act(*words, code=0):
        done = CliRunner().invoke(ops, words, catch_exceptions=True)
        assert done.exit_code == code, (done.output, done.exception)
        return done.output

    return act


def test_a_hold_says_that_billing_goes_on(world, ada, run):
    """By which subscription and when next, and how to pause it; and it does go on."""
    ada.buy()
    told = run("suspend", ada.tenant_id, "--reason", "abuse")
    sub = ada.subscription["id"]
    assert f"billing goes on: {sub} renews {ada.status['currentPeriodEnd']}" in told
    assert "--pause-billing" in told
    assert "suspended: abuse (by grace)" in ada.lines
    world.advance(32 * DAY)
    assert len(list(world.ledger.all("invoice", status="paid"))) == 2
    assert ada.short == ("active", False, "basic", "suspended")


def test_a_hold_can_pause_billing(world, ada, run):
    """Nothing is charged while it lasts; the line says so; after it they are charged again."""
    ada.buy()
    told = run("suspend", ada.tenant_id, "--reason", "abuse", "--pause-billing", "--json")
    answer, _ = json.JSONDecoder().raw_decode(told[told.index("{\n") :])  # the worker logs, too
    assert answer["billing"] == f"nothing is charged by {ada.subscription['id']} while it is held"
    assert "suspended, and billing paused: abuse (by grace)" in ada.lines
    world.advance(32 * DAY)
    assert len(list(world.ledger.all("invoice", status="paid"))) == 1
    run("resume", ada.tenant_id, "--reason", "it was somebody else")
    world.advance(32 * DAY)
    assert len(list(world.ledger.all("invoice", status="paid"))) == 2
    assert ada.short == ("active", True, "basic", "ready")


def test_billing_of_one_that_is_held_already_can_be_paused(world, ada, run):
    """The same command again with the option; a third time there is nothing to do."""
    ada.buy()
    run("suspend", ada.tenant_id, "--reason", "abuse")
    told = run("suspend", ada.tenant_id, "--reason", "it lasts", "--pause-billing")
    assert "nothing is charged" in told
    assert ada.record.hold.reason == "abuse"
    assert "billing paused: it lasts (by grace)" in ada.lines
    assert ada.subscription["pause_collection"]
    run("suspend", ada.tenant_id, "--reason", "x", "--pause-billing", code=1)


def test_who_pays_nothing_has_nothing_to_pause(ada, run):
    """On Free there is no billing to speak of."""
    ada.call("POST", "start-free")
    told = run("suspend", ada.tenant_id, "--reason", "abuse")
    assert "nothing is charged: there is no live subscription" in told


def problems(run):
    return {
        row["tenantId"]: row["problems"]
        for row in json.loads(run("tenants", "list", "--problems", "--json"))
    }


def test_who_needs_nobody_is_not_listed(world, ada, run):
    """Well, in grace, suspended for not paying: policy sees to those."""
    ada.buy(card=FAILS_LATER)
    assert problems(run) == {}
    world.advance(31 * DAY)
    assert problems(run) == {}
    world.advance(8 * DAY)
    assert problems(run) == {}


def test_what_is_pending_for_an_hour_is_listed(world, ada, run):
    """Not after a minute; then with the reason that it waits for."""
    url = ada.open()
    world.stripe.trouble.set({"outage": 9999})
    ada.pay(url)
    world.settle()
    assert problems(run) == {}
    world.advance(2 * 3600)
    (told,) = problems(run)[ada.tenant_id]
    assert "pending for" in told
    world.stripe.trouble.clear()
    world.advance(600)
    assert problems(run) == {}


def test_what_cannot_be_read_is_listed(world, ada, run):
    """A second plan of ours in one subscription: somebody has to look at it."""
    ada.buy()
    (pro,) = world.ledger.all("price", lookup_key="arm-engine-dev-pro-month")
    world.sdk.subscriptions.update(ada.subscription["id"], {"items": [{"price": pro["id"]}]})
    world.settle()
    (told,) = problems(run)[ada.tenant_id]
    assert "a live subscription cannot be read" in told
    assert ada.subscription["id"] in told


def test_who_is_charged_twice_is_listed(world, ada, run):
    """By both subscriptions' ids."""
    first = ada.buy()
    (pro,) = world.ledger.all("price", lookup_key="arm-engine-dev-pro-month")
    other = world.sdk.subscriptions.create({
        "customer": ada.customer_id, "items": [{"price": pro["id"]}],
        "default_payment_method": first["default_payment_method"],
    })  # fmt: skip
    world.settle()
    (told,) = problems(run)[ada.tenant_id]
    assert told.startswith("charged twice: ")
    assert first["id"] in told
    assert other.id in told
