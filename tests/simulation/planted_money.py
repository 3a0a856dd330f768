"""Mistakes about what stands at Stripe, planted like those of `planted`: each is to be seen."""

from contextlib import AbstractContextManager
from dataclasses import replace
from itertools import islice
from typing import Any
from unittest.mock import patch

from chalicelib.domain import checkout as checkout_rules
from chalicelib.domain import decision, knowing, reading
from chalicelib.domain.record import Record
from chalicelib.domain.subscription import Subscription
from chalicelib.gateways import stripe_api
from chalicelib.gateways.stripe_api import StripeApi
from chalicelib.services import checkout
from chalicelib.services.checkout import Checkouts
from chalicelib.services.converging import Convergence
from chalicelib.services.missed import FIRST_LOOK, OVERLAP, MissedEvents, Taken
from chalicelib.services.reconciling import Reconciler
from tests.simulation.registered import planted

_read, _verdict_of = reading.read, stripe_api.verdict_of
_subscription_of = stripe_api.subscription_of


def _reads(other: Any) -> AbstractContextManager[Any]:
    """A subscription that is changed on its way out of the gateway."""
    return patch.object(stripe_api, "subscription_of", lambda s: other(_subscription_of(s)))


def _verdict(status: str, verdict: str) -> AbstractContextManager[Any]:
    told = lambda word: verdict if word == status else _verdict_of(word)  # noqa: E731
    return patch.object(stripe_api, "verdict_of", told)


@planted(within=400)
def the_first_item_counts() -> AbstractContextManager[Any]:
    """Whatever it is: Stripe promises no order."""
    return _reads(lambda s: replace(s, items=s.items[:1]))


@planted(within=400)
def an_add_on_of_somebody_elses_counts() -> AbstractContextManager[Any]:
    """It is taken for a second plan of ours."""
    return patch.object(reading, "_is_plan", lambda product_id, *_: product_id is not None)


@planted(within=400)
def the_first_of_two_plans_is_given() -> AbstractContextManager[Any]:
    """Nobody is told that two are charged."""

    def first(s: Subscription, catalogue: Any, stage: str) -> Subscription:
        ours = [x for x in s.items if catalogue.plan_of_product(stage, x.product_id or "")]
        return _read(replace(s, items=tuple(ours[:1] or s.items)), catalogue, stage)

    return patch.object(knowing, "read", first)


@planted(within=600)
def a_quantity_is_not_looked_at() -> AbstractContextManager[Any]:
    """Somebody pays five times for one, and nobody is told."""
    return patch.object(reading, "_quantity", lambda _: None)


@planted(within=3000)
def what_is_unread_keeps_nothing() -> AbstractContextManager[Any]:
    """Data are deleted while something is charged that nobody can read."""
    by_billing = decision._by_billing

    def deaf(record: Record, *rest: Any) -> Any:
        return by_billing(replace(record, billing=replace(record.billing, unread=())), *rest)

    return patch.object(decision, "_by_billing", deaf)


@planted(within=600)
def a_plan_that_left_stops_nobody() -> AbstractContextManager[Any]:
    """Taking away needs the plan, too: whoever does not pay runs on."""
    return patch.object(Convergence, "_stop", lambda _: None)


@planted(within=300)
def whoever_is_charged_nothing_is_stopped() -> AbstractContextManager[Any]:
    """The merchant lets somebody off for a while, and it is taken for a pause of service."""
    paused = lambda s: replace(s, status="paused") if s.collection_paused and s.is_live else s  # noqa: E731
    return _reads(paused)


@planted(within=300)
def a_dearer_plan_before_it_is_paid() -> AbstractContextManager[Any]:
    """What was last paid for is not remembered."""
    return patch.object(knowing, "_with_paid_product", lambda counted, _: counted)


@planted(within=400)
def sold_to_while_stopped() -> AbstractContextManager[Any]:
    """Whoever is held, or disputes a payment, can buy what nobody would give them."""
    return patch.object(checkout, "refuse_if_stopped", lambda *_: None)


@planted(within=600)
def a_session_stays_open_while_stopped() -> AbstractContextManager[Any]:
    """It was there before the hold, and can still be paid."""
    close = Convergence._close_checkout

    def only_for_a_deletion(self: Convergence) -> None:
        if self.decision.standing.wanted == "absent":
            close(self)

    return patch.object(Convergence, "_close_checkout", only_for_a_deletion)


@planted(within=300)
def charged_while_it_is_stopped() -> AbstractContextManager[Any]:
    """Collection is not paused."""
    return patch.object(StripeApi, "pause_collection", lambda *_: None)


@planted(within=400)
def a_pause_of_ours_is_never_lifted() -> AbstractContextManager[Any]:
    """They have it back, and never pay again."""
    return patch.object(StripeApi, "resume_collection", lambda *_: None)


@planted(within=400)
def a_merchants_pause_is_lifted() -> AbstractContextManager[Any]:
    """It is taken for one of ours."""
    return _reads(lambda s: replace(s, paused_by_us=s.collection_paused))


