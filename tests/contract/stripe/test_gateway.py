"""Our gateway against the stand-in: the calls it makes, and what their failures mean."""

import json
import threading

import pytest
import stripe

from chalicelib.domain.errors import (
    CustomerGone,
    Permanent,
    SessionClosed,
    Temporary,
    UpstreamBroken,
)
from chalicelib.gateways.stripe_api import StripeApi
from sandbox.stripe import cards, checkout, disputes
from tests.contract.stripe.conftest import KEY

PRICE = "arm-engine-dev-basic-month"
CARD = cards.Card(cards.PAYS, "visa", "4242", 12, 2040)


@pytest.fixture
def customer(gateway):
    """A customer's id."""
    return gateway.create_customer(
        email="ada@example.com", metadata={"tenant_id": "t"}, idempotency_key="customer-1"
    )


@pytest.fixture
def params(gateway, customer):
    """What a session is made of."""
    metadata = {"tenant_id": "t", "deployment": "arm-engine-dev", "checkout": "nonce-1"}
    return {
        "mode": "subscription", "customer": customer, "client_reference_id": "t",
        "line_items": [{"price": gateway.price_id(PRICE), "quantity": 1}],
        "metadata": metadata, "subscription_data": {"metadata": metadata},
        "success_url": "https://shop.example/ok?session_id={CHECKOUT_SESSION_ID}",
        "cancel_url": "https://shop.example/no",
    }  # fmt: skip


def pay(account, session_id):
    checkout.complete(account.state.ledger, session_id, CARD)


def test_a_customer_is_made_once(gateway, customer, sdk):
    """The same key gives the same one, and its metadata says whose it is."""
    again = gateway.create_customer(
        email="ada@example.com", metadata={"tenant_id": "t"}, idempotency_key="customer-1"
    )
    assert again == customer
    assert len(sdk.customers.list().data) == 1
    assert sdk.customers.retrieve(customer).metadata["tenant_id"] == "t"


def test_a_price_is_found_by_its_key_and_remembered(gateway, account):
    """One call for the life of the container; one that is not there is told with what to do."""
    first = gateway.price_id(PRICE)
    assert first.startswith("price_")
    account.state.trouble.set({"outage": 60})
    assert gateway.price_id(PRICE) == first
    account.state.trouble.clear()
    with pytest.raises(Permanent, match="no active price nothing: push the catalogue"):
        gateway.price_id("nothing")


def test_the_same_attempt_is_the_same_session(gateway, params):
    """A crash between the answer and the write is healed by asking again."""
    first = gateway.create_session(params, "nonce-1")
    assert first.status == "open"
    assert first.id in first.url
    assert gateway.create_session(params, "nonce-1") == first


def test_a_key_with_other_parameters_is_refused(gateway, params):
    """Stripe would, too: a frozen attempt never changes."""
    gateway.create_session(params, "nonce-1")
    with pytest.raises(Permanent, match="other parameters"):
        gateway.create_session({**params, "client_reference_id": "x"}, "nonce-1")


def test_a_session_is_followed_to_its_end(gateway, params, account):
    """Open, then complete; what was paid cannot be expired."""
    session = gateway.create_session(params, "nonce-1")
    assert gateway.session(session.id).status == "open"
    pay(account, session.id)
    found = gateway.session(session.id)
    assert (found.status, found.url) == ("complete", None)
    with pytest.raises(SessionClosed):
        gateway.expire_session(session.id)
    assert gateway.session("cs_test_nothing") is None


def test_whatever_is_open_is_expired(gateway, params, customer):
    """Also a session whose id was never written down."""
    ids = [gateway.create_session(params, f"nonce-{n}").id for n in range(2)]
    gateway.expire_open_sessions(customer)
    assert {gateway.session(i).status for i in ids} == {"expired"}


def test_a_subscription_is_told_by_its_product_and_its_nonce(gateway, params, customer, account):
    """The plan by the product that is ours, the attempt by the metadata, ended ones listed too."""
    assert gateway.subscriptions(customer) == ()
    pay(account, gateway.create_session(params, "nonce-1").id)
    (found,) = gateway.subscriptions(customer)
    assert (found.status, found.product_id, found.nonce) == (
        "active", "arm-engine-dev-basic", "nonce-1",
    )  # fmt: skip
    assert found.current_period_end > found.created
    assert (found.cancel_at_period_end, found.collection_paused, found.ended_at) == (
        False, False, None,
    )  # fmt: skip


