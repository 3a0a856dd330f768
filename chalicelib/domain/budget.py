"""How often one tenant may have us ask Stripe: what they do costs calls that all share.

A click on Subscribe takes up to ten calls, and Stripe allows an account a hundred a second (25 in
A click on Subscribe takes up to ten calls; Stripe allows an account a hundred a second (25 in
"""

from math import ceil

from chalicelib.domain.errors import TooManyRequests

RESERVE = 10
"""Requests that may come at once."""

EVERY = 20
"""Seconds in which one more may come: three a minute, thirty calls of Stripe at the most."""


def spend(busy_until: int | None, now: int) -> int:
    """Take one request from a budget.

    Args:
        busy_until: as it was left: when all that was spent will have come back (epoch seconds).
        now: epoch seconds.

    Returns:
        As it is left then.

    Raises:
        TooManyRequests: the reserve is spent; it says when there is one again.
    """
    left_at = max(busy_until or now, now) + EVERY
    over = left_at - now - RESERVE * EVERY
    if over > 0:
        raise TooManyRequests(retry_after=ceil(over))
    return left_at
