"""Money tells the truth: what is charged is given, what is taken away is not charged, nothing is silent."""

import json
from dataclasses import replace

import pytest

from chalicelib import wiring
from chalicelib.domain.record import Hold
from chalicelib.services import missed
from sandbox.kubernetes.requests import parse
from sandbox.stripe import disputes
from tests.life.world import DAY, FAILS_LATER, IS_DISPUTED, TOKEN

RETENTION = 30 * DAY
INQUIRED = "4000000000001976"


@pytest.fixture
def addon(world):
    """A price of another product, by the month."""
    product = world.sdk.products.create({"name": "Backup"})
    return world.sdk.prices.create(
        {"product": product.id, "unit_amount": 500, "currency": "usd",
         "recurring": {"interval": "month"}}
    )  # fmt: skip


def price_of(world, plan):
    return next(world.ledger.all("price", lookup_key=f"arm-engine-dev-{plan}-month"))["id"]


def audited():
    return {finding.kind: finding.text for finding in wiring.audit().run().findings}


def without(catalogue, *plans):
    """The catalogue, as if these plans had left plans.toml."""
    return replace(catalogue, plans=tuple(p for p in catalogue.plans if p.id not in plans))


def by_policy(monkeypatch, catalogue, **changed):
    changed = replace(catalogue, policy=replace(catalogue.policy, **changed))
    monkeypatch.setattr(wiring, "catalogue", lambda: changed)


# What is bought


@pytest.mark.parametrize("first", [True, False])
def test_an_addon_beside_the_plan_changes_nothing(world, ada, agreed, addon, first):
    """Stripe promises no order of items: the one that is a plan of ours counts."""
    sub = ada.buy("pro")
    world.sdk.subscriptions.update(sub["id"], {"items": [{"price": addon.id}]})
    if first:
        items = world.ledger.tables["subscription"][sub["id"]]["items"]["data"]
        items.reverse()
        assert items[0]["price"]["id"] == addon.id
    world.settle()
    assert ada.short == ("active", True, "pro", "ready")
    assert ada.refused() == "already_subscribed"
    agreed()
    world.advance(40 * DAY)
    assert ada.short == ("active", True, "pro", "ready")
    agreed()


def test_two_plans_in_one_subscription_keep_what_stands_and_are_told(world, ada):
    """Nobody can say which of them is given: nothing changes, and an operator reads it."""
    sub = ada.buy("basic")
    world.sdk.subscriptions.update(sub["id"], {"items": [{"price": price_of(world, "pro")}]})
    world.advance(40 * DAY)
    status, active, _, state = ada.short
    assert (status, active, state) == ("active", True, "ready")
    assert world.namespaces()[ada.tenant_id].plan_id == "basic"
    assert "several plans" in audited()["unread subscription"]
    assert any("several plans" in line for line in ada.lines)


def test_what_ended_is_not_deleted_while_something_unread_is_charged(world, ada, addon):
    """The plan's item was taken out, by mistake perhaps: the customer is charged, the data stay."""
    sub = ada.buy("pro")
    item = sub["items"]["data"][0]["id"]
    world.sdk.subscriptions.update(
        sub["id"], {"items": [{"price": addon.id}, {"id": item, "deleted": True}]}
    )
    world.advance(45 * DAY)
    assert ada.short[3] == "ready"
    assert "Backup" in str(audited()) or "prod_" in audited()["unread subscription"]
    world.sdk.subscriptions.cancel(sub["id"])
    world.advance(RETENTION + DAY)
    assert world.namespaces() == {}


def test_a_plan_that_is_charged_five_times_is_given_once_and_told(world, ada):
    """A quantity made by hand on a plan without seats."""
    sub = ada.buy("basic")
    item = sub["items"]["data"][0]["id"]
    world.sdk.subscriptions.update(sub["id"], {"items": [{"id": item, "quantity": 5}]})
    world.settle()
    assert ada.short == ("active", True, "basic", "ready")
    assert "5 times" in audited()["unread subscription"]
    assert any("5 times" in line for line in ada.lines)


# Plans that have left


def test_who_pays_for_a_plan_that_left_keeps_what_stands_and_reads_that_all_is_well(
    world, ada, catalogue, monkeypatch
):
    """The shop's mistake is not the customer's to read about."""
    ada.buy("pro")
    monkeypatch.setattr(wiring, "catalogue", lambda: without(catalogue, "pro"))
    world.advance(40 * DAY)
    assert ada.short == ("active", True, None, "ready")
    assert ada.status["tenant"]["message"] is None
    assert "arm-engine-dev-pro" in audited()["unread subscription"]


