"""A customer that Stripe does not have: an operator can say so, and forgetting comes to its end."""

import pytest

from chalicelib.domain.errors import Permanent
from ops.operating import customers, leaving
from ops.operating.acting import NothingToDo
from tests.life.operating import accounts, desk  # noqa: F401 - fixtures
from tests.life.world import DAY, IS_DISPUTED


def vanish(world, ada):
    """As if Stripe had never had them: another account's, or test data that were deleted."""
    for kind in ("customer", "subscription", "checkout.session", "invoice", "charge", "dispute"):
        table = world.ledger.tables[kind]
        for key in list(table):
            del table[key]
    world.ledger.deleted.clear()
    world.deliver = lambda _: []
    return ada


def nothing_said(_):
    """Nobody reads it."""


@pytest.fixture
def signed_up(world, accounts):  # noqa: F811 - a fixture
    """A customer with an account."""
    return world.customer(accounts.add("ada@example.com"), email="ada@example.com")


def test_what_they_paid_for_ends_and_they_can_buy_anew(world, ada, desk, agreed):  # noqa: F811
    """Suspended, data kept, a line that says who said so and why; then a new customer."""
    ada.buy()
    old = ada.customer_id
    vanish(world, ada)
    customers.gone(desk, ada.record, "we moved to another account")
    world.settle()
    assert ada.short == ("canceled", False, "basic", "suspended")
    assert ada.status["dataKeptUntil"]
    assert ada.record.customer_id is None
    said = f"the Stripe customer {old} is gone: we moved to another account (by grace)"
    assert said in ada.lines
    agreed()
    world.deliver = lambda new: new
    ada.buy("pro")
    assert ada.customer_id != old
    assert ada.short == ("active", True, "pro", "ready")
    agreed()


def test_an_open_dispute_goes_with_them(world, ada, desk):  # noqa: F811
    """Nobody could ever ask again how it ended."""
    ada.buy(card=IS_DISPUTED)
    assert ada.record.disputes
    vanish(world, ada)
    customers.gone(desk, ada.record, "gone")
    world.settle()
    assert ada.record.disputes == ()


def test_a_customer_that_stripe_has_is_not_gone(world, ada, desk, agreed):  # noqa: F811
    """A live subscription would be paid on, and nobody would know whose it is."""
    ada.call("POST", "start-free")
    with pytest.raises(NothingToDo, match="no Stripe customer on the record"):
        customers.gone(desk, ada.record, "gone")
    ada.buy()
    with pytest.raises(NothingToDo, match=f"Stripe has {ada.customer_id}"):
        customers.gone(desk, ada.record, "gone")
    assert ada.short == ("active", True, "basic", "ready")


def test_forgetting_one_that_stripe_never_had_comes_to_its_end(
    world, signed_up, desk, accounts  # noqa: F811
):  # fmt: skip
    """Nothing waits for a Stripe that knows nothing of them."""
    signed_up.buy()
    vanish(world, signed_up)
    leaving.forget(desk, signed_up.record, 60, nothing_said)
    assert signed_up.record is None
    assert world.namespaces() == {}
    assert accounts.emails() == set()


STOPS = {
    "Stripe does not answer": ("billing", "has_customer"),
    "Stripe refuses": ("billing", "delete_customer"),
    "the pool refuses": ("pool", "delete"),
    "the table refuses": ("ledger", "remove"),
}


@pytest.mark.parametrize("stop", STOPS)
def test_forgetting_that_was_stopped_anywhere_goes_on(
    world, signed_up, desk, accounts, monkeypatch, stop  # noqa: F811
):  # fmt: skip
    """The record stands until all that can refuse is done; the login, by which they are found, goes last."""
    signed_up.buy()
    part, call = STOPS[stop]

    def refuse(*_):
        raise Permanent("no")

    with monkeypatch.context() as patched:
        patched.setattr(getattr(desk, part), call, refuse)
        with pytest.raises(Permanent):
            leaving.forget(desk, signed_up.record, 60, nothing_said)
    assert accounts.emails() == {"ada@example.com"}
    if part == "billing":
        assert world.namespaces() != {}
    if part == "pool":
        account = desk.pool.by_subject(signed_up.user.subject)
        leaving.forget_account(desk, account, nothing_said)
    else:
        leaving.forget(desk, signed_up.record, 60, nothing_said)
    assert signed_up.record is None
    assert accounts.emails() == set()
    assert world.namespaces() == {}
    assert not list(world.ledger.all("subscription", status="active"))


def test_an_ended_customer_is_forgotten_too(world, signed_up, desk):  # noqa: F811
    """Long after they have left."""
    signed_up.buy()
    signed_up.portal("cancel")
    world.advance(40 * DAY)
    leaving.forget(desk, signed_up.record, 60, nothing_said)
    assert signed_up.record is None
