"""What costs calls of Stripe is taken from the budget of whoever asks, before it is done."""

from typing import TYPE_CHECKING

from chalicelib.domain.budget import spend
from chalicelib.domain.errors import Conflict

if TYPE_CHECKING:
    from chalicelib.domain.record import User
    from chalicelib.ports import Clock, Records

TRIES = 4


def charge(user: "User", *, records: "Records", clock: "Clock") -> None:
    """Take one request from the budget; whoever has no record yet has all of it.

    Raises:
        TooManyRequests: it is spent, with the seconds after which it is not.
    """
    for _ in range(TRIES):
        record = records.own(user)
        if record is None:
            return
        left = spend(record.busy_until, int(clock()))
        try:
            records.note_spent(record, left)
        except Conflict:
            continue  # another of their requests was counted at the same moment
        return