@pytest.mark.parametrize("end", ["unpaid", "past_due", "paused", "canceled", "held"])
def test_taking_away_needs_no_plan(world, ada, catalogue, monkeypatch, end):
    """Whatever ends it, a plan that has left plans.toml stops with what stands in the cluster."""
    sub = ada.buy("pro", card=FAILS_LATER if end in {"unpaid", "past_due"} else "4242424242424242")
    monkeypatch.setattr(wiring, "catalogue", lambda: without(catalogue, "pro"))
    if end in {"unpaid", "past_due"}:
        world.stripe.dunning_ends_in = end
        world.advance(31 * DAY + (8 if end == "past_due" else 16) * DAY)
    elif end == "paused":
        world.ledger.tables["subscription"][sub["id"]]["status"] = "paused"
        wiring.records().nudge(ada.tenant_id, int(world.now()))
    elif end == "canceled":
        world.sdk.subscriptions.cancel(sub["id"])
    else:
        record = ada.record
        held = replace(record, hold=Hold(reason="abuse", since=int(world.now())))
        wiring.records().save(record, held, nudge_at=int(world.now()))
    world.advance(120)
    assert ada.short[1:] == (False, None, "suspended")
    assert world.namespaces()[ada.tenant_id].suspended
    assert ada.record.failure is None


def test_what_was_stopped_without_a_plan_comes_back_with_one(world, ada, catalogue, monkeypatch):
    """The plan stands in plans.toml again: what was stopped runs as before."""
    sub = ada.buy("pro")
    monkeypatch.setattr(wiring, "catalogue", lambda: without(catalogue, "pro"))
    world.ledger.tables["subscription"][sub["id"]]["status"] = "unpaid"
    wiring.records().nudge(ada.tenant_id, int(world.now()))
    world.advance(120)
    assert world.namespaces()[ada.tenant_id].suspended
    monkeypatch.setattr(wiring, "catalogue", lambda: catalogue)
    world.ledger.tables["subscription"][sub["id"]]["status"] = "active"
    wiring.records().nudge(ada.tenant_id, int(world.now()))
    world.advance(120)
    assert ada.short == ("active", True, "pro", "ready")
    assert not world.namespaces()[ada.tenant_id].suspended


# Upgrades


def test_a_dearer_plan_is_given_once_its_difference_is_paid(world, ada):
    """The card pays for Basic and declines Pro's difference: Basic is what runs."""
    ada.buy("basic", card=FAILS_LATER)
    ada.portal("switch", plan="pro-month")
    assert ada.subscription["status"] == "past_due"
    assert ada.short == ("past_due", True, "basic", "ready")
    assert world.namespaces()[ada.tenant_id].plan_id == "basic"
    world.advance(7 * DAY + 120)
    assert ada.short == ("past_due", False, "basic", "suspended")


def test_a_dearer_plan_that_is_paid_is_given_at_once(world, ada, agreed):
    """The difference is charged when it is taken, not at the next renewal."""
    ada.buy("basic")
    charged = sum(c["amount"] for c in world.ledger.all("charge"))
    ada.portal("switch", plan="pro-month")
    assert ada.short == ("active", True, "pro", "ready")
    assert sum(c["amount"] for c in world.ledger.all("charge")) > charged
    agreed()


# Downgrades


def pods(world, ada, count):
    """Pods of the customer's own, 150m of CPU each."""
    namespace = f"arm-{ada.tenant_id}"
    sizes = {"cpu": "150m", "memory": "64Mi", "ephemeral-storage": "64Mi"}
    safe = {
        "allowPrivilegeEscalation": False, "runAsNonRoot": True,
        "capabilities": {"drop": ["ALL"]}, "seccompProfile": {"type": "RuntimeDefault"},
    }  # fmt: skip
    container = {
        "name": "c", "image": "registry.test/c", "securityContext": safe,
        "resources": {"requests": sizes, "limits": sizes},
    }  # fmt: skip
    for n in range(count):
        body = {
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": f"own-{n}"},
            "spec": {"containers": [container]},
        }  # fmt: skip
        path = f"/api/v1/namespaces/{namespace}/pods"
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
        answer = world.cluster.handle(parse("POST", path, headers, json.dumps(body).encode()))
        assert answer.status == 201, answer.body


def running(world, ada):
    path = f"/api/v1/namespaces/arm-{ada.tenant_id}/pods"
    answer = world.cluster.handle(parse("GET", path, {"Authorization": f"Bearer {TOKEN}"}, b""))
    return len(json.loads(answer.body)["items"])


