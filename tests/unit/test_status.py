"""What the dashboard reads, state by state."""

import pytest

from chalicelib.domain.record import Billing, Checkout, Failure, FreeGrant
from chalicelib.domain.status import DELAYED, FAILED, status_of

NOW = 1_800_000_000
DAY = 24 * 3600
READY = {"ready_since": NOW - DAY, "phase": "running", "applied": "abc", "updated_at": NOW - DAY}


@pytest.fixture
def shown(catalogue, record):
    def show(**facts):
        return status_of(record(**facts), NOW, catalogue, "dev")

    return show


def test_nobody_yet(catalogue):
    """Before anything was bought there is nothing, and that is said in the contract's form."""
    assert status_of(None, NOW, catalogue, "dev") == {
        "active": False, "planId": None, "status": "none", "currentPeriodEnd": None,
        "cancelAtPeriodEnd": False, "paymentProblem": None, "dataKeptUntil": None,
        "tenant": {"namespace": None, "state": "none", "message": None, "updatedAt": None},
    }  # fmt: skip


def test_a_ready_tenant(shown, subscription, record):
    """Plan, renewal date and namespace."""
    answer = shown(billing=Billing(subscription=subscription()), **READY)
    assert answer["status"] == "active"
    assert answer["planId"] == "basic"
    assert answer["currentPeriodEnd"] == "2027-02-13T08:00:00Z"
    assert answer["tenant"]["namespace"] == f"arm-{record().tenant_id}"
    assert answer["tenant"]["state"] == "ready"


def test_paid_and_not_seen_yet_is_being_set_up(shown):
    """From the moment of payment the customer reads that it goes on."""
    checkout = Checkout(plan_id="pro", nonce="n", params={}, started_at=NOW, session_id="cs_1")
    answer = shown(checkout=checkout, paid_session="cs_1")
    assert (answer["status"], answer["planId"]) == ("provisioning", "pro")
    assert answer["tenant"]["state"] == "pending"


def test_an_outage_is_told_honestly(shown, subscription):
    """While the cluster is away the customer reads that nothing is lost."""
    failure = Failure(permanent=False, reason="the cluster does not answer", at=NOW)
    billing = Billing(subscription=subscription())
    answer = shown(billing=billing, failure=failure, nudged=2, reconciled=1, phase="running")
    assert answer["tenant"] == answer["tenant"] | {"state": "pending", "message": DELAYED}


def test_a_permanent_failure_is_told_without_its_insides(shown, subscription):
    """The operator's reason stays with the operator."""
    failure = Failure(permanent=True, reason="HTTP 403 secret words", at=NOW)
    answer = shown(billing=Billing(subscription=subscription()), failure=failure)
    assert answer["tenant"]["state"] == "failed"
    assert answer["tenant"]["message"] == FAILED


def test_past_due_says_by_when_to_act(shown, subscription):
    """The tenant runs, and the date is there."""
    billing = Billing(subscription=subscription(status="past_due"))
    answer = shown(billing=billing, grace_until=NOW + DAY, **READY)
    assert (answer["status"], answer["active"]) == ("past_due", True)
    assert answer["paymentProblem"] == {"actBy": "2027-01-16T08:00:00Z"}


def test_canceled_says_until_when_data_are_kept(shown, subscription):
    """Suspended, and the date after which it is gone."""
    billing = Billing(subscription=subscription(status="canceled", ended_at=NOW - DAY))
    facts = READY | {"phase": "suspended"}
    answer = shown(billing=billing, retention_until=NOW + DAY, **facts)
    assert (answer["status"], answer["active"]) == ("canceled", False)
    assert answer["dataKeptUntil"] == "2027-01-16T08:00:00Z"
    assert answer["tenant"]["state"] == "suspended"


def test_free_ends_on_its_day(shown):
    """Free does not renew: its end is shown as an end."""
    answer = shown(free=FreeGrant(started_at=NOW), free_until=NOW + DAY, **READY)
    assert (answer["planId"], answer["status"]) == ("free", "active")
    assert answer["currentPeriodEnd"] == "2027-01-16T08:00:00Z"
    assert answer["cancelAtPeriodEnd"] is True


def test_a_deletion_under_way(shown):
    """It is canceled, and being removed."""
    answer = shown(phase="deleting", ready_since=1)
    assert (answer["status"], answer["tenant"]["state"]) == ("canceled", "deleting")
