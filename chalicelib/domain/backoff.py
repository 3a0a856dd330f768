"""How long to wait before trying again."""

FIRST = 60
"""Seconds from a nudge until the sweep looks at it for the first time."""

LONGEST = 300
"""Seconds: after hours of outage, work goes on within five minutes of its end."""

STUCK = 7
"""Attempts that take more than 15 minutes: a minute until the first, and the sweep comes once a
minute, so that the short waits take a minute each."""


def seconds_before(attempt: int) -> int:
    """Seconds before the given attempt (the first retry is 0): 5, 10, 20, … up to five minutes."""
    return min(5 << min(attempt, 10), LONGEST)


def pending_after(attempts: int) -> int:
    """Seconds that work has been pending, at the least, whose key was sent again so often."""
    return FIRST + sum(seconds_before(attempt) for attempt in range(1, attempts + 1))