def test_a_smaller_plan_is_carried_out(world, ada, agreed):
    """What it does not hold runs on for a week, the customer reads by when, then it is made to fit."""
    ada.buy("pro")
    pods(world, ada, 45)
    ada.portal("switch", plan="basic-month")
    world.advance(120)
    assert ada.short == ("active", True, "basic", "ready")
    over = {each["name"]: each["by"] for each in ada.status["over"]}
    assert over["pods"] == "5"
    assert ada.status["over"][0]["actBy"]
    assert any("more runs than basic holds" in line for line in ada.lines)
    assert running(world, ada) == 45
    agreed()
    world.advance(8 * DAY)
    assert running(world, ada) <= 26
    assert "over" not in ada.status
    assert any("what runs fits basic" in line for line in ada.lines)
    agreed()


def test_who_makes_room_in_time_is_left_alone(world, ada, agreed):
    """And so is who goes back to the larger plan."""
    ada.buy("pro")
    pods(world, ada, 45)
    ada.portal("switch", plan="basic-month")
    world.advance(3 * DAY)
    ada.portal("switch", plan="pro-month")
    world.advance(8 * DAY)
    assert running(world, ada) == 45
    assert "over" not in ada.status
    agreed()


def test_more_than_is_paid_for_is_found_by_the_audit(world, ada):
    """Whatever the record says: what is used is looked at, and put right by a nudge."""
    ada.buy("pro")
    pods(world, ada, 45)
    ada.portal("switch", plan="basic-month")
    world.advance(120)
    record = ada.record
    wiring.records().save(record, replace(record, excess=None))
    assert "pods by 5" in audited()["uses more than it pays for"]
    wiring.audit().run(mend=True)
    world.work()
    assert ada.status["over"]


# Whoever cannot be served


def hold(world, ada, **more):
    record = ada.record
    held = replace(record, hold=Hold(reason="abuse", since=int(world.now()), **more))
    wiring.records().save(record, held, nudge_at=int(world.now()))
    world.advance(120)


def test_whoever_is_held_is_not_sold_to(world, ada):
    """Nor to pay a session that was open before: it is expired."""
    ada.buy()
    world.sdk.subscriptions.cancel(ada.subscription["id"])
    world.settle()
    url = ada.open("pro")
    hold(world, ada)
    assert ada.pay(url) != 303
    assert ada.refused() == "workspace_held"
    assert {s["status"] for s in world.ledger.all("checkout.session")} == {"complete", "expired"}
    code, body = ada.call("POST", "start-free")
    assert (code, body["error"]["code"]) == (409, "workspace_held")


def test_whoever_has_an_open_dispute_is_not_sold_to(world, ada):
    """The subscription has ended, and the bank is still at it."""
    ada.buy(card=IS_DISPUTED)
    world.sdk.subscriptions.cancel(ada.subscription["id"])
    world.settle()
    assert ada.refused() == "payment_disputed"


def test_a_held_customer_is_charged_nothing_where_the_operator_says_so(world, ada):
    """And is charged again when the hold is lifted."""
    ada.buy()
    hold(world, ada, pause_billing=True)
    before = len(list(world.ledger.all("charge")))
    world.advance(70 * DAY)
    assert len(list(world.ledger.all("charge"))) == before
    record = ada.record
    wiring.records().save(record, replace(record, hold=None), nudge_at=int(world.now()))
    world.advance(120)
    assert ada.subscription["pause_collection"] is None
    assert ada.short == ("active", True, "basic", "ready")
    world.advance(31 * DAY)
    assert len(list(world.ledger.all("charge"))) > before


# Disputes


def the_dispute(world):
    return next(world.ledger.all("dispute"))


def moved(world, status):
    disputes.move(world.ledger, the_dispute(world), status)
    world.settle()


def test_an_inquiry_stops_nothing(world, ada, agreed):
    """A bank asks and withdraws no money; if it becomes a dispute, it does."""
    ada.buy(card=INQUIRED)
    assert the_dispute(world)["status"] == "warning_needs_response"
    assert ada.short == ("active", True, "basic", "ready")
    moved(world, "warning_under_review")
    assert ada.short == ("active", True, "basic", "ready")
    agreed()
    moved(world, "needs_response")
    assert ada.short == ("active", False, "basic", "suspended")
    agreed()


def test_nothing_is_charged_while_a_dispute_stops_somebody(world, ada, agreed):
    """Three months of a bank's time are not three months to pay for; then all goes on."""
    ada.buy(card=IS_DISPUTED)
    before = len(list(world.ledger.all("charge")))
    world.advance(95 * DAY)
    assert ada.short == ("active", False, "basic", "suspended")
    assert len(list(world.ledger.all("charge"))) == before
    moved(world, "won")
    assert ada.short == ("active", True, "basic", "ready")
    assert ada.subscription["pause_collection"] is None
    assert any("is charged again" in line for line in ada.lines)
    agreed()


