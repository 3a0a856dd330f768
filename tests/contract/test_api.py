"""The API as a hostile or confused client meets it: a clear answer, never a stack trace."""

import json
import time
from dataclasses import replace

import pytest
from botocore.exceptions import EndpointConnectionError

import app
from chalicelib import wiring
from tests.contract.known import TENANT

CHECKOUT = "/api/subscriptions/create-checkout-session"
WEBHOOK = "/api/payments/webhook"


def code(answer):
    return answer[0], answer[1]["error"]["code"]


def event(**facts):
    usual = {
        "id": "evt_1", "object": "event", "type": "customer.subscription.updated",
        "created": 1_800_000_000, "livemode": False, "api_version": "2026-10-28.endive",
        "data": {"object": {"object": "subscription", "customer": "cus_1", "metadata": {
            "tenant_id": TENANT, "deployment": "arm-engine-dev"}}},
    }  # fmt: skip
    return usual | facts


@pytest.mark.parametrize(
    ("body", "refused"),
    [
        (b"", (400, "invalid_request")),
        (b"{", (400, "invalid_request")),
        (b"\xff\xfe", (400, "invalid_request")),
        (b"[]", (400, "invalid_request")),
        (b'"basic"', (400, "invalid_request")),
        (b"{}", (400, "invalid_request")),
        (b'{"planId": 3}', (400, "invalid_request")),
        (b'{"planId": null}', (400, "invalid_request")),
        (b'{"planId": ""}', (400, "invalid_request")),
        (b'{"planId": "\\ud800"}', (400, "invalid_request")),
        (b'{"planId": "basic", "price": 1}', (400, "invalid_request")),
        (b"[" * 100_000, (400, "invalid_request")),
        (b'{"planId": "free"}', (400, "invalid_request")),
        (b'{"planId": "gold"}', (400, "unknown_plan")),
        (b'{"planId": "' + b"x" * 300_000 + b'"}', (413, "too_large")),
    ],
    ids=range(15),
)
def test_a_bad_body_is_refused(api, token, body, refused):
    """Whatever is in the body, the answer says what is wrong with it."""
    assert code(api.call("POST", CHECKOUT, body, token=token())) == refused


@pytest.mark.parametrize("content_type", ["text/plain", "application/json; charset=utf-8", ""])
def test_a_body_is_judged_by_what_it_is(api, token, content_type):
    """A body's name decides nothing."""
    headers = {"Content-Type": content_type}
    answer = api.call("POST", CHECKOUT, b'{"planId": "gold"}', headers, token())
    assert code(answer) == (400, "unknown_plan")


@pytest.mark.parametrize("content_type", ["text/plain", "application/octet-stream", "x", ""])
@pytest.mark.parametrize("path", [p for p, methods in app.app.routes.items() if "GET" in methods])
def test_a_get_has_no_body_whose_type_matters(api, token, path, content_type):
    """Some clients name one with every request."""
    status, body = api.call("GET", path, headers={"Content-Type": content_type}, token=token())
    assert (status, "error" in body) == (200, False)


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic abc", "Bearer a.b", "x"])
def test_nobody_is_let_in_without_a_token(api, header):
    """No header, or an odd one, is simply not signed in."""
    headers = {} if header is None else {"Authorization": header}
    answer = api.call("GET", "/api/subscriptions/status", headers=headers)
    assert code(answer) == (401, "unauthenticated")


def test_every_error_has_the_contracts_form(api):
    """Code, message and the request's id; nothing else."""
    _, body = api.call("GET", "/api/subscriptions/status")
    assert body["error"].keys() == {"code", "message", "requestId"}


def test_without_a_user_pool_there_is_no_sign_in_here(api):
    """The pages then send people elsewhere."""
    body = {"email": "a@example.com", "password": "x"}
    assert code(api.call("POST", "/api/auth/login", body)) == (404, "not_found")


