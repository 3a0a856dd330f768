"""From a history that fails to the shortest that still does."""

from collections.abc import Callable
from dataclasses import fields, replace

from tests.simulation.history import Act, History
from tests.simulation.many import live
from tests.simulation.outside import Weather

MOST_RUNS = 400


class _Enough(Exception):
    """It has been tried often enough."""


def shrunk(history: History) -> History:
    """The same failure with as few acts, customers and troubles as can be found.

    Anything wrong counts as the same: what is left at the end is what is to be understood.
    """
    left = [MOST_RUNS]

    def fails(candidate: History) -> bool:
        if not left[0]:
            raise _Enough
        left[0] -= 1
        return bool(live(candidate).broken)

    best = [history]

    def take(candidate: History) -> bool:
        if fails(candidate):
            best[0] = candidate
            return True
        return False

    try:
        _fewer_acts(best, take)
        _better_weather(best, take)
        if best[0].later:
            take(replace(best[0], later=0.0))
        _fewer_acts(best, take)
        _sooner(best, take)
    except _Enough:
        pass
    names = tuple(n for n in best[0].names if any(act.who == n for act in best[0].acts))
    alone = replace(best[0], names=names)
    return alone if live(alone).broken else best[0]


def _fewer_acts(best: list[History], take: Callable[[History], bool]) -> None:
    """Leave out halves, quarters, … and single acts, as long as it still fails."""
    size = max(1, len(best[0].acts) // 2)
    while True:
        at, smaller = 0, False
        while at < len(best[0].acts):
            acts = best[0].acts
            if take(best[0].only(acts[:at] + acts[at + size :])):
                smaller = True
            else:
                at += size
        if size == 1 and not smaller:
            return
        size = max(1, size // 2)


def _better_weather(best: list[History], take: Callable[[History], bool]) -> None:
    calm = Weather()
    for each in fields(Weather):
        weather = replace(best[0].weather, **{each.name: getattr(calm, each.name)})
        if weather != best[0].weather:
            take(replace(best[0], weather=weather))


def _sooner(best: list[History], take: Callable[[History], bool]) -> None:
    """Let the time between two acts pass at once, where it does not matter."""
    for i in range(len(best[0].acts)):
        acts = best[0].acts
        gap = acts[i].at - (acts[i - 1].at if i else 0.0)
        if gap > 10:
            moved: tuple[Act, ...] = tuple(
                replace(act, at=act.at - gap + 5) if j >= i else act for j, act in enumerate(acts)
            )
            take(best[0].only(moved))