def test_a_merchants_own_pause_is_not_lifted_with_ours(world, ada):
    """What somebody else has paused is theirs."""
    sub = ada.buy(card=IS_DISPUTED)
    world.sdk.subscriptions.update(
        sub["id"], {"pause_collection": "", "metadata": {"collection_paused_by": ""}}
    )
    world.sdk.subscriptions.update(sub["id"], {"pause_collection": {"behavior": "keep_as_draft"}})
    world.settle()
    moved(world, "won")
    assert ada.subscription["pause_collection"]["behavior"] == "keep_as_draft"
    assert ada.short == ("active", True, "basic", "ready")


@pytest.mark.parametrize("status", ["appeal_needs_response", "appeal_under_review"])
def test_an_appeal_counts_as_open(world, ada, agreed, status):
    """The money is away while anybody argues about it."""
    ada.buy(card=IS_DISPUTED)
    moved(world, "under_review")
    moved(world, status)
    assert ada.short == ("active", False, "basic", "suspended")
    agreed()


def test_a_lost_dispute_does_not_give_the_service_back(world, ada, agreed):
    """Held until somebody lifts it, and charged nothing; an appeal that is won lifts it, too."""
    ada.buy(card=IS_DISPUTED)
    moved(world, "lost")
    assert ada.short == ("active", False, "basic", "suspended")
    assert ada.record.hold.dispute_id == the_dispute(world)["id"]
    assert ada.refused() in {"already_subscribed", "workspace_held"}
    agreed()
    before = len(list(world.ledger.all("charge")))
    world.advance(40 * DAY)
    assert len(list(world.ledger.all("charge"))) == before
    moved(world, "appeal_under_review")
    assert ada.short == ("active", False, "basic", "suspended")
    moved(world, "won")
    assert ada.short == ("active", True, "basic", "ready")
    agreed()


def test_a_lost_dispute_that_an_operator_forgives_is_forgiven(world, ada):
    """One verdict is one hold."""
    ada.buy(card=IS_DISPUTED)
    moved(world, "lost")
    record = ada.record
    wiring.records().save(record, replace(record, hold=None), nudge_at=int(world.now()))
    world.advance(120)
    assert ada.short == ("active", True, "basic", "ready")
    world.advance(40 * DAY)
    assert ada.short == ("active", True, "basic", "ready")


def test_a_lost_dispute_ends_the_subscription_by_policy(world, ada, agreed, catalogue, monkeypatch):
    """Canceled at Stripe, kept for the retention; and what is bought later is another matter."""
    by_policy(monkeypatch, catalogue, dispute_lost="end")
    ada.buy(card=IS_DISPUTED)
    moved(world, "lost")
    assert ada.subscription["status"] == "canceled"
    assert ada.short == ("canceled", False, "basic", "suspended")
    ada.buy("pro")
    assert ada.short == ("active", True, "pro", "ready")
    agreed()


# The ends


def test_one_that_ended_at_no_named_time_ended_when_that_was_seen(world, ada, agreed):
    """Stripe's `ended_at` may be null: nobody's data go at once for that."""
    sub = ada.buy()
    world.advance(20 * DAY)
    world.sdk.subscriptions.cancel(sub["id"])
    world.ledger.tables["subscription"][sub["id"]]["ended_at"] = None
    world.settle()
    seen = int(world.now())
    assert ada.short == ("canceled", False, "basic", "suspended")
    assert abs(ada.record.retention_until - (seen + RETENTION)) < 60
    world.advance(10 * DAY)
    assert abs(ada.record.retention_until - (seen + RETENTION)) < 60
    world.advance(RETENTION)
    assert world.namespaces() == {}
    agreed()


def test_what_an_ended_subscription_still_asks_for_is_voided(world, ada, agreed):
    """Dunning gave up: paying that invoice would bring nothing."""
    ada.buy(card=FAILS_LATER)
    world.advance(31 * DAY + 16 * DAY)
    assert ada.subscription["status"] == "canceled"
    statuses = {invoice["status"] for invoice in world.ledger.all("invoice")}
    assert "open" not in statuses
    assert "void" in statuses
    assert any("was voided" in line for line in ada.lines)
    agreed()


