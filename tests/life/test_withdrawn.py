"""A plan that is withdrawn from sale: nobody buys it, and who pays it keeps it."""

from dataclasses import replace

import pytest
import stripe

from chalicelib import wiring
from ops import plans
from sandbox.stripe.transport import InMemory
from tests.life.world import DAY, FAILS_LATER


@pytest.fixture
def withdraw(world, catalogue, monkeypatch):
    """Take Basic off sale, as a deploy does: the file first, then what Stripe holds of it."""

    def act():
        left = tuple(replace(p, sold=p.id != "basic") for p in catalogue.plans)
        later = replace(catalogue, plans=left)
        monkeypatch.setattr(wiring, "catalogue", lambda: later)
        client = stripe.StripeClient("sk_test_1", http_client=InMemory(world.stripe))
        plans.push(client, later, "dev")
        world.settle()

    return act


def test_who_pays_it_keeps_it_and_is_renewed(world, ada, agreed, withdraw):
    """The next month is charged at the same price, and the tenant runs as before."""
    ada.buy()
    withdraw()
    assert ada.short == ("active", True, "basic", "ready")
    agreed()
    first = ada.status["currentPeriodEnd"]
    world.advance(32 * DAY)
    assert ada.short == ("active", True, "basic", "ready")
    assert ada.status["currentPeriodEnd"] > first
    assert ada.record.failure is None
    agreed()


def test_what_ends_ends_as_every_other(world, ada, agreed, withdraw):
    """A payer of it who stops paying is suspended when grace is over."""
    ada.buy(card=FAILS_LATER)
    withdraw()
    world.advance(31 * DAY + 7 * DAY)
    assert ada.short == ("past_due", False, "basic", "suspended")
    agreed()


def test_nobody_can_begin_to_pay_it(world, ada, withdraw):
    """It is in no list, and asking for it is asking for no plan at all."""
    withdraw()
    _, listed = ada.call("GET", "plans")
    assert [plan["id"] for plan in listed] == ["free", "pro"]
    status, body = ada.checkout("basic")
    assert (status, body["error"]["code"]) == (400, "unknown_plan")
    ada.buy("pro")
    assert ada.short == ("active", True, "pro", "ready")


def test_the_portal_leads_out_of_it_and_not_into_it(world, ada, agreed, withdraw):
    """Whoever pays it may go to a plan that is sold, and not come back."""
    ada.buy()
    withdraw()
    ada.portal("switch", plan="pro-month")
    assert ada.short == ("active", True, "pro", "ready")
    with pytest.raises(AssertionError, match="does not offer it"):
        ada.portal("switch", plan="basic-month")
    agreed()
