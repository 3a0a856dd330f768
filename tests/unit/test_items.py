"""Records in the table: there and back, and old ones as they were written then."""

import json
from pathlib import Path

import pytest

from chalicelib.domain.record import (
    Billing,
    Checkout,
    Failure,
    FreeGrant,
    Hold,
)
from chalicelib.gateways.items import attributes, changes, record_of
from chalicelib.gateways.wire import dumped, loaded

NOW = 1_800_000_000
GOLDEN = sorted((Path(__file__).parent / "golden").glob("record-*.json"))


@pytest.fixture
def full(record, subscription):
    return record(
        customer_id="cus_1",
        billing=Billing(subscription=subscription(), duplicates=("sub_2",), incomplete=True),
        disputes=("dp_1", "dp_2"),
        free=FreeGrant(started_at=1, ended_at=2),
        free_until=3,
        checkout=Checkout(
            plan_id="pro",
            nonce="n",
            params={"line_items": [{"price": "p", "quantity": 1}], "automatic": True},
            started_at=4,
            session_id="cs_1",
        ),
        paid_session="cs_1",
        lost_disputes=("dp_3",),
        settled=("sub_0",),
        hold=Hold(reason="lost", since=5, dispute_id="dp_3", others=("dp_4",)),
        failure=Failure(permanent=True, reason="r", at=6, revision="rev"),
        nudged=7,
        reconciled=6,
        version=9,
        phase="running",
        ready_since=10,
        due_at=11,
    )


def stored(item):
    """As it comes back from the table."""
    return loaded(dumped(item))


def test_a_record_comes_back_as_it_was(full):
    """Nothing is lost or changed on the way through the table."""
    assert record_of(full.tenant_id, stored(attributes(full))) == full


def test_only_what_differs_is_written(full, record):
    """A write names the attributes that changed, and removes what is gone."""
    to_set, to_remove = changes(full, record(nudged=8, customer_id="cus_1"))
    assert to_set["nudged"] == 8
    assert "customer_id" not in to_set
    assert {"checkout", "hold", "free", "disputes"} <= set(to_remove)


@pytest.mark.parametrize("path", GOLDEN, ids=lambda p: p.stem)
def test_records_outlive_code(path):
    """A record that an earlier version wrote is read with all that it says."""
    golden = json.loads(path.read_text())
    record = record_of("0123456789abcdef", golden["item"])
    for name, value in golden["reads"].items():
        assert getattr(record, name) == value