def test_each_transition_that_time_makes_has_its_line(world, ada):
    """Grace, retention, Free's end, and the deletion: each with its cause."""
    ada.buy(card=FAILS_LATER)
    world.advance(31 * DAY)
    assert any("a payment has failed" in line for line in ada.lines)
    world.advance(7 * DAY + 120)
    assert any("the grace for a failed payment is over" in line for line in ada.lines)
    world.advance(10 * DAY)
    assert any("the subscription has ended" in line for line in ada.lines)
    world.advance(RETENTION)
    assert any("the time for which data are kept is over" in line for line in ada.lines)
    assert any("is gone" in line for line in ada.lines)
    bob = world.customer("bob")
    bob.call("POST", "start-free")
    world.advance(31 * DAY)
    assert any("the Free plan has ended" in line for line in bob.lines)


# Prices


def test_a_session_at_an_old_price_is_not_given_again(world, ada):
    """The price on the page is what is paid; an archived one would not even be shown."""
    old = ada.open("basic")
    archived = price_of(world, "basic")
    product = world.ledger.tables["price"][archived]["product"]
    world.sdk.products.update(product, {"default_price": ""})
    made = world.sdk.prices.create(
        {"product": product, "unit_amount": 1900, "currency": "usd",
         "recurring": {"interval": "month"}, "lookup_key": "arm-engine-dev-basic-month",
         "transfer_lookup_key": True, "metadata": {"plan": "basic"}}
    )  # fmt: skip
    world.sdk.prices.update(archived, {"active": False})
    new = ada.open("basic")
    assert new != old
    assert ada.pay(old) != 303
    assert ada.pay(new) == 303
    world.settle()
    assert ada.subscription["items"]["data"][0]["price"]["id"] == made.id
    assert ada.short == ("active", True, "basic", "ready")


def test_another_currency_is_a_clear_no(world, ada):
    """Stripe does not mix currencies for one customer; the customer reads what helps."""
    ada.buy()
    world.sdk.subscriptions.cancel(ada.subscription["id"])
    world.settle()
    archived = price_of(world, "pro")
    product = world.ledger.tables["price"][archived]["product"]
    world.sdk.prices.create(
        {"product": product, "unit_amount": 9900, "currency": "eur",
         "recurring": {"interval": "month"}, "lookup_key": "arm-engine-dev-pro-month",
         "transfer_lookup_key": True}
    )  # fmt: skip
    for _ in range(2):
        code, body = ada.checkout("pro")
        assert (code, body["error"]["code"]) == (409, "other_currency")
        assert "support" in body["error"]["message"]


def test_an_operators_own_session_is_left_alone(world, ada, addon):
    """Subscribing expires sessions of ours, and nobody else's."""
    ada.open("basic")
    session = world.sdk.checkout.sessions.create(
        {"mode": "subscription", "customer": ada.customer_id, "success_url": "https://x.test",
         "line_items": [{"price": addon.id, "quantity": 1}]}
    )  # fmt: skip
    ada.open("pro")
    assert world.ledger.tables["checkout.session"][session.id]["status"] == "open"


# What is behind, and what is stuck


def test_the_note_of_missed_events_never_runs_backwards_and_catches_up(world, ada, monkeypatch):
    """One event a second for half an hour, none delivered to anybody: as with a second, dead endpoint."""
    monkeypatch.setattr(missed, "AT_MOST", 50)
    sub = ada.buy()
    world.lose_events()
    notes = [wiring.records().swept_until()]
    for n in range(300):
        world.offset += 6
        world.sdk.subscriptions.update(sub["id"], {"metadata": {"n": str(n)}})
    for _ in range(6):
        taken = wiring.missed_events().take()
        notes.append(wiring.records().swept_until())
        world.offset += 60
    assert notes == sorted(notes)
    assert taken.lag == 0
    assert ada.lines.count("customer.subscription.updated") == 300


def test_a_clock_that_is_behind_does_not_move_the_note_back(world, ada):
    """Another process was ahead by minutes: what it has looked at is not looked at for ever."""
    ada.buy()
    ahead = int(world.now()) + 600
    wiring.records().note_swept_until(ahead)
    wiring.missed_events().take()
    assert wiring.records().swept_until() == ahead


def test_what_has_been_pending_for_an_hour_is_told(world, ada):
    """A customer that Stripe does not have at all: nothing is concluded, and somebody reads why."""
    ada.buy()
    record = ada.record
    wiring.records().save(
        record, replace(record, customer_id="cus_elsewhere"), nudge_at=int(world.now())
    )
    for _ in range(14):
        world.sweep()
        world.work()
        world.offset += 300
    assert ada.record.pending
    assert "another account" in audited()["stuck"]
