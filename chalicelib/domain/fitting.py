"""What uses more than a plan has, and what gets smaller until it fits: the newest first.

Storage and counts of objects cannot be brought down without deleting what is a customer's, so only
what runs is made smaller. Every size that is taken is remembered; where a plan has room for it
again it is given back, by the same rule.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_CEILING, Decimal
from enum import IntEnum

from chalicelib.domain import quantities

Amounts = Mapping[str, Decimal]

NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class Over:
    """A resource of a quota that is used beyond what it allows; quantities as Kubernetes' texts."""

    name: str
    used: str
    hard: str

    @property
    def by(self) -> str:
        """How much too much."""
        much = _known(self.used) - _known(self.hard)
        return quantities.written(much, binary=self.name.endswith(("memory", "storage")))

    @property
    def is_of_pods(self) -> bool:
        """Whether pods use it, so that fewer pods bring it down."""
        if self.name == "requests.storage":
            return False
        return self.name in {"pods", "count/pods", "cpu", "memory", "ephemeral-storage"} or (
            self.name.startswith(("requests.", "limits."))
        )


def over(hard: Mapping[str, str], used: Mapping[str, str]) -> tuple[Over, ...]:
    """What is used beyond a quota, by name."""
    return tuple(
        Over(name, used[name], limit)
        for name, limit in sorted(hard.items())
        if name in used and _known(used[name]) > _known(limit)
    )


class Turn(IntEnum):
    """In which order things are made smaller."""

    ENDED = 0
    """A pod in which nothing runs any more, and which is still counted."""
    WORKLOAD = 1
    POD = 2
    """One that nobody would make again."""
    OURS = 3
    """What the plan's own templates run."""


@dataclass(frozen=True, slots=True)
class Load:
    """Something that runs pods, all alike.

    Attributes:
        key: what the answer calls it.
        created: as Kubernetes writes times.
        pods: how many it runs, or should.
        each: what one of them uses, by the names that quotas have for it.
        least: to how many it can be brought down.
        divisible: whether it can run some of them; a Job runs or is suspended.
    """

    key: str
    created: str
    pods: int
    each: Amounts
    turn: Turn = Turn.WORKLOAD
    least: int = 0
    divisible: bool = True


def fitted(loads: Sequence[Load], room: Amounts) -> dict[str, int]:
    """How many pods each may run, so that all fit: the newest go first, of those the largest."""
    sizes = {load.key: load.pods for load in loads}
    excess = {name: total(loads, name) - limit for name, limit in room.items()}
    for load in sorted(loads, key=lambda load: _turn(load, room)):
        fewer = _fewer(load, excess)
        sizes[load.key] -= fewer
        for name in excess:
            excess[name] -= fewer * load.each.get(name, NOTHING)
    return sizes


def total(loads: Iterable[Load], name: str) -> Decimal:
    """How much of a resource these use."""
    return sum((load.pods * load.each.get(name, NOTHING) for load in loads), NOTHING)


def limits(hard: Mapping[str, str]) -> dict[str, Decimal]:
    """A quota's limits that pods count against."""
    return {name: _known(limit) for name, limit in hard.items() if Over(name, "", "").is_of_pods}


def _turn(load: Load, room: Amounts) -> tuple[int, float, Decimal, str]:
    shares = (
        load.pods * load.each.get(name, NOTHING) / limit
        for name, limit in room.items()
        if limit > 0
    )
    newest = -datetime.fromisoformat(load.created).timestamp()
    return load.turn, newest, -max(shares, default=NOTHING), load.key


def _fewer(load: Load, excess: Amounts) -> int:
    """How many pods less help; no more than help."""
    needed = [
        (much / load.each[name]).to_integral_value(ROUND_CEILING)
        for name, much in excess.items()
        if much > 0 and load.each.get(name, NOTHING) > 0
    ]
    fewer = min(int(max(needed, default=NOTHING)), load.pods - load.least)
    return load.pods - load.least if fewer > 0 and not load.divisible else max(fewer, 0)


def _known(quantity: str) -> Decimal:
    return quantities.amount(quantity) or NOTHING