def test_what_changes_at_stripe_is_seen(gateway, params, customer, account, sdk):
    """Paused collection, an end that is announced, an end that came."""
    pay(account, gateway.create_session(params, "nonce-1").id)
    (before,) = gateway.subscriptions(customer)
    sdk.subscriptions.update(before.id, {"pause_collection": {"behavior": "void"}})
    assert gateway.subscriptions(customer)[0].collection_paused
    sdk.subscriptions.update(before.id, {"cancel_at_period_end": True})
    assert gateway.subscriptions(customer)[0].cancel_at_period_end
    sdk.subscriptions.cancel(before.id)
    (ended,) = gateway.subscriptions(customer)
    assert (ended.status, ended.has_ended) == ("canceled", True)
    assert ended.ended_at


def test_a_deleted_customer_is_told_as_such(gateway, params, customer, sdk):
    """By every call that would make something of it, so that the record can take a new one."""
    sdk.customers.delete(customer)
    for ask in (
        lambda: gateway.create_session(params, "nonce-1"),
        lambda: gateway.portal_url(customer, "https://shop.example/dashboard"),
    ):
        with pytest.raises(CustomerGone):
            ask()


def test_a_failure_of_stripes_own_is_repeated_under_its_key(gateway, params, account):
    """The attempt is burnt; another nonce works."""
    account.state.trouble.set({"errors": 1})
    with pytest.raises(UpstreamBroken):
        gateway.create_session(params, "nonce-1")
    with pytest.raises(UpstreamBroken):
        gateway.create_session(params, "nonce-1")
    assert gateway.create_session(params, "nonce-2").status == "open"


def test_an_outage_and_a_wrong_key_are_temporary(gateway, account, customer):
    """Neither is any one tenant's fault: all go on when it is over, or put right."""
    account.state.trouble.set({"outage": 60})
    with pytest.raises(Temporary):
        gateway.subscriptions(customer)
    account.state.trouble.clear()
    wrong = StripeApi("sk_test_wrong", api_base=account.url)
    with pytest.raises(Temporary, match="does not accept the key"):
        wrong.subscriptions(customer)
    wrong._client.subscriptions._requestor._client.close()


def test_nobody_there_is_temporary(gateway, account, customer):
    """A connection refused says nothing about the request."""
    account._server.shutdown()
    account._server.server_close()
    with pytest.raises(Temporary, match="does not answer"):
        gateway.subscriptions(customer)


def test_the_same_call_under_way_twice_is_no_refusal(gateway, params, account, monkeypatch):
    """Two clicks at once under one key: Stripe answers the second 409, and it may try again."""
    monkeypatch.setattr("stripe._http_client.HTTPClient._sleep_time_seconds", lambda *_, **__: 0)
    held, go_on = threading.Event(), threading.Event()
    do = account.state._do

    def slow(*args):
        held.set()
        go_on.wait(10)
        return do(*args)

    monkeypatch.setattr(account.state, "_do", slow)
    first = threading.Thread(target=gateway.create_session, args=(params, "nonce-1"))
    first.start()
    assert held.wait(10)
    other = StripeApi(KEY, api_base=account.url)
    with pytest.raises(Temporary, match="HTTP 409"):
        other.create_session(params, "nonce-1")
    other._client.subscriptions._requestor._client.close()
    go_on.set()
    first.join()
    assert gateway.create_session(params, "nonce-1").status == "open"


def test_a_disputes_customer_is_found_through_its_charge(gateway, params, customer, account, sdk):
    """The event names the charge alone."""
    disputed = cards.Card(cards.IS_DISPUTED, "visa", "0259", 12, 2040)
    session = gateway.create_session(params, "nonce-1")
    checkout.complete(account.state.ledger, session.id, disputed)
    (event,) = sdk.events.list({"type": "charge.dispute.created"}).data
    assert "customer" not in event.data.object.to_dict()
    found = gateway.dispute_of(event.id)
    assert (found.customer_id, found.open) == (customer, True)
    sdk.disputes.close(found.dispute_id)  # to accept it is to lose it
    assert gateway.dispute_of(event.id).open is True
    assert gateway.verdict(found.dispute_id) == "lost"
    disputes.move(
        account.state.ledger, account.state.ledger.tables["dispute"][found.dispute_id], "won"
    )
    assert gateway.dispute_of(event.id).open is False
    assert gateway.verdict(found.dispute_id) == "over"
    assert gateway.verdict("du_nothing") == "over"
    assert gateway.dispute_of("evt_nothing") is None


class Answers(stripe.HTTPClient):
    """A Stripe that answers by what the path contains."""

    name = "answers"

    def __init__(self, answers):
        super().__init__()
        self._answers, self.posted = answers, []

    def request(self, method, url, headers, post_data=None):  # noqa: ARG002 - as the SDK calls it
        """One request."""
        if method == "post":
            self.posted.append(post_data)
        body = next(v for k, v in self._answers.items() if k in url)
        return json.dumps(body), 200, {}

    def close(self):
        """Nothing is open."""


