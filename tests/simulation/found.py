"""Histories that have found something, at their shortest: each failed once and must not again.

They are kept whole, since a seed's history changes with the code that makes histories of seeds.
"""

from tests.simulation.history import BOUNCES, FAILS_LATER, GOOD, Act, History
from tests.simulation.outside import Weather

FOUND = {
    "what began and ended before the first look has no line": History(
        seed=43,
        acts=(Act(0, 5.0, "ada", "start_free"), Act(1, 7.5, "ada", "stop_free")),
        weather=Weather(),
        names=("ada",),
    ),
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
    "an apply adopts a namespace that somebody makes while a reconcile runs": History(
        seed=10209,
        acts=(
            Act(1, 5.0, "ada", "subscribe", ("basic",)),
            Act(2, 10.0, "ada", "pay", (GOOD,)),
            Act(3, 12.547, "ada", "somebody_takes_the_namespace", (3600.0,)),
        ),
        weather=Weather(),
        names=("ada",),
    ),
    "what a patch has stopped, an apply may not start": History(
        seed=12460,
        acts=(
            Act(2, 5.0, "cem", "subscribe", ("basic",)),
            Act(3, 7.4, "cem", "pay", (FAILS_LATER,)),
            Act(4, 9.5, "cem", "cancel_at_period_end"),
            Act(8, 117.3, "cem", "pause_subscription"),
            Act(22, 1_721_539.1, "cem", "pause_subscription"),
        ),
        weather=Weather(throttle=0.07593535384215441),
        names=("cem",),
    ),
    "a customer deleted between two questions leaves nothing": History(
        seed=14492,
        acts=(
            Act(0, 9.90405742801537, "bob", "subscribe_twice", ("basic",)),
            Act(2, 11.336738405849651, "bob", "pay", (GOOD,)),
            Act(3, 12.059758987939743, "bob", "delete_customer"),
        ),
        weather=Weather(),
        names=("bob",),
    ),
    "a customer deleted between two questions has ended when we looked": History(
        seed=35055,
        acts=(
            Act(4, 5.0, "bob", "subscribe", ("pro",)),
            Act(17, 10.0, "bob", "asks_for_a_look"),
            Act(18, 66.22903737368324, "bob", "second_subscription", ("pro",)),
            Act(20, 69.18166843707877, "bob", "delete_customer"),
        ),
        weather=Weather(slow=40.0),
        names=("bob",),
    ),
    "whoever buys again after their customer was deleted leaves the old subscription behind": History(
        seed=9712,
        acts=(
            Act(0, 9.933689988978431, "ada", "subscribe", ("pro",)),
            Act(2, 14.933689988974947, "ada", "outage", ("queue", 1200.0)),
            Act(5, 19.933689988974947, "ada", "second_subscription", ("basic",)),
            Act(7, 24.933689988974947, "ada", "delete_customer"),
            Act(9, 29.933689988974947, "ada", "subscribe_twice", ("basic",)),
        ),
        weather=Weather(),
        names=("ada",),
    ),
    "what never stood is shown as suspended": History(
        seed=25,
        acts=(
            Act(0, 5.0, "ada", "subscribe", ("pro",)),
            Act(1, 10.0, "ada", "somebody_takes_the_namespace", (3600.0,)),
            Act(2, 15.0, "ada", "second_subscription", ("pro",)),
            Act(3, 20.0, "ada", "pause_subscription"),
        ),
        weather=Weather(),
        names=("ada",),
    ),
    "what a dispute has stopped before it stood is shown as being set up": History(
        seed=371,
        acts=(
            Act(0, 3.0, "bob", "subscribe", ("basic",)),
            Act(1, 5.0, "bob", "somebody_takes_the_namespace", (3600.0,)),
            Act(2, 7.7, "bob", "pay", (GOOD,)),
            Act(3, 12.7, "bob", "dispute"),
        ),
        weather=Weather(),
        names=("bob",),
    ),
    "the stand-in: an end at the period's end stays behind when the period moves": History(
        seed=12166,
        acts=(
            Act(0, 5.0, "ada", "subscribe", ("pro",)),
            Act(3, 10.0, "ada", "pay", (GOOD,)),
            Act(4, 11.9, "ada", "cancel_at_period_end"),
            Act(5, 16.9, "ada", "pause_subscription"),
            Act(7, 21.9, "ada", "pause_subscription"),
        ),
        weather=Weather(),
        names=("ada",),
    ),
    "the stand-in: a debit that bounces is tried again on a deleted customer": History(
        seed=19478,
        acts=(
            Act(3, 5.0, "cem", "subscribe", ("pro",)),
            Act(8, 10.0, "cem", "pay", (GOOD,)),
            Act(9, 15.0, "cem", "new_card", (FAILS_LATER,)),
            Act(12, 763_638.5, "cem", "new_card", (BOUNCES,)),
            Act(13, 763_640.4, "cem", "delete_customer"),
            Act(15, 1_986_158.6, "ada", "the_record_is_an_old_one"),
        ),
        weather=Weather(),
        names=("ada", "cem"),
    ),
}
