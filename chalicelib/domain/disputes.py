"""What a dispute's status means for whoever paid."""

from typing import Literal

Verdict = Literal["open", "inquiry", "over", "lost"]
"""inquiry: a bank asks, and no money was withdrawn. over: nothing was lost by it."""

_OVER = frozenset({"won", "warning_closed", "prevented"})


def verdict_of(status: str) -> Verdict:
    """What Stripe's word for a dispute's status means.

    A word that we do not know counts as open: Stripe has added some (`appeal_under_review`), and
    money that is being argued about has not come back.
    """
    if status == "lost":
        return "lost"
    if status in _OVER:
        return "over"
    return "inquiry" if status.startswith("warning_") else "open"
