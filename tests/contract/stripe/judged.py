"""The stand-in, held to Stripe's document with everything that it is asked, answers and tells."""

import functools

from sandbox.stripe.state import OK, Stripe
from tests.contract.stripe.differences import DIFFERENCES
from tests.contract.stripe.specification import Specification


@functools.cache
def specification():
    """The document as it was published, and what the pinned version has beyond it."""
    return Specification(*DIFFERENCES)


def expanded(pairs):
    """What a call wants whole."""
    return [value for name, value in pairs if name.startswith("expand[")]


class Judged(Stripe):
    """A call or an event that Stripe could not have made fails the test, where it happens."""

    def __init__(self, now):
        super().__init__(now)
        self.ledger.on_event.append(self._told)

    def call(self, method, path, pairs=(), headers=None):
        """One call; what was refused may have been meant to be wrong, so only its answer counts."""
        pairs, judge = list(pairs), specification()
        answer = super().call(method, path, pairs, headers)
        more = (method, path, answer.status, answer.body, expanded(pairs))
        faults = judge.faults_of_answer(*more)
        if answer.status == OK:
            faults += judge.faults_of_request(method, path, pairs)
        assert not faults, f"{method} {path}: {faults}"
        return answer

    def _told(self, event):
        faults = specification().faults_of_event(event)
        assert not faults, f"{event['type']}: {faults}"
