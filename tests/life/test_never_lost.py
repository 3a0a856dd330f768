"""What was missed is asked for, and what disagrees is found: the sweep and the audit."""

import time
from dataclasses import replace

import pytest

from chalicelib import wiring
from chalicelib.domain.errors import Temporary
from chalicelib.domain.record import Hold
from chalicelib.services import missed
from sandbox.stripe import disputes
from tests.life.world import DAY, IS_DISPUTED


def kinds():
    """What the audit finds."""
    return [f.kind for f in wiring.audit().run().findings]


def test_events_that_were_never_delivered_are_taken_by_the_sweep(world, ada, agreed):
    """Silence from Stripe: everything goes on by its list of what it could not deliver."""
    world.lose_events()
    ada.buy()
    assert ada.short == ("active", True, "basic", "ready")
    assert "checkout.session.completed" in ada.lines
    world.sdk.subscriptions.cancel(ada.subscription["id"])
    world.settle()
    assert ada.short == ("canceled", False, "basic", "suspended")
    agreed()


def test_a_missed_event_is_taken_once(world, ada):
    """Within the overlap it is listed again and again; one line, one nudge."""
    ada.buy()
    world.lose_events()
    ada.portal("cancel")
    nudged = ada.record.nudged
    for _ in range(3):
        world.offset += 60
        world.settle()
    assert ada.record.nudged == nudged
    assert ada.lines.count("customer.subscription.updated") == 1


def test_many_missed_events_are_taken_stretch_by_stretch(world, ada, monkeypatch):
    """More than fit into one go: time is halved until they do, and none is left out."""
    monkeypatch.setattr(missed, "AT_MOST", 2)
    ada.buy()
    world.lose_events()
    sub = ada.subscription["id"]
    for day in range(7):
        world.offset += 3600
        world.sdk.subscriptions.update(sub, {"metadata": {"day": str(day)}})
    for _ in range(40):
        wiring.missed_events().take()
    assert ada.lines.count("customer.subscription.updated") == 7


def test_the_cursor_waits_for_what_was_not_taken(world, ada, monkeypatch):
    """Stripe away in the middle: the same stretch is looked at again."""
    ada.buy()
    before = wiring.records().swept_until()
    world.stripe.trouble.set({"outage": 600})
    world.offset += 3600
    with pytest.raises(Temporary):
        wiring.missed_events().take()
    world.sweep()  # the schedule's handler takes it calmly: what is due has been seen to
    assert wiring.records().swept_until() == before
    world.stripe.trouble.clear()
    world.sweep()
    assert wiring.records().swept_until() > before + 3000


def test_an_event_whose_metadata_were_edited_is_found_by_its_customer(world, ada, agreed):
    """Somebody overwrote our metadata in the dashboard; the customer is still ours."""
    sub = ada.buy()
    world.sdk.subscriptions.update(sub["id"], {"metadata": {"tenant_id": "0" * 16, "checkout": ""}})
    world.sdk.subscriptions.cancel(sub["id"])
    world.settle()
    assert ada.short == ("canceled", False, "basic", "suspended")
    agreed()


def test_an_event_that_names_another_deployment_is_found_by_its_customer(world, ada, agreed):
    """Edited, too: only a customer of ours can be in our table."""
    sub = ada.buy()
    world.sdk.subscriptions.update(sub["id"], {"metadata": {"deployment": "arm-engine-prod"}})
    world.sdk.subscriptions.cancel(sub["id"])
    world.settle()
    assert ada.short == ("canceled", False, "basic", "suspended")
    agreed()


def test_a_dispute_that_ended_unseen_is_found_by_the_audit(world, ada, agreed):
    """Nobody nudges, and Stripe's lists of subscriptions do not tell of it."""
    ada.buy(card=IS_DISPUTED)
    assert kinds() == []
    world.deliver = lambda _: []
    disputes.move(world.ledger, next(world.ledger.all("dispute")), "won")
    assert kinds() == ["record is behind", "paid, no tenant"]
    wiring.audit().run(mend=True)
    world.work()
    assert ada.short == ("active", True, "basic", "ready")
    agreed()


def test_one_that_cannot_be_compared_hides_nobody_else(world, ada):
    """A customer of another Stripe account, say: it is told, and the audit goes on."""
    ada.buy()
    eve = world.customer("eve")
    eve.buy()
    record = ada.record
    wiring.records().save(record, replace(record, customer_id="cus_elsewhere"))
    _gone(world, eve)
    found = {(f.kind, f.tenant_id): f.text for f in wiring.audit().run(mend=True).findings}
    assert ("paid, no tenant", eve.tenant_id) in found
    assert "another account" in found["not compared", ada.tenant_id]


def test_an_audit_of_nothing_wrong_finds_nothing(world, ada):
    """Customers in every state, each as it should be."""
    ada.buy()
    eve, bob, eva = (world.customer(name) for name in ("eve", "bob", "eva"))
    eve.call("POST", "start-free")
    bob.buy("pro")
    world.sdk.subscriptions.cancel(bob.subscription["id"])
    eva.open()
    world.settle()
    report = wiring.audit().run()
    assert (report.findings, report.tenants, report.pending) == ((), 4, 0)


def _gone(world, ada):
    path = f"/api/v1/namespaces/arm-{ada.tenant_id}"
    world.kubernetes.request("DELETE", path, body={})
    world.cluster.finish_deletions()


def _patched(world, ada, path, body):
    name = f"/api/v1/namespaces/arm-{ada.tenant_id}{path}?fieldManager=somebody&force=true"
    kind = "application/apply-patch+yaml"
    answer = world.kubernetes.request("PATCH", name, body=body, content_type=kind)
    assert answer.status == 200, answer.body


