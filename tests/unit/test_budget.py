"""How often one tenant may have us ask Stripe."""

import pytest

from chalicelib.domain.budget import EVERY, RESERVE, spend
from chalicelib.domain.errors import TooManyRequests

NOW = 1_800_000_000


def spent(times, left=None, now=NOW):
    for _ in range(times):
        left = spend(left, now)
    return left


def test_a_reserve_may_come_at_once_and_no_more():
    """Whoever chooses clicks some times; then it is said how long to wait."""
    left = spent(RESERVE)
    with pytest.raises(TooManyRequests) as refused:
        spend(left, NOW)
    assert refused.value.retry_after == EVERY


def test_what_is_said_to_wait_is_enough():
    """At that moment one goes through, and not a second before; then the wait is a whole one."""
    left = spent(RESERVE)
    with pytest.raises(TooManyRequests) as refused:
        spend(left, NOW + EVERY - 1)
    assert refused.value.retry_after == 1
    left = spend(left, NOW + EVERY)
    with pytest.raises(TooManyRequests):
        spend(left, NOW + EVERY)


def test_a_budget_fills_up_and_no_further():
    """After a quiet day there is the reserve, and not a day of saving."""
    left = spent(RESERVE)
    assert spent(RESERVE, left, NOW + 86_400) == NOW + 86_400 + RESERVE * EVERY


def test_an_hour_of_clicking_costs_no_more_than_an_even_stream():
    """The reserve, and one each EVERY seconds."""
    left, taken = None, 0
    for second in range(3600):
        try:
            left = spend(left, NOW + second)
        except TooManyRequests:
            continue
        taken += 1
    assert taken <= RESERVE + 3600 // EVERY
