"""The stand-in refuses what Stripe refuses, remembers what it remembers, and delivers as it does."""

import json
import time

import pytest
import requests
import stripe

from chalicelib.domain import stripe_event
from sandbox.stripe import cards, checkout
from tests.contract.stripe.conftest import KEY
from tests.contract.stripe.listening import Listener, until

CARD = cards.Card(cards.PAYS, "visa", "4242", 12, 2040)
SESSION = {
    "mode": "subscription",
    "success_url": "https://shop.example/ok",
    "client_reference_id": "t",
}


@pytest.fixture
def price(sdk):
    """The id of Basic's price."""
    return sdk.prices.list({"lookup_keys": ["arm-engine-dev-basic-month"]}).data[0].id


@pytest.fixture
def call(account):
    """A request by hand, as curl would make it."""

    def ask(method, path, data=None, key=KEY, **headers):
        return requests.request(
            method, account.url + path, data=data, auth=(key, ""), headers=headers, timeout=5
        )

    return ask


@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({"payment_method_types": ["card"]}, "payment_method_types"),
        ({"colour": "red"}, "colour"),
        ({"subscription_data": {"colour": "red"}}, "subscription_data[colour]"),
        ({"mode": "sell"}, "mode"),
        ({"ui_mode": "hosted"}, "ui_mode"),
        ({"line_items": [{"price": "price_nothing", "quantity": 1}]}, "line_items[0][price]"),
        ({"line_items": [{"quantity": "many"}]}, "line_items[0][quantity]"),
        ({"metadata": {"k" * 41: "v"}}, f"metadata[{'k' * 41}]"),
        ({"metadata": {"k": "v" * 501}}, "metadata[k]"),
        ({"metadata": {f"k{n}": "v" for n in range(51)}}, "metadata"),
        ({"subscription_data": {"metadata": {"k": "v" * 501}}}, "metadata[k]"),
        ({"success_url": "checkout/success"}, "success_url"),
        ({"cancel_url": "javascript:alert(1)"}, "cancel_url"),
        ({"expires_at": 12}, "expires_at"),
        ({"success_url": ""}, "success_url"),
        ({"customer": "cus_nothing"}, "customer"),
    ],
)
def test_a_parameter_that_stripe_would_refuse_is_refused(sdk, price, params, param):
    """Unknown, removed, malformed or leading nowhere: a 400 that names it."""
    asked = {**SESSION, "line_items": [{"price": price, "quantity": 1}], **params}
    with pytest.raises(stripe.InvalidRequestError) as refused:
        sdk.checkout.sessions.create(asked)
    assert (refused.value.http_status, refused.value.param) == (400, param)


@pytest.mark.parametrize("quantity", [0, -1])
def test_nothing_is_sold_less_than_once(sdk, price, quantity):
    """Stripe takes no quantity below one."""
    asked = {**SESSION, "line_items": [{"price": price, "quantity": quantity}]}
    with pytest.raises(stripe.InvalidRequestError, match="greater than or equal to 1"):
        sdk.checkout.sessions.create(asked)


def test_metadata_goes_where_it_is_put(sdk, price, account):
    """The session's own, and the subscription's by `subscription_data`."""
    session = sdk.checkout.sessions.create(
        {
            **SESSION, "line_items": [{"price": price, "quantity": 1}],
            "metadata": {"a": "1"}, "subscription_data": {"metadata": {"b": "2"}},
        }
    )  # fmt: skip
    checkout.complete(account.state.ledger, session.id, CARD)
    paid = sdk.checkout.sessions.retrieve(session.id, {"expand": ["subscription"]})
    assert paid.metadata.to_dict() == {"a": "1"}
    assert paid.subscription.metadata.to_dict() == {"b": "2"}
    assert (paid.status, paid.payment_status) == ("complete", "paid")


def test_paying_twice_sells_once(sdk, price, account):
    """Two tabs of the hosted page."""
    session = sdk.checkout.sessions.create(
        {**SESSION, "line_items": [{"price": price, "quantity": 1}]}
    )
    for _ in range(2):
        checkout.complete(account.state.ledger, session.id, CARD)
    customer = sdk.checkout.sessions.retrieve(session.id).customer
    assert len(sdk.subscriptions.list({"customer": customer}).data) == 1
    assert len(sdk.invoices.list({"customer": customer}).data) == 1


def test_canceled_subscriptions_are_listed_when_asked_for(sdk, price, account):
    """`status: all` shows what the plain list hides."""
    session = sdk.checkout.sessions.create(
        {**SESSION, "line_items": [{"price": price, "quantity": 1}]}
    )
    made = checkout.complete(account.state.ledger, session.id, CARD)
    sdk.subscriptions.cancel(made["subscription"])
    customer = made["customer"]
    assert sdk.subscriptions.list({"customer": customer}).data == []
    (found,) = sdk.subscriptions.list({"customer": customer, "status": "all"}).data
    assert (found.id, found.status) == (made["subscription"], "canceled")