def page(*data):
    """A list of Stripe's."""
    return {"object": "list", "url": "/v1/x", "has_more": False, "data": [*data]}


def subscription():
    """One as a page of them has it, with what may be left out."""
    item = {
        "id": "si_1", "object": "subscription_item", "current_period_end": 9,
        "price": {"id": "price_1", "object": "price", "product": "prod_1"},
    }  # fmt: skip
    return {
        "id": "sub_1", "object": "subscription", "status": "active", "created": 1,
        "customer": "cus_1", "metadata": {}, "cancel_at": None, "cancel_at_period_end": False,
        "pause_collection": None, "ended_at": None, "trial_start": None,
        "items": page(item),
    }  # fmt: skip


@pytest.mark.parametrize(
    "left_out", ["trial_start", "pause_collection", "cancel_at", "ended_at", "metadata"]
)
def test_what_is_left_out_of_a_subscription_is_null(left_out):
    """Some that speak Stripe's protocol leave out what Stripe says is null."""
    found = subscription()
    del found[left_out]
    api = StripeApi("sk_test_1", http_client=Answers({"/subscriptions": page(found)}))
    (read,) = api.subscriptions("cus_1")
    assert (read.current_period_end, read.cancel_at_period_end, read.ended_at) == (9, False, None)


def test_a_period_may_stand_on_the_subscription():
    """Where it stood until 2025."""
    found = subscription()
    found["current_period_end"] = found["items"]["data"][0].pop("current_period_end")
    api = StripeApi("sk_test_1", http_client=Answers({"/subscriptions": page(found)}))
    assert api.subscriptions("cus_1")[0].current_period_end == 9


def test_what_is_left_out_of_a_session_is_null():
    """An open one has no subscription yet, a complete one no address any more."""
    found = {"id": "cs_1", "object": "checkout.session", "status": "open", "expires_at": 9}
    answers = Answers({"/checkout/sessions": found | {"payment_status": "unpaid"}})
    read = StripeApi("sk_test_1", http_client=answers).session("cs_1")
    assert (read.url, read.subscription_id, read.customer_gone) == (None, None, False)


def test_a_charge_without_a_customer_is_nobodys():
    """A dispute about a payment that was not of ours."""
    dispute = {
        "id": "dp_1",
        "object": "dispute",
        "status": "won",
        "charge": {"id": "ch_1", "object": "charge"},
    }
    event = {"id": "evt_1", "object": "event", "data": {"object": dispute}}
    answers = Answers({"/events": event, "/disputes": dispute})
    found = StripeApi("sk_test_1", http_client=answers).dispute_of("evt_1")
    assert (found.customer_id, found.open) == (None, False)


def paid_by(**payment):
    """A Stripe with one paid invoice, that was paid like this."""
    made = {"id": "inpay_1", "object": "invoice_payment", "payment": payment}
    return Answers({
        "/invoice_payments": page(made),
        "/invoices": page({"id": "in_1", "object": "invoice", "amount_paid": 2900}),
        "/refunds": {"id": "re_1", "object": "refund", "amount": 2900},
    })  # fmt: skip


@pytest.mark.parametrize("kind", ["payment_intent", "charge"])
def test_whatever_paid_an_invoice_is_refunded(kind):
    """An invoice's payment carries the field that its type names, and no other."""
    answers = paid_by(type=kind, **{kind: "x_1"})
    assert StripeApi("sk_test_1", http_client=answers).refund_subscription("sub_1", since=0) == 2900
    assert answers.posted == [f"{kind}=x_1&reason=duplicate"]


def test_what_stripe_did_not_take_it_cannot_give_back():
    """A payment that was only recorded: a person is told."""
    api = StripeApi("sk_test_1", http_client=paid_by(type="payment_record", payment_record="x_1"))
    with pytest.raises(Permanent, match="in_1 was not paid through Stripe"):
        api.refund_subscription("sub_1", since=0)


def test_an_address_that_stripe_does_not_take_keeps_nobody_from_buying(gateway, sdk):
    """The customer is made without; the same key still gives the same one."""
    known = {"metadata": {"tenant_id": "t"}, "idempotency_key": "customer-9"}
    made = gateway.create_customer(email="nobody", **known)
    assert gateway.create_customer(email="nobody", **known) == made
    assert sdk.customers.retrieve(made).email is None


def test_a_key_of_another_address_is_over_with_the_next_click(gateway):
    """After a purge the first key is used once more, perhaps by another address."""
    known = {"metadata": {"tenant_id": "t"}, "idempotency_key": "customer-8"}
    gateway.create_customer(email="ada@example.com", **known)
    with pytest.raises(UpstreamBroken):
        gateway.create_customer(email="ada@example.org", **known)
