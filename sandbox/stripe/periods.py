"""Billing periods on the calendar: the day of the month stays, where the month has it."""

import calendar
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from sandbox.stripe.objects import Obj

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


def period_end(subscription: Obj) -> int:
    """When the first of the current periods of a subscription's items ends."""
    return min(int(i["current_period_end"]) for i in subscription["items"]["data"])


def set_period(subscription: Obj, start: int, lines: Iterable[Obj] | None = None) -> None:
    """Begin a period of these items, of all where none are named; a trial is one period."""
    for line in subscription["items"]["data"] if lines is None else lines:
        recurring = line["price"]["recurring"]
        line["current_period_start"] = start
        line["current_period_end"] = (
            subscription["trial_end"]
            if subscription["status"] == "trialing"
            else end(
                subscription["billing_cycle_anchor"],
                recurring["interval"],
                recurring["interval_count"],
                start,
            )
        )
    if subscription["cancel_at_period_end"]:
        subscription["cancel_at"] = period_end(subscription)  # it moves with its period


def interval(price: Obj) -> tuple[str, int]:
    """How often a price is paid."""
    return price["recurring"]["interval"], price["recurring"]["interval_count"]
