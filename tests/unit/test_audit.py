"""What the audit judges of a record alone: what is stuck, and what is used beyond a plan."""

import pytest

from chalicelib.domain import audit
from chalicelib.domain.record import Excess, Failure

NOW = 1_800_000_000
HOUR = 3600


def failed(since, *, permanent=False, at=NOW - 60):
    return Failure(permanent=permanent, reason="Stripe is away", at=at, since=since)


@pytest.mark.parametrize(
    ("facts", "is_stuck"),
    [
        ({"nudged": 1, "failure": failed(NOW - HOUR - 60)}, True),
        ({"nudged": 1, "failure": failed(NOW - HOUR + 60)}, False),
        ({"nudged": 1, "failure": failed(None, at=NOW - 2 * HOUR)}, True),
        ({"nudged": 1, "attempts": 30}, True),
        ({"nudged": 1, "attempts": 3}, False),
        ({"nudged": 1}, False),
        ({"nudged": 2, "failure": failed(None, permanent=True, at=NOW - 9 * HOUR)}, False),
        ({"nudged": 1, "reconciled": 1, "failure": failed(NOW - 9 * HOUR)}, False),
    ],
)
def test_what_has_been_pending_for_an_hour_is_a_finding(record, facts, is_stuck):
    """However it is stuck: by failures that are told, or by attempts of which none has ended."""
    found = audit.stuck(record(**facts), NOW)
    assert [f.kind for f in found] == (["stuck"] if is_stuck else [])
    assert not any(f.can_be_mended for f in found)


@pytest.mark.parametrize(
    ("excess", "over", "told"),
    [
        (None, {"pods": "5"}, True),
        (Excess(over={"pods": "5"}, fit_until=NOW + 1), {"pods": "5"}, False),
        (Excess(over={"pods": "5"}, fit_until=NOW), {"pods": "5"}, True),
        (None, {}, False),
    ],
)
def test_more_than_is_paid_for_is_a_finding_once_its_grace_is_over(record, excess, over, told):
    """What a smaller plan does not hold may run on for a while: that is known, and no finding."""
    found = audit.excess(record(excess=excess), over, NOW)
    assert [f.kind for f in found] == (["uses more than it pays for"] if told else [])
    assert all("pods by 5" in f.text for f in found)
