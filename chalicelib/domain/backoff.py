"""How long to wait before trying again."""

LONGEST = 300
"""Seconds: after hours of outage, work goes on within five minutes of its end."""

STUCK = 7
"""Attempts that take more than 15 minutes: a minute until the first, and the sweep comes once a
minute, so that the short waits take a minute each."""


def seconds_before(attempt: int) -> int:
    """Seconds before the given attempt (the first retry is 0): 5, 10, 20, … up to five minutes."""
    return min(5 << min(attempt, 10), LONGEST)
