"""A customer's way through the very zip that is uploaded, as Lambda would run it."""

import json
import time

import pytest
import stripe

from ops import rights
from sandbox import parts
from tests.deployment.rig import LAMBDA, Rig
from tests.journeys.shop import Customer, until

IS_DISPUTED = "4000000000000259"


@pytest.fixture(scope="module")
def rig(tmp_path_factory, packages, unpacked):
    """A shop, deployed."""
    rig = Rig(tmp_path_factory.mktemp("rig"), packages["dev"], *unpacked)
    yield rig
    rig.stop()


def record_of(rig, customer):
    """The key of a customer's record."""
    items = rig.client("dynamodb").scan(TableName=rig.stage.table)["Items"]
    (found,) = (i for i in items if i["sk"]["S"] == "RECORD" and customer.email in json.dumps(i))
    return {name: found[name] for name in ("pk", "sk")}


def item(rig, key):
    """As it is now."""
    return rig.client("dynamodb").get_item(TableName=rig.stage.table, Key=key)["Item"]


def nudges(rig, key):
    """How often anybody has asked to look."""
    return int(item(rig, key)["nudged"]["N"])


def change(rig, key, **values):
    """Put attributes into an item, as time or an accident would."""
    rig.client("dynamodb").update_item(
        TableName=rig.stage.table,
        Key=key,
        UpdateExpression="SET " + ", ".join(f"{n} = :{n}" for n in values),
        ExpressionAttributeValues={f":{n}": {"N": str(v)} for n, v in values.items()},
    )


def test_who_pays_owns_a_namespace(rig):
    """From signing up to active: API Gateway, SQS and schedule events through the package."""
    customer = Customer(rig).sign_in()
    session_id = customer.buy("basic")
    assert session_id.startswith("cs_test_")
    status = customer.becomes("active", patience=40)
    assert status["tenant"]["state"] == "ready"
    got = rig.ask(
        "GET", "kubernetes", f"/api/v1/namespaces/{status['tenant']['namespace']}",
        headers={"Authorization": f"Bearer {parts.KUBE_TOKEN}"},
    )  # fmt: skip
    assert got.status_code == 200


def test_every_function_may_do_exactly_what_it_does(rig):
    """All ways of all functions; what they asked of AWS is what their policies allow, and no more."""
    payer, free = Customer(rig).sign_in(), Customer(rig).sign_in()
    somebody_else_signs_up(Customer(rig))
    free.call("POST", "/api/subscriptions/start-free")
    free.becomes("active", patience=40)
    free.call("POST", "/api/subscriptions/stop-free")
    payer.buy("pro")
    payer.becomes("active", patience=40)
    assert payer.call("POST", "/api/subscriptions/create-portal-session").status_code == 200
    # A dispute names no customer: the worker asks Stripe, and sends the tenant's key; an event
    # that Stripe has forgotten is dropped.
    Customer(rig).sign_in().buy("basic", IS_DISPUTED)
    dispute_arrives(rig)
    # A deadline passes; and a key gets lost on its way.
    key = record_of(rig, payer)
    past, before = int(time.time()) - 5, nudges(rig, key)
    change(rig, key, due_at=past)
    until(lambda: nudges(rig, key) > before, "the sweep's nudge", 40)
    change(rig, key, due_at=past, nudged=10_000)
    until(lambda: item(rig, key)["reconciled"] == {"N": "10000"}, "the reconcile of a lost key", 40)
    # Somebody deletes a namespace by hand: the audit finds it, and nudges.
    namespace = payer.status()["tenant"]["namespace"]
    gone = rig.ask(
        "DELETE", "kubernetes", f"/api/v1/namespaces/{namespace}",
        headers={"Authorization": f"Bearer {parts.KUBE_ADMIN_TOKEN}"},
    )  # fmt: skip
    assert gone.status_code == 200, gone.text
    before = nudges(rig, key)
    rig.audit()
    assert nudges(rig, key) > before, rig.log(rights.AUDIT)
    # The table is away while a key is looked at: it is looked at again in seconds.
    rig.ask("POST", "aws", "/sandbox/faults", json={"outage": 8, "services": ["dynamodb"]})
    rig.send_key(key["pk"]["S"].removeprefix("TENANT#"))

    def settled():
        used = rig.rights_used()
        return all(expected(rig, name) == used.get(name, set()) for name in rights.FUNCTIONS)

    until_or_not(settled)
    used = rig.rights_used()
    for name in rights.FUNCTIONS:
        assert used.get(name, set()) == expected(rig, name), name
    assert used[LAMBDA] == {
        (f"sqs:{action}", rig.stage.queue) for action in rights.EVENT_SOURCE[rights.WORKER]
    }


def somebody_else_signs_up(customer):
    """With a customer's address, right after them; and the customer resets their password."""
    hers, his = (
        {"email": customer.email, "password": p} for p in ("hers, and long", "his, and long")
    )
    for account in (hers, his):
        assert customer.call("POST", "/api/auth/signup", account).status_code == 202
    typed = hers | {"code": customer.code()}
    assert customer.call("POST", "/api/auth/confirm", typed).status_code == 204
    assert customer.call("POST", "/api/auth/login", his).status_code == 401
    assert customer.call("POST", "/api/auth/login", hers).status_code == 200
    customer.call("POST", "/api/auth/password-reset", {"email": customer.email})
    typed = hers | {"code": customer.code()}
    assert customer.call("POST", "/api/auth/password-reset/confirm", typed).status_code == 204


def dispute_arrives(rig):
    """One that Stripe has forgotten: kept, asked for, and dropped."""
    event = {
        "id": "evt_gone", "object": "event", "type": "charge.dispute.created", "livemode": False,
        "created": int(time.time()), "api_version": "2026-10-28.endive",
        "data": {"object": {"object": "dispute", "id": "dp_gone", "charge": "ch_gone"}},
    }  # fmt: skip
    payload = json.dumps(event)
    header = stripe.WebhookSignature.generate_signature_header(payload, rig.webhook_secret)
    answer = rig.ask(
        "POST", "site", "/api/payments/webhook", data=payload, headers={"Stripe-Signature": header}
    )
    assert answer.status_code == 200, answer.text


def until_or_not(look):
    """Wait for it; whoever asked says what is missing."""
    try:
        until(look, "", 30)
    except AssertionError:
        return


def expected(rig, function):
    """What a policy allows, but for what the runtime itself does: logs, traces, its own feeding."""
    own = {f"sqs:{action}" for action in rights.EVENT_SOURCE.get(function, ())}
    return {
        (action, resource)
        for action, resource in rights.pairs(function, rig.stage)
        if action.split(":")[0] not in {"logs", "eks"} and action not in own
    }


def test_the_functions_log_nothing_that_is_secret(rig):
    """Neither keys nor tokens nor addresses, in any line of the journey."""
    for function in rights.FUNCTIONS:
        log = rig.log(function)
        for secret in (rig.webhook_secret, "sk_test_", "eyJ", "@example.com", "4242"):
            assert secret not in log, function