def test_a_bug_shows_nothing_of_itself(api, token, monkeypatch, caplog):
    """A stranger reads that something went wrong, and its request id; one log line has the rest."""
    monkeypatch.setattr("chalicelib.wiring.statuses", lambda: 1 / 0)
    status, body = api.call("GET", "/api/subscriptions/status", token=token())
    assert (status, body["error"]["code"]) == (500, "internal_error")
    assert "ZeroDivision" not in json.dumps(body)
    (logged,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert (logged.message, logged.request_id) == ("bug", body["error"]["requestId"])
    assert logged.exc_info[0] is ZeroDivisionError


@pytest.mark.parametrize("body", ["abc", "\ud800"])
def test_a_body_that_is_no_bytes_is_refused(body):
    """Said to be base64 and it is not, or half of a surrogate pair: a clear no, never a crash."""
    event = {
        "requestContext": {"resourcePath": WEBHOOK, "httpMethod": "POST"},
        "headers": {"Content-Type": "application/json"}, "multiValueHeaders": {},
        "pathParameters": {}, "stageVariables": None, "multiValueQueryStringParameters": None,
        "body": body, "isBase64Encoded": body.isascii(),
    }  # fmt: skip
    answer = app.app(event, None)
    assert answer["statusCode"] == 400
    assert json.loads(answer["body"])["error"]["code"] == "invalid_request"


def test_a_webhook_without_a_secret_trusts_nothing(api, settings):
    """503, so that Stripe delivers again once it is configured."""
    settings.setenv("STRIPE_WEBHOOK_SECRET", " ")
    wiring._settings.cache_clear()
    assert code(api.event(event())) == (503, "webhook_disabled")


@pytest.mark.parametrize("at", [-301, 301])
def test_an_old_and_a_future_signature_are_refused(api, at):
    """A recorded delivery cannot be played again, nor one be made for later."""
    answer = api.event(event(), at=int(time.time()) + at)
    assert code(answer) == (400, "invalid_signature")


def test_a_wrong_signature_changes_nothing(api, aws):
    """Nothing is stored and nothing sent of what is not Stripe's."""
    assert code(api.event(event(), secret="whsec_wrong")) == (400, "invalid_signature")
    assert code(api.call("POST", WEBHOOK, b"{}")) == (400, "invalid_signature")
    assert (aws.items(), aws.messages()) == ({}, [])


@pytest.mark.parametrize("payload", ["[]", "{}", "3", '{"id": "evt_1"}'])
def test_a_signed_body_that_is_no_event_is_refused(api, payload):
    """A mistake of Stripe's, or of whoever has the secret, is told as such."""
    assert code(api.event(json.loads(payload))) == (400, "invalid_request")


def test_a_large_webhook_is_refused(api):
    """Before anything is computed of it."""
    assert code(api.call("POST", WEBHOOK, b"x" * 262_145)) == (413, "too_large")


def test_free_may_be_had_once(api, aws, token):
    """Started, stopped, and not started again; the count of grants follows."""
    mine = token()
    status, body = api.call("POST", "/api/subscriptions/start-free", token=mine)
    assert (status, body["planId"], body["status"]) == (202, "free", "provisioning")
    assert aws.items("FREE")["FREE", "COUNT"]["standing"] == 1
    assert code(api.call("POST", "/api/subscriptions/start-free", token=mine)) == (409, "free_used")
    assert api.call("POST", "/api/subscriptions/stop-free", token=mine)[0] == 202
    assert aws.items("FREE")["FREE", "COUNT"]["standing"] == 0
    answer = api.call("POST", "/api/subscriptions/stop-free", token=mine)
    assert code(answer) == (409, "nothing_to_stop")
    assert {"v": 1, "tenantId": TENANT} in aws.messages()


def test_free_is_had_once_per_mailbox(api, aws, token):
    """Another account with another spelling of the same address has had it, too; nobody else has."""
    start = "/api/subscriptions/start-free"
    for sub, email, status in (
        ("u-1", "ada+1@example.com", 202), ("u-2", "ADA+2@example.com", 409),
        ("u-3", "ada@example.com", 409), ("u-4", "bob@example.com", 202), ("u-5", None, 202),
    ):  # fmt: skip
        answer = api.call("POST", start, token=token(sub=sub, email=email))
        assert answer[0] == status, email
        if status == 409:
            assert code(answer) == (409, "free_used")
    assert aws.items("FREE")["FREE", "COUNT"]["standing"] == 3
    assert "example.com" not in str(aws.items("FREE"))


def test_free_is_capped(api, aws, token, monkeypatch):
    """When all places are taken, the next one reads so, and nothing is granted."""
    catalogue = wiring.catalogue()
    full = replace(catalogue, policy=replace(catalogue.policy, free_cap=1))
    monkeypatch.setattr(wiring, "catalogue", lambda: full)
    assert api.call("POST", "/api/subscriptions/start-free", token=token())[0] == 202
    other = token(sub="u-2")
    assert code(api.call("POST", "/api/subscriptions/start-free", token=other)) == (
        409,
        "free_full",
    )
    assert aws.items("FREE")["FREE", "COUNT"]["standing"] == 1


def test_there_is_no_portal_without_a_customer(api, token):
    """Nothing was paid for, so there is no billing to manage."""
    answer = api.call("POST", "/api/subscriptions/create-portal-session", token=token())
    assert code(answer) == (409, "no_customer")


def test_who_clicks_without_end_is_told_when_to_come_back(api, aws, token):
    """429 with Retry-After before Stripe is asked anything more; others are served as ever."""
    path = "/api/subscriptions/create-portal-session"
    known(api, token)
    answers = [api.call("POST", path, token=token()) for _ in range(11)]
    assert [status for status, _ in answers] == [409] * 10 + [429]
    assert code(answers[-1]) == (429, "too_many_requests")
    last = api._http.request("POST", CHECKOUT, body=b'{"planId": "basic"}', headers={
        "Authorization": f"Bearer {token()}", "Content-Type": "application/json"})  # fmt: skip
    assert (last.status_code, 0 < int(last.headers["Retry-After"]) <= 20) == (429, True)
    assert code(api.call("POST", path, token=token(sub="u-2"))) == (409, "no_customer")
    assert api.call("GET", "/api/subscriptions/status", token=token())[0] == 200


def test_an_unknown_method_gets_the_contracts_form(api):
    """What Chalice itself refuses looks like what we refuse."""
    assert code(api.call("DELETE", WEBHOOK)) == (405, "method_not_allowed")


def test_a_type_that_a_route_does_not_take_is_no_bug_of_ours(api, token, monkeypatch):
    """All of ours take any; a route that is added with less answers with a code of its own."""
    monkeypatch.setattr(app.app.routes[CHECKOUT]["POST"], "content_types", ["application/json"])
    answer = api.call("POST", CHECKOUT, b"{}", {"Content-Type": "text/plain"}, token())
    assert code(answer) == (415, "unsupported_media_type")


def known(api, token):
    api.call("POST", "/api/subscriptions/start-free", token=token())


class TestDurability:
    """An event is durable before it is acknowledged, and its key is sent."""

    def test_an_event_nudges_in_two_calls(self, api, aws, token):
        """One transaction and one message; no read, and nothing of Stripe."""
        known(api, token)
        aws.calls.clear()
        assert api.event(event()) == (200, {"received": True})
        assert aws.calls == {"TransactWriteItems": 1, "SendMessage": 1}
        items = aws.items("TENANT")
        assert items[f"TENANT#{TENANT}", "RECORD"]["nudged"] == 2
        line = items[f"TENANT#{TENANT}", "LINE#1800000000#evt_1"]
        assert line["text"] == "customer.subscription.updated"

    def test_a_duplicate_is_acknowledged_and_its_key_sent_again(self, api, aws, token):
        """The first delivery may have died before the key was sent."""
        known(api, token)
        api.event(event())
        aws.messages()
        aws.calls.clear()
        assert api.event(event())[0] == 200
        assert aws.calls == {"TransactWriteItems": 1, "SendMessage": 1}
        assert aws.items("TENANT")[f"TENANT#{TENANT}", "RECORD"]["nudged"] == 2

    def test_an_event_without_our_metadata_is_found_by_its_customer(self, api, aws, token):
        """One read more: the pointer from the customer to the tenant."""
        known(api, token)
        record = wiring.records().read(TENANT)
        wiring.records().save(record, replace(record, customer_id="cus_1"))
        aws.calls.clear()
        charge = {"object": {"object": "charge", "customer": "cus_1", "metadata": {}}}
        assert api.event(event(type="charge.refunded", data=charge))[0] == 200
        assert aws.calls == {"GetItem": 1, "TransactWriteItems": 1, "SendMessage": 1}

    @pytest.mark.parametrize(
        "facts",
        [
            {"type": "product.updated"},
            {"livemode": True},
            {"data": {"object": {"object": "subscription", "metadata": {
                "tenant_id": TENANT, "deployment": "arm-engine-prod"}}}},
            {"data": {"object": {"object": "charge", "customer": "cus_unknown"}}},
            {"data": {"object": {"object": "charge"}}},
        ],
    )  # fmt: skip
    def test_what_is_not_ours_is_acknowledged_and_left_alone(self, api, aws, token, facts):
        """Another deployment's, another mode's, an unknown customer's: 200 and no nudge."""
        known(api, token)
        assert api.event(event(**facts))[0] == 200
        assert aws.items("TENANT")[f"TENANT#{TENANT}", "RECORD"]["nudged"] == 1

    def test_an_unknown_tenant_is_acknowledged(self, api, aws):
        """Metadata that names nobody is logged and answered; nothing is made of it."""
        assert api.event(event())[0] == 200
        assert (aws.items(), aws.messages()) == ({}, [])

    def test_a_paid_checkout_is_marked_in_the_same_write(self, api, aws, token):
        """The customer reads "provisioning" before any reconcile."""
        known(api, token)
        session = {
            "object": "checkout.session", "id": "cs_1", "payment_status": "paid",
            "metadata": {"tenant_id": TENANT, "deployment": "arm-engine-dev"},
        }  # fmt: skip
        completed = event(type="checkout.session.completed", data={"object": session})
        assert api.event(completed)[0] == 200
        assert aws.items("TENANT")[f"TENANT#{TENANT}", "RECORD"]["paid_session"] == "cs_1"

    def test_a_dispute_is_kept_until_its_tenant_is_found(self, api, aws):
        """It names no customer: the event itself is durable, and the worker is told of it."""
        dispute = event(type="charge.dispute.created", data={"object": {"object": "dispute"}})
        assert api.event(dispute)[0] == 200
        assert ("EVENT#evt_1", "PENDING") in aws.items("EVENT")
        assert aws.messages() == [{"v": 1, "eventId": "evt_1"}]

    @pytest.mark.parametrize("operation", ["TransactWriteItems", "SendMessage"])
    def test_a_failure_is_never_acknowledged(self, api, aws, token, operation):
        """Table or queue away: 5xx, and the redelivery completes the job."""
        known(api, token)
        client = (
            wiring.queue()._client if operation == "SendMessage" else wiring.records()._db._client
        )
        broken = _break(client, operation)
        status, body = api.event(event())
        assert (status, body["error"]["code"]) == (503, "upstream_unavailable")
        client.meta.events.unregister(f"before-call.*.{operation}", broken)
        aws.messages()
        assert api.event(event())[0] == 200
        assert aws.items("TENANT")[f"TENANT#{TENANT}", "RECORD"]["nudged"] == 2

    def test_contention_is_retried_in_place(self, api, token):
        """Events of one payment meet on one item; the SDK would give up at once."""
        known(api, token)
        client = wiring.records()._db._client
        left = [3]

        def contended(**_):
            if left[0]:
                left[0] -= 1
                raise client.exceptions.TransactionCanceledException(
                    {
                        "Error": {"Code": "TransactionCanceledException", "Message": ""},
                        "CancellationReasons": [{"Code": "TransactionConflict"}, {"Code": "None"}],
                    },
                    "TransactWriteItems",
                )

        client.meta.events.register("before-call.*.TransactWriteItems", contended)
        assert api.event(event())[0] == 200
        assert left == [0]


def _break(client, operation):
    def fail(**_):
        raise EndpointConnectionError(endpoint_url="http://nowhere")

    client.meta.events.register(f"before-call.*.{operation}", fail)
    return fail
