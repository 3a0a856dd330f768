"""A history: who does what when, and what the weather is. Made from a seed, and nothing else."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from tests.simulation.outside import Weather

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0
START = 1_800_000_000.0
NAMES = ("ada", "bob", "cem")
PLANS = ("basic", "pro")
SYSTEMS = ("table", "queue", "stripe", "cluster")
GOOD, FAILS_LATER, DISPUTED, DECLINED = "pays", "fails later", "is disputed", "declined"
SETTLES, BOUNCES = "settles", "bounces"
ITEMS = ("an add-on, first", "a second plan", "five of it", "a plan that left", "only the add-on",
         "put right")  # fmt: skip
"""What somebody does to a subscription's items in Stripe's dashboard."""

DISPUTES = ((), ("under_review", "won"), ("lost",), ("lost", "appeal_under_review"),
            ("lost", "appeal_under_review", "won"), ("needs_response", "lost"),
            ("escalated_to_arbitration",), ("warning_closed",))  # fmt: skip
"""How disputes go on, by Stripe's words and one that is not known yet."""


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that somebody does.

    Attributes:
        n: its number; what is left out does not shift the others.
        at: seconds since the history began.
        who: a customer's name; whose tenant it is about, also when an operator acts.
        what: the name of a function in `acts`.
        how: its arguments.
    """

    n: int
    at: float
    who: str
    what: str
    how: tuple[Any, ...] = ()

    def __str__(self) -> str:
        """As a line of a story."""
        how = f" ({', '.join(str(x) for x in self.how)})" if self.how else ""
        return f"{self.who}: {self.what.replace('_', ' ')}{how}"


@dataclass(frozen=True, slots=True)
class History:
    """Everything that a run depends on.

    Attributes:
        later: seconds that pass undisturbed at the end, before the last look.
    """

    seed: int
    acts: tuple[Act, ...]
    weather: Weather
    later: float = 0.0
    names: tuple[str, ...] = field(default=NAMES)

    def only(self, acts: tuple[Act, ...]) -> "History":
        """The same with fewer acts."""
        return replace(self, acts=acts)


def of_seed(seed: int) -> History:
    """The history of a seed."""
    random = Random(f"history {seed}")  # noqa: S311 - a simulation
    names = NAMES[: random.choice((1, 1, 1, 1, 2, 2, 3))]
    acts: list[Act] = []
    by_hand = Random(f"by hand {seed}").random() < 0.5  # noqa: S311 - a simulation
    for name in names:
        acts += _life(name, random, by_hand=by_hand)
    horizon = max(act.at for act in acts)
    for _ in range(random.choice((0, 1, 1, 2, 3))):
        near = random.choice(acts).at if random.random() < 0.7 else random.uniform(0, horizon)
        what, how = (_trouble_by_hand if by_hand and random.random() < 0.3 else _trouble)(random)
        who = random.choice(names)
        acts.append(Act(0, max(0.0, near + random.uniform(-30, 30)), who, what, how))
    acts.sort(key=lambda act: act.at)
    return History(
        seed=seed,
        acts=tuple(replace(act, n=n) for n, act in enumerate(acts)),
        weather=_weather(random),
        later=random.choice((0.0, 0.0, 8 * DAY, 32 * DAY)),
        names=names,
    )


def _weather(random: Random) -> Weather:
    """Each kind of trouble in some of the seeds only: they hide each other."""

    def some(share: float, most: float) -> float:
        return random.uniform(0, most) if random.random() < share else 0.0

    return Weather(
        crash=some(0.6, 0.35),
        throttle=some(0.25, 0.08),
        lost=some(0.3, 0.08),
        conflict=some(0.3, 0.2),
        duplicate=some(0.4, 0.5),
        late=some(0.4, 0.4),
        slow=random.choice((1.0, 1.0, 5.0, 40.0)),
        skew=some(0.2, 2.0),
    )


def _trouble(random: Random) -> tuple[str, tuple[Any, ...]]:
    """Something that happens to everybody, or that an operator does."""
    lasts = random.choice((20.0, 3 * MINUTE, 20 * MINUTE, 2 * HOUR))
    return random.choice(
        (
            ("outage", (random.choice(SYSTEMS), lasts)),
            ("outage", (random.choice(SYSTEMS), lasts)),
            ("outage", ("everything", lasts)),
            ("deliveries_are_lost", (random.choice((5 * MINUTE, 3 * HOUR)),)),
            ("the_record_is_an_old_one", ()),
            ("dead_letters_are_sent_again", ()),
            ("somebody_takes_the_namespace", (random.choice((MINUTE, HOUR)),)),
            (
                "holds",
                (random.choice((HOUR, DAY, 20 * DAY)), random.choice(("unbilled", "billed"))),
            ),
            ("asks_for_a_look", ()),
            ("audit", ()),
            ("stripe_delivers_nothing_any_more", ()),
            ("stripe_ends_dunning_with", (random.choice(("cancel", "unpaid", "past_due")),)),
        )
    )


def _trouble_by_hand(random: Random) -> tuple[str, tuple[Any, ...]]:
    """What an operator does to the shop itself, in some of the histories only."""
    return random.choice(
        (
            ("prices_are_pushed", _plan(random)),
            ("prices_are_pushed", _plan(random)),
            ("a_second_endpoint_is_dead", (random.choice((HOUR, 3 * DAY)),)),
        )
    )


_Choice = tuple[int, str, Callable[[Random], tuple[Any, ...]], str | None]


def _plan(random: Random) -> tuple[Any, ...]:
    return (random.choice(PLANS),)


def _card(random: Random) -> tuple[Any, ...]:
    cards = (GOOD, FAILS_LATER, DISPUTED, DECLINED, SETTLES, BOUNCES)
    return (random.choices(cards, (12, 6, 2, 2, 2, 2))[0],)


def _behavior(random: Random) -> tuple[Any, ...]:
    return (random.choice(("void", "keep_as_draft", "mark_uncollectible")),)


def _next_of_a_dispute(random: Random) -> tuple[Any, ...]:
    """Also a word that nobody knows yet."""
    words = ("won", "won", "lost", "lost", "under_review", "warning_closed",
             "needs_response", "appeal_under_review", "escalated_to_arbitration")  # fmt: skip
    return (random.choice(words),)


def _none(_: Random) -> tuple[Any, ...]:
    return ()


_LIFE: dict[str, tuple[_Choice, ...]] = {
    "new": (
        (7, "subscribe", _plan, "checkout"),
        (2, "subscribe_twice", _plan, "checkout"),
        (3, "start_free", _none, "free"),
        (1, "poll", _none, None),
        (1, "stop_free", _none, None),
    ),
    "free": (
        (4, "subscribe", _plan, "checkout"),
        (2, "stop_free", _none, "ended"),
        (1, "start_free", _none, None),
        (2, "watch", _none, None),
        (2, "wait", lambda r: (r.choice((1, 8, 31)),), None),
    ),
    "ended": (
        (4, "subscribe", _plan, "checkout"),
        (1, "start_free", _none, "free"),
        (2, "wait", lambda r: (r.choice((1, 8, 31)),), "new"),
        (4, "wait_for_the_end_of_the_retention", _none, "new"),
        (1, "end_something_else", _none, None),
        (1, "second_subscription", _plan, "subscriber"),
        (2, "watch", _none, None),
    ),
    "checkout": (
        (12, "pay", _card, "subscriber"),
        (2, "pay_in_an_old_tab", _card, "subscriber"),
        (2, "subscribe", _plan, None),
        (1, "subscribe_twice", _plan, None),
        (1, "start_free", _none, None),
        (1, "wait", lambda r: (r.choice((0.97, 1.01, 3)),), "new"),
        (1, "delete_customer", _none, "new"),
        (1, "poll", _none, None),
    ),
    "subscriber": (
        (3, "watch", _none, None),
        (2, "deploy", lambda r: (r.choice((1, 3)),), None),
        (3, "wait", lambda r: (r.choice((4, 8, 31, 45)),), None),
        (3, "cancel_at_period_end", _none, None),
        (1, "keep_after_all", _none, None),
        (3, "cancel_now", _none, "ended"),
        (2, "switch_plan", _plan, None),
        (2, "new_card", _card, None),
        (1, "pay_in_an_old_tab", _card, None),
        (1, "subscribe", _plan, None),
        (1, "start_free", _none, None),
        (1, "open_portal", _none, None),
        (1, "pause_collection", _behavior, None),
        (1, "resume_collection", _none, None),
        (1, "pause_subscription", _none, None),
        (1, "dispute", lambda r: (r.choice(("needs_response", "warning_needs_response")),), None),
        (1, "end_dispute", _next_of_a_dispute, None),
        (1, "refund", _none, None),
        (1, "delete_customer", _none, "ended"),
        (1, "second_subscription", _plan, None),
    ),
}


_BY_HAND: tuple[_Choice, ...] = (
    (8, "edit_items", lambda r: (r.choice(ITEMS),), None),
    (2, "pause_collection", _behavior, None),
    (2, "resume_collection", _none, None),
    (3, "dispute", lambda r: (r.choice(("needs_response", "warning_needs_response")),), None),
    (5, "end_dispute", _next_of_a_dispute, None),
    (2, "lifts", _none, None),
    (2, "sell_something_else", _none, None),
    (1, "end_without_a_date", _none, "ended"),
    (2, "switch_plan", _plan, None),
    (2, "wait", lambda r: (r.choice((4, 8, 31, 45)),), None),
    (1, "cancel_now", _none, "ended"),
)
"""What is done to a subscriber at Stripe, in some of the histories only."""


def _life(name: str, random: Random, *, by_hand: bool) -> list[Act]:
    """One customer's acts. What does not fit the moment comes to nothing."""
    at, phase, acts = random.uniform(0, 60), "new", list[Act]()
    if by_hand and random.random() < 0.8:
        acts += [Act(0, at, name, "subscribe", _plan(random))]
        acts += [Act(0, at + 20, name, "pay", (random.choice((GOOD, GOOD, FAILS_LATER)),))]
        if random.random() < 0.15:  # the price is another one before it is paid
            plan = acts[0].how
            pushed = Act(0, at + 8, name, "prices_are_pushed", plan)
            acts[1:1] = [pushed, Act(0, at + 12, name, "subscribe", plan)]
        at, phase = at + 20 + _gap(random, quick=False), "subscriber"
    for _ in range(random.randint(2, 9)):
        choices = _LIFE[phase]
        if by_hand and phase == "subscriber" and random.random() < 0.7:
            choices = _BY_HAND
        _, what, how, then = random.choices(choices, [c[0] for c in choices])[0]
        arguments = how(random)
        if what == "wait":
            at += arguments[0] * DAY + random.uniform(0, HOUR)
        elif what == "wait_for_the_end_of_the_retention":
            # Coming back at the very moment at which everything is about to be deleted.
            at = max(at, (acts[-1].at if acts else at) + 30 * DAY + random.uniform(-30, 90))
        else:
            acts.append(Act(0, at, name, what, arguments))
            at += _gap(random, quick=phase == "checkout" or then == "checkout")
            if by_hand and what == "dispute":
                for word in random.choice(DISPUTES):
                    acts.append(Act(0, at, name, "end_dispute", (word,)))
                    at += _gap(random, quick=False)
        phase = then or phase
    return acts or [Act(0, at, name, "poll")]


def _gap(random: Random, *, quick: bool) -> float:
    """Seconds to the next act."""
    kind = random.random()
    if quick:
        kind *= 0.7
    if kind < 0.4:
        return random.uniform(0, 3)
    if kind < 0.6:
        return random.uniform(3, 2 * MINUTE)
    if kind < 0.75:
        return random.uniform(2 * MINUTE, 2 * HOUR)
    if kind < 0.9:
        return random.uniform(2 * HOUR, 3 * DAY)
    return random.uniform(3 * DAY, 35 * DAY)