@planted(within=600)
def an_operators_hold_always_stops_the_bill() -> AbstractContextManager[Any]:
    """Also where they did not say so."""
    collection = decision._collection

    def all_of_them(record: Record, *rest: Any) -> Any:
        hold = record.hold and replace(record.hold, pause_billing=True)
        return collection(replace(record, hold=hold), *rest)

    return patch.object(decision, "_collection", all_of_them)


@planted(within=300)
def an_inquiry_stops_somebody() -> AbstractContextManager[Any]:
    """A bank asks, and no money was taken."""
    return _verdict("warning_needs_response", "open")


@planted(within=600)
def what_was_lost_is_given_back() -> AbstractContextManager[Any]:
    """The bank has taken the money, and they run again."""
    return _verdict("lost", "over")


@planted(within=1500)
def an_unknown_word_means_it_is_over() -> AbstractContextManager[Any]:
    """Stripe has a new status for disputes."""
    return _verdict("escalated_to_arbitration", "over")


@planted(within=600)
def an_end_without_a_date_was_long_ago() -> AbstractContextManager[Any]:
    """Stripe names none, and the beginning is taken for it."""
    long_ago = lambda s, *_: replace(s, ended_at=s.ended_at or s.created) if s.has_ended else s  # noqa: E731
    return patch.object(knowing, "_dated", long_ago)


@planted(within=600)
def an_end_without_a_date_is_always_now() -> AbstractContextManager[Any]:
    """With each look it ends again, and the data are never deleted."""
    dated = knowing._dated
    anew = lambda s, record, now: dated(s, replace(record, billing=type(record.billing)()), now)  # noqa: E731
    return patch.object(knowing, "_dated", anew)


@planted(within=600)
def an_invoice_is_left_open() -> AbstractContextManager[Any]:
    """Dunning has given up, and it can still be paid: for nothing."""
    return patch.object(StripeApi, "void_open_invoices", lambda *_: ())


@planted(within=300)
def what_time_makes_has_no_line() -> AbstractContextManager[Any]:
    """How it stood is worked out for now, so that nothing seems to have changed."""
    conclude = Reconciler._conclude

    def for_now(self: Reconciler, read: Record, *rest: Any) -> Any:
        stood = decision.standing_of(read, int(self.clock()), self.catalogue, self.stage)
        return conclude(self, replace(read, stood=stood), *rest)

    return patch.object(Reconciler, "_conclude", for_now)


@planted(within=2500)
def a_session_at_an_archived_price_is_given_again() -> AbstractContextManager[Any]:
    """Stripe does not render its page any more."""
    step = checkout_rules.next_step

    def trusting(known: Any, session: Any, *rest: Any) -> Any:
        return step(known, session and replace(session, price_archived=False), *rest)

    return patch.object(checkout, "next_step", trusting)


@planted(within=1000)
def a_price_is_remembered_for_good() -> AbstractContextManager[Any]:
    """It was archived, and whoever clicks is refused as long as the process is warm."""
    find = StripeApi.price_id

    def remembered(self: StripeApi, lookup_key: str) -> str:
        known: dict[str, str] = vars(self).setdefault("_for_good", {})
        return known.setdefault(lookup_key, find(self, lookup_key))

    return patch.object(StripeApi, "price_id", remembered)


@planted(within=1500)
def the_cursor_runs_backwards() -> AbstractContextManager[Any]:
    """Where there is much in the overlap, the half of it that is left out is before the cursor."""

    def take(self: MissedEvents) -> Taken:
        now, noted = int(self.clock()), self.records.swept_until()
        since = now - FIRST_LOOK if noted is None else min(noted, now) - OVERLAP
        events, until = self._stretch(since, now, 0)
        nudged = self._take_all(events)
        self.records.note_swept_until(until)
        return Taken(nudged=nudged, lag=now - until)

    return patch.object(MissedEvents, "take", take)


@planted(within=1500)
def the_rest_of_a_stretch_is_left_out() -> AbstractContextManager[Any]:
    """As many as fit into one look are taken, and the cursor moves past the others."""

    def newest(self: MissedEvents, since: int, until: int, overlap: int) -> Any:
        listed = self.payments.undelivered_events(since + 1 - overlap, until)
        return list(islice(listed, 2)), until

    return patch.object(MissedEvents, "_stretch", newest)


@planted(within=1000)
def what_somebody_else_sold_blocks_a_purchase() -> AbstractContextManager[Any]:
    """It is taken for a subscription of ours."""
    return patch.object(Subscription, "is_sold_by", lambda *_: True)


@planted(within=600)
def a_refused_price_is_not_looked_up_again() -> AbstractContextManager[Any]:
    """The first click after a push is answered with a failure."""

    def once(self: Checkouts, user: Any, offer_id: str) -> Any:
        return self._attempt(user, self._offer(offer_id))

    return patch.object(Checkouts, "open", once)
