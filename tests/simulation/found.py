"""Histories that have found something, at their shortest: each failed once and must not again.

They are kept whole, since a seed's history changes with the code that makes histories of seeds.
"""

from tests.simulation.history import BOUNCES, Act, History
from tests.simulation.outside import Weather

FOUND = {
    "the audit takes a subscription that never began for one of nobody": History(
        seed=321,
        acts=(
            Act(5, 5.0, "bob", "subscribe", ("basic",)),
            Act(6, 6.8, "bob", "pay", (BOUNCES,)),
            Act(16, 695_808.4, "bob", "subscribe", ("pro",)),
            Act(17, 695_813.4, "bob", "delete_customer"),
        ),
        weather=Weather(),
        names=("bob",),
    ),
}
