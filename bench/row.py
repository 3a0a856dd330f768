"""One line of the table."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """What was measured, beside what it could be at best and what others make of it.

    A module of `bench` that has a `rows() -> Iterable[Row]` is found by its name and run.

    Attributes:
        what: the operation, as a user would name it.
        floor: the least that any program could need; empty where there is none.
        others: what is used instead, or what comes of doing it naively.
        ours: the figure of this run.
        goal: what it should be at most.
        unit: what the figures are, in the same words for all of them.
        how: what was run to get them, so that somebody can doubt it.
        met: whether the goal is met; None where there is none.
        why: where the goal is missed, the profile that shows why; or a note worth reading.
    """

    what: str
    floor: str
    others: str
    ours: str
    goal: str
    unit: str
    how: str
    met: bool | None = None
    why: str = ""
