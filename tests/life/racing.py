"""Several activities at once, one step at a time, in an order that a seed decides.

Every call to the outside is two steps, before and after it; between any two, another activity may
go on, or this one may die as a process dies. So a seed is one interleaving, and comes back.
"""

from greenlet import getcurrent, greenlet

from chalicelib.domain.errors import DomainError
from sandbox.stripe.transport import InMemory
from tests.simulation.dynamodb import MemoryDynamoDb


class Crash(BaseException):
    """The process is gone. Nothing in the code may catch it."""


class Activity:
    """One request, one message, one click; `dies_at` is the step at which it crashes."""

    def __init__(self, work, dies_at=None):
        self.result = self.refused = None
        self.crashed = False
        self._work = work
        self._dies_at = dies_at
        self._steps = 0
        self.greenlet = greenlet(self._run)

    def _run(self):
        try:
            self.result = self._work()
        except DomainError as e:
            self.refused = e
        except Crash:
            self.crashed = True

    def go_on(self):
        """Until its next step."""
        self._steps += 1
        self.greenlet.parent = getcurrent()
        if self._steps == self._dies_at:
            self.greenlet.throw(Crash)
        else:
            self.greenlet.switch()


class Race:
    """Runs activities; `watch` is called after every step."""

    def __init__(self, rng, watch=lambda: None):
        self._rng = rng
        self._watch = watch
        self._hub = None
        self._running = set()

    def step(self):
        """Let others go on, if this is an activity."""
        if getcurrent() in self._running:
            self._hub.switch()

    def run(self, activities):
        """All of them, to their end."""
        self._hub = getcurrent()
        alive = list(activities)
        self._running = {each.greenlet for each in alive}
        while alive:
            each = self._rng.choice(alive)
            each.go_on()
            if each.greenlet.dead:
                alive.remove(each)
            self._watch()
        self._running = set()


class RacingStripe(InMemory):
    """The SDK's transport, with a step before and after each call."""

    def __init__(self, account):
        super().__init__(account)
        self.step = lambda: None

    def request(self, method, url, headers, post_data=None, *, _usage=None):
        """One call."""
        self.step()
        answer = super().request(method, url, headers, post_data)
        self.step()
        return answer


class RacingTable:
    """boto3's client for the table, in memory, with a step before and after each call."""

    def __init__(self):
        self._table = MemoryDynamoDb()
        self.step = lambda: None

    def forget(self):
        """Empty the table."""
        self._table = MemoryDynamoDb()

    def __getattr__(self, name):
        """A call of that name."""
        served = getattr(self._table, name)

        def call(**arguments):
            self.step()
            try:
                return served(**arguments)
            finally:
                self.step()

        return call
