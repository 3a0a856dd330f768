"""Owns time and order: every activity is a greenlet, and whatever it waits for is a moment."""

import heapq
import itertools
from collections.abc import Callable, Iterable
from random import Random
from typing import Any

from greenlet import getcurrent, greenlet

MOST_MOMENTS = 200_000
"""More than this in one history would be a system that never comes to rest."""


class Crash(BaseException):
    """The process is gone, at once. Nothing in the code may catch it."""


class NeverAtRest(Exception):
    """There is always something more to do."""


class Scheduler:
    """Moments in their order; `now` is epoch seconds and moves only here."""

    def __init__(self, now: float) -> None:
        self.now = now
        self.current: Strand | None = None
        self.on_switch: Callable[[], Any] = lambda: None
        self.restore: Callable[[Any], None] = lambda _: None
        self._moments: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._until = now
        self._done = 0

    def at(self, when: float, action: Callable[[], None]) -> None:
        """Do something at a moment; what is late is done now."""
        heapq.heappush(self._moments, (max(when, self.now), next(self._order), action))

    def run(self, until: float, *, ahead: float = 0.0) -> None:
        """Let everything up to a moment happen, and stand at that moment.

        Args:
            until: the moment.
            ahead: how far what happens may go on by itself, if nobody else has anything to do.
        """
        self._until = max(until, ahead)
        while self._moments and self._moments[0][0] <= until:
            self._count()
            self.now, _, action = heapq.heappop(self._moments)
            action()
        self.now = max(self.now, until)

    def skip(self, seconds: float) -> bool:
        """Let time pass in place, if nobody else has anything to do until then."""
        when = self.now + seconds
        if when > self._until or (self._moments and self._moments[0][0] <= when):
            return False
        self._count()
        self.now = when
        return True

    def _count(self) -> None:
        self._done += 1
        if self._done > MOST_MOMENTS:
            raise NeverAtRest(f"{MOST_MOMENTS} moments, and there are more")

    def next_moment(self) -> float | None:
        """When something happens next."""
        return self._moments[0][0] if self._moments else None

    def sleep(self, seconds: float) -> None:
        """`time.sleep` for whatever runs here."""
        if self.current is None:
            raise RuntimeError("only an activity can wait")
        self.current.pause(seconds)


class Strand:
    """One line of execution of an activity; most have one."""

    def __init__(self, activity: "Activity", work: Callable[[], Any]) -> None:
        self.activity = activity
        self.result: Any = None
        self.error: Exception | None = None
        self.done = False
        self._work = work
        self._is_all = False
        self._scheduler = activity.scheduler
        self._hub: greenlet | None = None
        self._request: Any = None
        self._greenlet = greenlet(self._run)

    def _run(self) -> None:
        try:
            self.result = self._work()
        except Crash:
            self.activity.killed = True
        self.done = True

    def pause(self, seconds: float) -> None:
        """Let others go on meanwhile."""
        if self.activity.killed:
            raise Crash
        if self._is_all and self._scheduler.skip(seconds):
            return
        self._scheduler.at(self._scheduler.now + seconds, self.resume)
        self.wait()

    def wait(self) -> None:
        """Until somebody resumes this strand."""
        self._request = self._scheduler.on_switch()
        if self._hub is None:
            raise RuntimeError("a strand waits only while it runs")
        self._hub.switch()
        self._scheduler.restore(self._request)

    def begin(self) -> None:
        """Start now, in the middle of whatever else happens at this moment."""
        self._is_all = False
        self._enter(self._greenlet.switch)

    def resume(self) -> None:
        """Go on, from the scheduler's loop: it is all that happens at this moment."""
        if not self.done:
            self._is_all = True
            self._enter(self._greenlet.switch)

    def kill(self) -> None:
        """End here, as a process ends."""
        if not self.done:
            self.done = True
            if self._greenlet:
                self._enter(lambda: self._greenlet.throw(Crash))

    def _enter(self, switch: Callable[[], Any]) -> None:
        before, self._scheduler.current = self._scheduler.current, self
        self._hub = self._greenlet.parent = getcurrent()
        try:
            switch()
        finally:
            self._scheduler.current = before
        self.activity.look()


class Activity:
    """Something that goes on beside others: a request, a message, a click.

    Attributes:
        kind: what it is called in reports of what was crashed where.
        tenant: whom it is about, for ids and stories.
        random: its own, so that leaving another activity out changes nothing here.
        killed: whether its process is gone.
        error: what it ended with, if it raised.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        kind: str,
        tenant: str | None,
        random: Random,
        work: Callable[[], Any],
        *,
        then: Callable[["Activity"], None] = lambda _: None,
        limit: float | None = None,
    ) -> None:
        self.scheduler = scheduler
        self.kind = kind
        self.tenant = tenant
        self.random = random
        self.killed = False
        self.ended = False
        self.error: Exception | None = None
        self.calls = 0
        self.result: Any = None
        self.since = scheduler.now
        self._work = work
        self._then = then
        self._strands = [Strand(self, self._guarded)]
        if limit is not None:
            scheduler.at(scheduler.now + limit, self.kill)

    def start(self) -> None:
        """Begin, from the scheduler's loop."""
        self._strands[0].begin()

    def kill(self) -> None:
        """The process ends: a crash, or a time limit."""
        if not self.ended:
            self.killed = True
            self.look()

    def _guarded(self) -> None:
        try:
            self.result = self._work()
        except Exception as e:  # noqa: BLE001 - what became of it is for `then` to judge
            self.error = e

    def look(self) -> None:
        """After each step: whether it is over."""
        if self.ended:
            return
        if self.killed:
            self.ended = True
            for strand in self._strands:
                strand.kill()
            self._then(self)
        elif self._strands[0].done:
            self.ended = True
            self._then(self)

    def side_by_side(self, works: Iterable[Callable[[], Any]]) -> list[Any]:
        """Do several things at once, as threads would; their results in the given order."""
        me = self.scheduler.current
        if me is None:
            raise RuntimeError("only an activity can do several things at once")
        strands = [Strand(self, work) for work in works]
        self._strands += strands
        left = [len(strands)]

        def counted(strand: Strand, work: Callable[[], Any]) -> Callable[[], Any]:
            def run() -> Any:
                try:
                    return work()
                except Exception as e:  # noqa: BLE001 - raised again where it is asked for
                    strand.error = e
                    return None
                finally:
                    left[0] -= 1
                    if not left[0]:
                        self.scheduler.at(self.scheduler.now, me.resume)

            return run

        for strand in strands:
            strand._work = counted(strand, strand._work)
            self.scheduler.at(self.scheduler.now, strand.resume)
        if strands:
            me.wait()
        for strand in strands:
            if strand.error is not None:
                raise strand.error
        return [strand.result for strand in strands]