def test_a_key_replays_an_answer_and_says_so(call):
    """Also the refusal of an executed call; never for other parameters, nor for a GET."""
    first = call("POST", "/v1/customers", {"email": "a@b.example"}, **{"Idempotency-Key": "k-1"})
    again = call("POST", "/v1/customers", {"email": "a@b.example"}, **{"Idempotency-Key": "k-1"})
    assert first.json() == again.json()
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.headers["Original-Request"] == first.headers["Request-Id"]
    other = call("POST", "/v1/customers", {"email": "c@d.example"}, **{"Idempotency-Key": "k-1"})
    assert (other.status_code, other.json()["error"]["type"]) == (400, "idempotency_error")


def test_a_refused_parameter_does_not_use_up_a_key(call):
    """Such a call was never executed: put right, it works under the same key."""
    wrong = call("POST", "/v1/customers", {"colour": "red"}, **{"Idempotency-Key": "k-1"})
    assert wrong.status_code == 400
    right = call("POST", "/v1/customers", {"email": "a@b.example"}, **{"Idempotency-Key": "k-1"})
    assert right.status_code == 200


@pytest.mark.parametrize("key", ["sk_test_wrong", ""])
def test_a_wrong_key_opens_nothing(call, key):
    """401 in Stripe's shape."""
    answer = call("GET", "/v1/customers", key=key)
    assert (answer.status_code, answer.json()["error"]["type"]) == (401, "invalid_request_error")


def test_an_unknown_address_is_told_as_such(call):
    """404, in Stripe's words."""
    answer = call("GET", "/v1/nothing")
    assert answer.status_code == 404
    assert "Unrecognized request URL" in answer.json()["error"]["message"]


def test_another_version_is_refused_not_guessed(call):
    """The shapes here are those of one version."""
    answer = call("GET", "/v1/customers", **{"Stripe-Version": "2023-10-16"})
    assert answer.status_code == 400


@pytest.fixture
def listener():
    """A webhook endpoint."""
    made = Listener()
    yield made
    made.stop()


def test_a_delivery_is_signed_and_tried_until_it_arrives(account, sdk, listener):
    """The SDK itself accepts the signature; a 500 brings the same event again."""
    listener.statuses[:] = [500, 500]
    endpoint = sdk.webhook_endpoints.create(
        {
            "url": listener.url,
            "enabled_events": ["customer.created"],
            "api_version": stripe.api_version,
        }
    )
    account.deliveries.start()
    customer = sdk.customers.create({"email": "a@b.example"})
    until(lambda: len(listener.got) == 3)
    assert [status for _, _, status in listener.got] == [500, 500, 200]
    assert len({body for _, body, _ in listener.got}) == 1
    for signature, body, _ in listener.got:
        event = stripe.Webhook.construct_event(body, signature, endpoint.secret)
        stripe_event.verify(body, signature, [endpoint.secret], time.time())
        assert event.data.object.id == customer.id
        assert event.api_version == stripe_event.API_VERSION
    until(lambda: account.deliveries.seen()[0]["delivered"])
    assert account.deliveries.seen()[0]["attempts"] == 3


def test_only_what_an_endpoint_asked_for_is_sent_to_it(account, sdk, listener):
    """The rest stays in the list of events."""
    sdk.webhook_endpoints.create({"url": listener.url, "enabled_events": ["customer.deleted"]})
    account.deliveries.start()
    customer = sdk.customers.create({})
    sdk.customers.delete(customer.id)
    until(lambda: listener.got)
    assert [json.loads(body)["type"] for _, body, _ in listener.got] == ["customer.deleted"]
    types = [e.type for e in sdk.events.list({}).data]
    assert "customer.created" in types


def test_the_clock_renews_what_is_paid_for(account, sdk, price, call):
    """A month on: a new period, a second invoice, and events that say so."""
    session = sdk.checkout.sessions.create(
        {**SESSION, "line_items": [{"price": price, "quantity": 1}]}
    )
    made = checkout.complete(account.state.ledger, session.id, CARD)
    before = sdk.subscriptions.retrieve(made["subscription"])["items"].data[0].current_period_end
    moved = requests.post(account.url + "/sandbox/clock", json={"advance": 32 * 86400}, timeout=30)
    assert moved.status_code == 200
    after = sdk.subscriptions.retrieve(made["subscription"])
    assert after.status == "active"
    assert after["items"].data[0].current_period_end > before
    invoices = sdk.invoices.list({"customer": made["customer"]}).data
    assert [i.status for i in invoices] == ["paid", "paid"]
    assert invoices[0].billing_reason == "subscription_cycle"


def test_a_card_that_fails_later_leaves_it_past_due(account, sdk, price):
    """…0341 pays now and fails when it renews."""
    session = sdk.checkout.sessions.create(
        {**SESSION, "line_items": [{"price": price, "quantity": 1}]}
    )
    fails = cards.Card(cards.FAILS_LATER, "visa", "0341", 12, 2040)
    made = checkout.complete(account.state.ledger, session.id, fails)
    requests.post(account.url + "/sandbox/clock", json={"advance": 32 * 86400}, timeout=30)
    assert sdk.subscriptions.retrieve(made["subscription"]).status == "past_due"
    types = {e.type for e in sdk.events.list({"limit": 50}).data}
    assert "invoice.payment_failed" in types
