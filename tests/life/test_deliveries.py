"""Which events reached us, by what stands in the table."""

import pytest
import stripe

from chalicelib import wiring
from chalicelib.domain.stripe_event import SUBSCRIBED, event_of
from ops.doctor.deliveries import Deliveries
from sandbox.stripe.transport import InMemory
from tests.life.world import DAY, IS_DISPUTED


@pytest.fixture
def missing(world):
    """The types of all events up to now that never reached us."""
    client = stripe.StripeClient("sk_test_1", http_client=InMemory(world.stripe))

    def look(deployment="arm-engine-dev"):
        told = world.now() - 29 * DAY  # Stripe tells of an event for thirty days
        events = [
            event_of(event)
            for event in world.ledger.tables["event"].values()
            if event["created"] > told
        ]
        found = Deliveries(client, wiring._db()).missing(events, deployment)
        return {event.type for event in found}

    return look


def test_whatever_was_delivered_is_not_missed(world, ada, missing):
    """A purchase, its dispute and a renewal: each event has its line, or waits for the worker."""
    ada.buy(card=IS_DISPUTED)
    assert missing() == set()
    world.advance(32 * DAY)
    told = {event["type"] for event in world.ledger.tables["event"].values()} & SUBSCRIBED
    assert {"charge.dispute.created", "invoice.paid", "customer.subscription.created"} <= told
    assert missing() == set()


def test_whatever_was_lost_is_missed(world, ada, missing):
    """Of every type, a dispute's too, whose customer only its charge names."""
    url = ada.open()
    world.settle()
    world.deliver = lambda _: []
    ada.pay(url, IS_DISPUTED)
    assert {"charge.dispute.created", "checkout.session.completed", "invoice.paid"} <= missing()
    assert missing("arm-engine-prod") <= {"charge.dispute.created", "payment_intent.succeeded"}
