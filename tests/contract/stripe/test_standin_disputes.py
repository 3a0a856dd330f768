"""Disputes and inquiries, from the first word of the bank to its last."""

import pytest
import stripe

from sandbox.stripe import disputes
from tests.contract.stripe.alone import Alone

PREFIX = "charge.dispute."
CREATED, UPDATED, CLOSED = "created", "updated", "closed"
WITHDRAWN, REINSTATED = "funds_withdrawn", "funds_reinstated"


@pytest.fixture
def shop():
    """An account of its own."""
    return Alone()


def told(shop):
    return [kind.removeprefix(PREFIX) for kind in shop.types(PREFIX)]


def disputed(shop, card="disputed"):
    shop.buy(shop.price("basic", 2900), card)
    return shop.sdk.disputes.list().data[0]


def test_an_inquiry_takes_no_money(shop):
    """Card …1976: a question, about a charge that can still be refunded."""
    made = disputed(shop, "inquiry")
    assert (made.status, made.is_charge_refundable) == ("warning_needs_response", True)
    assert made.balance_transactions == []
    assert told(shop) == [CREATED]


def test_a_dispute_withdraws_the_money_at_once(shop):
    """With its fee, and with an event of its own."""
    made = disputed(shop)
    assert (made.status, made.is_charge_refundable) == ("needs_response", False)
    (moved,) = made.balance_transactions
    assert (moved.amount, moved.fee, moved.net) == (-2900, 1500, -4400)
    assert told(shop) == [CREATED, WITHDRAWN]


@pytest.mark.parametrize(
    ("card", "path", "events"),
    [
        ("disputed", ["under_review", "won"], [UPDATED, CLOSED, REINSTATED]),
        ("disputed", ["under_review", "lost"], [UPDATED, CLOSED]),
        ("disputed", ["lost"], [CLOSED]),
        (
            "disputed",
            ["lost", "appeal_needs_response", "appeal_under_review", "won"],
            [CLOSED, UPDATED, UPDATED, CLOSED, REINSTATED],
        ),
        (
            "disputed",
            ["lost", "appeal_needs_response", "appeal_under_review", "lost"],
            [CLOSED, UPDATED, UPDATED, CLOSED],
        ),
        ("disputed", ["prevented"], [CLOSED]),
        ("inquiry", ["warning_under_review", "warning_closed"], [UPDATED, CLOSED]),
        ("inquiry", ["warning_closed"], [CLOSED]),
        ("inquiry", ["needs_response", "won"], [WITHDRAWN, UPDATED, CLOSED, REINSTATED]),
        ("inquiry", ["needs_response", "lost"], [WITHDRAWN, UPDATED, CLOSED]),
    ],
)
def test_each_way_that_a_dispute_goes_is_told(shop, card, path, events):
    """`closed` with each verdict, `updated` in between, money when it moves."""
    made = disputed(shop, card)
    before = len(told(shop))
    for status in path:
        disputes.move(shop.ledger, shop.ledger.tables["dispute"][made.id], status)
    found = shop.sdk.disputes.retrieve(made.id)
    assert found.status == path[-1]
    assert told(shop)[before:] == events
    given_back = REINSTATED in events
    assert sum(b.amount for b in found.balance_transactions) == (
        0 if given_back or path[-1].startswith("warning") else -2900
    )


def test_evidence_is_submitted_and_decides(shop):
    """In test mode two texts decide; any other is looked at."""
    made = disputed(shop)
    sent = shop.sdk.disputes.update(made.id, {"evidence": {"uncategorized_text": "It was used."}})
    assert (sent.status, sent.evidence_details.has_evidence) == ("under_review", True)
    won = {"evidence": {"uncategorized_text": "winning_evidence"}}
    assert shop.sdk.disputes.update(made.id, won).status == "won"
    with pytest.raises(stripe.InvalidRequestError, match="already closed"):
        shop.sdk.disputes.update(made.id, won)
    with pytest.raises(stripe.InvalidRequestError, match="already closed"):
        shop.sdk.disputes.close(made.id)


def test_an_inquiry_is_answered(shop):
    """What wins a dispute closes an inquiry."""
    made = disputed(shop, "inquiry")
    sent = shop.sdk.disputes.update(made.id, {"evidence": {"uncategorized_text": "Look."}})
    assert sent.status == "warning_under_review"
    won = {"evidence": {"uncategorized_text": "winning_evidence"}}
    assert shop.sdk.disputes.update(made.id, won).status == "warning_closed"
