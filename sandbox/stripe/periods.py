"""Billing periods on the calendar: the day of the month stays, where the month has it."""

import calendar
from datetime import UTC, datetime, timedelta

DAY = 86_400


def add(start: int, interval: str, count: int) -> int:
    """So many intervals later; the 31st of January and a month is the last of February."""
    at = datetime.fromtimestamp(start, UTC)
    if interval in {"day", "week"}:
        return int((at + timedelta(days=count * (7 if interval == "week" else 1))).timestamp())
    months = at.month - 1 + count * (12 if interval == "year" else 1)
    year, month = at.year + months // 12, months % 12 + 1
    day = min(at.day, calendar.monthrange(year, month)[1])
    return int(at.replace(year=year, month=month, day=day).timestamp())


def end(anchor: int, interval: str, count: int, after: int) -> int:
    """The first end of a period, counted from the anchor, that lies after a moment."""
    n = 1
    while (found := add(anchor, interval, n * count)) <= after:
        n += 1
    return found
