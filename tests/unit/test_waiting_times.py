"""How long customers wait, as far as the record tells."""

import pytest

from chalicelib.domain.backoff import STUCK, pending_after
from chalicelib.domain.record import Billing, Record, User
from chalicelib.domain.subscription import Subscription

USER = User("https://issuer.example", "u-1")
PAID = Billing(subscription=Subscription(id="sub_1", status="active", created=1000))


@pytest.mark.parametrize(
    ("billing", "ready_since", "waited"),
    [
        (PAID, 1003, 3),
        (PAID, 1000, 0),
        (PAID, None, None),
        (PAID, 400, None),
        (Billing(), 1003, None),
    ],
    ids=["paid, then ready", "within the second", "not ready", "it stood before", "Free"],
)
def test_the_wait_is_from_paying_to_ready(billing, ready_since, waited):
    """Only where somebody paid and then waited."""
    record = Record(tenant_id=USER.tenant_id, user=USER, billing=billing, ready_since=ready_since)
    assert record.seconds_to_ready == waited


def test_stuck_is_more_than_a_quarter_of_an_hour():
    """What the alarm calls stuck has been pending for at least 15 minutes."""
    assert pending_after(0) == 60
    assert pending_after(STUCK) > 15 * 60