def _drifted(world, ada):
    body = {
        "apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "plan"},
        "spec": {"hard": {"pods": "4000"}},
    }  # fmt: skip
    _patched(world, ada, "/resourcequotas/plan", body)


def _missing_object(world, ada):
    path = f"/apis/networking.k8s.io/v1/namespaces/arm-{ada.tenant_id}/networkpolicies/deny-all"
    world.kubernetes.request("DELETE", path, body={})


def _canceled_unseen(world, ada):
    world.deliver = lambda _: []
    world.sdk.subscriptions.cancel(ada.subscription["id"])


def _switched_unseen(world, ada):
    world.deliver = lambda _: []
    (price,) = world.ledger.all("price", lookup_key="arm-engine-dev-pro-month")
    item = ada.subscription["items"]["data"][0]["id"]
    world.sdk.subscriptions.update(
        ada.subscription["id"], {"items": [{"id": item, "price": price["id"]}]}
    )


def _written_suspended(world, ada):
    record = ada.record
    billing = replace(record.billing, subscription=replace(record.subscription, status="unpaid"))
    wiring.records().save(record, replace(record, billing=billing))


@pytest.mark.parametrize(
    ("harm", "found"),
    [
        (_gone, ["paid, no tenant"]),
        (_drifted, ["drift"]),
        (_missing_object, ["drift"]),
        (_canceled_unseen, ["record is behind", "tenant, nobody pays"]),
        (_switched_unseen, ["record is behind", "wrong plan"]),
        (_written_suspended, ["record is behind"]),
    ],
    ids=lambda v: getattr(v, "__name__", ""),
)
def test_what_disagrees_is_found_and_mended(world, ada, agreed, harm, found):
    """Reported without a change; with the flag a nudge has the reconciler put it right."""
    ada.buy()
    harm(world, ada)
    assert kinds() == found
    assert kinds() == found, "a report changes nothing"
    report = wiring.audit().run(mend=True)
    assert report.mended >= 1
    world.work()
    agreed()
    assert any(line.startswith(found[0]) for line in ada.lines)


def test_an_orphan_namespace_is_reported_and_left_alone(world, ada):
    """It carries our labels, and no record leads to it: nobody deletes what they do not know."""
    ada.buy()
    world.sdk.subscriptions.cancel(ada.subscription["id"])
    world.aws.forget(ada.tenant_id)
    assert kinds() == ["orphan namespace"]
    wiring.audit().run(mend=True)
    assert len(world.namespaces()) == 1


def test_a_subscription_of_nobody_is_reported(world, ada):
    """A customer pays for what we sell, and is on no record."""
    ada.buy()
    _gone(world, ada)
    world.aws.forget(ada.tenant_id)
    assert kinds() == ["subscription of nobody"]


def test_what_is_being_worked_on_is_not_judged(world, ada):
    """Between a payment and its reconcile everything disagrees, and nothing is wrong."""
    ada.pay(ada.open())
    wiring.records().nudge(ada.tenant_id, int(world.now()))
    report = wiring.audit().run()
    assert (report.findings, report.pending) == ((), 1)


def test_a_tenant_that_is_held_agrees_with_being_suspended(world, ada, agreed):
    """An operator's hold is no disagreement."""
    ada.buy()
    record = ada.record
    held = replace(record, hold=Hold(reason="abuse", since=int(world.now())))
    wiring.records().save(record, held, nudge_at=int(world.now()))
    wiring.queue().send_tenant(ada.tenant_id)
    world.work()
    assert ada.short == ("active", False, "basic", "suspended")
    assert "support" in ada.status["tenant"]["message"]
    agreed()


def test_a_hold_does_not_stop_a_deletion_half_way(world, ada, monkeypatch):
    """Held after the claim: the namespace still goes, and the record does not wait for ever."""
    sub = ada.buy()
    world.sdk.subscriptions.cancel(sub["id"])
    world.settle()
    with monkeypatch.context() as slow:
        slow.setattr(world.cluster, "finish_deletions", lambda: None)
        world.offset += 31 * DAY
        world.sweep()
        world.work()
    record = ada.record
    assert record.phase == "deleting"
    held = replace(record, hold=Hold(reason="abuse", since=1))
    wiring.records().save(record, held, nudge_at=int(world.now()))
    world.cluster.finish_deletions()
    world.advance(600)
    assert (ada.record.phase, world.namespaces()) == (None, {})


@pytest.fixture
def disputed():
    """A dispute's event as Stripe signs it, of something that our key's account does not have."""
    return {
        "id": "evt_1", "object": "event", "type": "charge.dispute.created", "livemode": False,
        "created": int(time.time()),
        "data": {"object": {"object": "dispute", "id": "dp_1", "charge": "ch_1"}},
    }  # fmt: skip


def test_a_dispute_outlives_a_key_of_another_account(world, disputed):
    """Stripe does not know what it has signed: the key is wrong, and will be put right."""
    assert world.api.event(disputed)[0] == 200
    world.work()
    assert wiring.nudges().kept_event("evt_1")
    world.offset += 31 * DAY
    world.settle()
    assert wiring.nudges().kept_event("evt_1") is None


def test_a_connected_accounts_dispute_is_not_ours(world, disputed):
    """Its charge cannot be asked for with our key."""
    assert world.api.event(disputed | {"account": "acct_1"})[0] == 200
    assert wiring.nudges().kept_event("evt_1") is None
