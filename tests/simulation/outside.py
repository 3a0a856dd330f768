"""Every call to the outside passes here: it takes its time, fails, gets lost, or kills the caller."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any, TypeVar

from tests.simulation.scheduler import Activity, Crash, Scheduler

T = TypeVar("T")
Fails = Callable[[str], Exception]
"""Makes the error of a system: `away`, `throttled`, `lost` or `conflict`."""

SLOW = 0.04
"""The share of calls that take seconds."""

LONG = 0.1
"""The share of deaths that come late: only suspensions, resumptions and audits make so many calls."""

SELDOM = tuple(
    f"{kind} {call}"
    for kind, calls in {
        "audit": (
            "cluster.GET ", "cluster.PATCH ", "queue.", "stripe.GET disputes", "table.get",
            "table.transact",
        ),
        "webhook": ("stripe.", "table.put_item"),
        "worker": (
            "cluster.DELETE ", "cluster.GET deployments", "cluster.LIST ",
            "cluster.PATCH configmaps", "queue.", "stripe.POST ",
        ),
    }.items()
    for call in calls
)  # fmt: skip
"""How calls begin that few activities make: there they die more often, or they never would."""


class Answered(Exception):
    """The system answered, with a failure."""

    def __init__(self, answer: Any) -> None:
        super().__init__()
        self.answer = answer


@dataclass(frozen=True, slots=True)
class Weather:
    """How bad it is all along; chances from 0 to 1, by call or by activity.

    Attributes:
        crash: that an activity's process dies at one of its calls.
        throttle: that a call is throttled.
        lost: that a call has its effect and its answer never comes.
        conflict: that a write meets another transaction.
        duplicate: that an event that was delivered comes again.
        late: that an event's first delivery takes minutes or hours.
        slow: how much slower than milliseconds the network is.
        skew: seconds that two clocks may differ.
    """

    crash: float = 0.0
    throttle: float = 0.0
    lost: float = 0.0
    conflict: float = 0.0
    duplicate: float = 0.0
    late: float = 0.0
    slow: float = 1.0
    skew: float = 0.0


@dataclass(slots=True)
class Points:
    """Where the outside was called, and where a process died: `before` or `after` the effect."""

    passed: Counter[str] = field(default_factory=Counter)
    crashed: Counter[str] = field(default_factory=Counter)


class Outside:
    """The network between an activity and a system."""

    def __init__(self, scheduler: Scheduler, weather: Weather) -> None:
        self.weather = weather
        self.points = Points()
        self.calm = False
        self._scheduler = scheduler
        self._away: dict[str, float] = {}
        self._fates: dict[int, tuple[int, str]] = {}

    def take_away(self, system: str, until: float) -> None:
        """An outage."""
        self._away[system] = max(until, self._away.get(system, 0.0))

    def heal(self) -> None:
        """Everything works from now on."""
        self.calm = True
        self._away.clear()

    def is_away(self, system: str) -> bool:
        """Whether a system does not answer at the moment."""
        return self._scheduler.now < self._away.get(system, 0.0)

    def back_at(self, system: str) -> float:
        """When it answers again."""
        return max(self._scheduler.now, self._away.get(system, 0.0))

    def doom(self, activity: Activity) -> None:
        """Decide whether, and where, an activity's process will die."""
        if not self.calm and activity.random.random() < self.weather.crash:
            n = int(activity.random.triangular(1, 20, 2))
            if activity.random.random() < LONG:
                n = activity.random.randrange(20, 70)
            self._fates[id(activity)] = (n, _side(activity.random))

    def forget(self, activity: Activity) -> None:
        """It is over."""
        self._fates.pop(id(activity), None)

    def call(
        self,
        system: str,
        name: str,
        effect: Callable[[], T],
        fails: Fails,
        *,
        again: Callable[[], T] | None = None,
        writes: bool = False,
    ) -> T:
        """One call, with everything that can happen to it.

        Args:
            system: table, queue, stripe or cluster.
            name: of the call.
            effect: does it.
            fails: makes the system's errors.
            again: what a transport that lost the answer does by itself; None: it tells.
            writes: whether it can meet another writer.
        """
        strand = self._scheduler.current
        if strand is None:
            return effect()
        activity = strand.activity
        activity.calls += 1
        n, point = activity.calls, f"{activity.kind} {system}.{name}"
        random, weather = activity.random, self.weather
        self.points.passed[point] += 1
        if point.startswith(SELDOM) and not self.calm and random.random() < weather.crash:
            self._fates[id(activity)] = (n, _side(random))
        strand.pause(self._latency(random))
        self._maybe_die(activity, n, point, "before")
        if self.is_away(system):
            raise fails("away")
        if not self.calm:
            if random.random() < weather.throttle:
                raise fails("throttled")
            if writes and random.random() < weather.conflict:
                raise fails("conflict")
        try:
            result = effect()
            if not self.calm and random.random() < weather.lost:
                strand.pause(self._latency(random))
                if again is None or self.is_away(system):
                    raise fails("lost")
                result = again()
        finally:
            if not activity.killed:
                strand.pause(self._latency(random))
                self._maybe_die(activity, n, point, "after")
        return result

    def _latency(self, random: Any) -> float:
        seconds = float(random.random()) * 0.02 * self.weather.slow
        if not self.calm and random.random() < SLOW:
            seconds += random.random() * 3
        return seconds

    def _maybe_die(self, activity: Activity, n: int, point: str, side: str) -> None:
        if self._fates.get(id(activity)) == (n, side) and not self.calm:
            self.points.crashed[f"{point} {side}"] += 1
            activity.killed = True
            raise Crash

    def toss(self) -> bool:
        """A coin, thrown by whoever is calling."""
        strand = self._scheduler.current
        return strand is not None and strand.activity.random.random() < 0.5


def _side(random: Random) -> str:
    return "before" if random.random() < 0.5 else "after"
