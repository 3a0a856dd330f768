"""Selling, from the service to Stripe and the table: what a customer's next click finds."""

from dataclasses import replace

import pytest

from chalicelib import wiring
from chalicelib.domain.checkout import Shop
from chalicelib.domain.errors import Permanent
from chalicelib.domain.record import User
from chalicelib.services.checkout import Checkouts
from tests.contract.known import SETTINGS

USER = User(issuer="https://issuer.example", subject="u-1", email="ada@example.com")
KEY = "arm-engine-dev-basic-month"


@pytest.fixture
def checkouts(aws, gateway):
    """The real service over the table, the queue and the account."""
    shop = Shop(
        catalogue=wiring.catalogue(),
        stage="dev",
        success_url=SETTINGS["CHECKOUT_SUCCESS_URL"],
        cancel_url=SETTINGS["CHECKOUT_CANCEL_URL"],
    )
    return Checkouts(
        records=wiring.records(), payments=gateway, queue=wiring.queue(), shop=shop,
        clock=wiring.clock(), new_id=wiring.new_id,
    )  # fmt: skip


def test_an_archived_price_stops_nobody_for_long(checkouts, gateway, sdk):
    """The price that was remembered is looked up anew, in the same click."""
    old = gateway.price_id(KEY)
    sdk.prices.create(
        {
            "product": "arm-engine-dev-basic", "currency": "usd", "unit_amount": 3900,
            "recurring": {"interval": "month"}, "lookup_key": KEY, "transfer_lookup_key": True,
        }
    )  # fmt: skip
    sdk.prices.update(old, {"active": False})
    session = checkouts.open(USER, "basic")
    assert session.status == "open"
    assert sdk.checkout.sessions.retrieve(session.id).amount_total == 3900


def test_a_page_that_stripe_refuses_is_not_frozen(checkouts, aws):
    """Once the setting is put right, the same customer can buy."""
    broken = replace(checkouts, shop=replace(checkouts.shop, success_url=""))
    with pytest.raises(Permanent):
        broken.open(USER, "basic")
    assert checkouts.open(USER, "basic").status == "open"
