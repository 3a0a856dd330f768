"""What we ask of Stripe, and what the stand-in answers, by the document that Stripe publishes."""

import copy

import pytest
from chalice.test import Client

import app
from chalicelib.domain.stripe_event import API_VERSION, SUBSCRIBED
from sandbox.stripe.routes import ROUTES, _pattern
from sandbox.stripe.state import Stripe
from tests.conftest import forget
from tests.contract.conftest import Api, deployed
from tests.contract.stripe.differences import ADDED, DIFFERENCES, REMOVED
from tests.contract.stripe.judged import expanded, specification
from tests.contract.stripe.node import CHANGELOG, needed
from tests.contract.stripe.specification import Specification
from tests.contract.stripe.whole_life import Shop, live


@pytest.fixture(name="specification")
def _specification():
    return specification()


@pytest.fixture(scope="module")
def shop():
    """A shop that has lived through everything."""
    with pytest.MonkeyPatch.context() as patch:
        deployed(patch)
        forget()
        with Client(app.app, stage_name="none") as client:
            made = Shop(Api(client.http))
            made.move_in(patch)
            live(made)
            yield made
    forget()


def events(shop):
    return shop.ledger.tables["event"].values()


def of_requests(specification, shop):
    for call in shop.stripe.calls:
        if not call.provoked:
            for fault in specification.faults_of_request(call.method, call.path, call.pairs):
                yield f"{call.method} {call.path} {fault}"


def of_answers(specification, shop):
    for call in shop.stripe.calls:
        found = specification.faults_of_answer(
            call.method, call.path, call.status, call.body, expanded(call.pairs)
        )
        yield from (f"{call.method} {call.path} {fault}" for fault in found)


def of_events(specification, shop):
    for event in events(shop):
        yield from (f"{event['type']} {f}" for f in specification.faults_of_event(event))


def test_whatever_is_asked_is_a_call_that_stripe_knows(specification, shop):
    """Method, path, and every parameter with its form; what may be expanded, too."""
    assert sorted(set(of_requests(specification, shop))) == []


def test_whatever_is_answered_has_the_shape_that_stripe_publishes(specification, shop):
    """No field beyond the document's, none missing that it requires; refusals as well."""
    assert sorted(set(of_answers(specification, shop))) == []


def test_every_event_and_what_is_in_it_has_that_shape(specification, shop):
    """Its type, its object, and what it says was before."""
    assert sorted(set(of_events(specification, shop))) == []


def test_the_life_leaves_no_call_of_the_stand_in_out(shop):
    """What it serves was asked for, and answered."""
    asked = {(c.method, c.path) for c in shop.stripe.calls if c.status == 200}
    left = [
        f"{route.method} {route.path}"
        for route in ROUTES
        if not any(route.method == m and _pattern(route.path).fullmatch(p) for m, p in asked)
    ]
    assert left == []


def test_the_life_leaves_no_event_out_that_we_want(shop, specification):
    """Every type that we subscribe to exists, and has come."""
    assert specification.event_types >= SUBSCRIBED
    assert {e["type"] for e in events(shop)} >= SUBSCRIBED


@pytest.mark.parametrize("difference", ADDED, ids=lambda d: d.line.split("`")[1])
def test_what_differs_from_the_document_is_met(difference, shop):
    """Without its entry something is a fault: an entry that is not met is to be taken out."""
    without = Specification(*(d for d in DIFFERENCES if d is not difference))
    faults = (fault for of in (of_requests, of_events, of_answers) for fault in of(without, shop))
    assert next(faults, None) is not None


@pytest.mark.parametrize("path", REMOVED[0].required)
def test_what_can_no_longer_be_asked_for_is_refused(specification, path):
    """The document still takes it; the pinned version, the judge and the stand-in do not."""
    (gone,) = REMOVED[0].values
    asked = [(f"{gone}[0]", "card")]
    assert not any(gone in f for f in Specification().faults_of_request("POST", path, asked))
    assert any(gone in f for f in specification.faults_of_request("POST", path, asked))
    answer = Stripe(lambda: 0).call("POST", path, asked)
    assert (answer.status, answer.body["error"]["param"]) == (400, gone)


@pytest.mark.parametrize("difference", DIFFERENCES, ids=lambda d: d.version)
def test_what_differs_is_stripes_own_word(difference):
    """The line stands in the changelog of Stripe's SDK, below the version that it names."""
    needed(CHANGELOG.is_file(), "stripe-node (npm ci)")
    releases = CHANGELOG.read_text("utf-8").split("\n## ")
    assert API_VERSION in releases[1], "the SDK is of another version than ours"
    of = [text for text in releases if f"pinned API version to `{difference.version}`" in text]
    assert len(of) == 1
    assert f"* {difference.line}" in of[0]


def without_currency(body):
    del body["data"][0]["currency"]


def with_a_colour(body):
    body["data"][0]["items"]["data"][0]["price"]["colour"] = "red"


def in_no_status(body):
    body["data"][0]["status"] = "suspended"


def of_nobody(body):
    body["data"][0]["customer"] = None


def with_a_text_for_a_number(body):
    body["data"][0]["created"] = "1800000000"


def with_a_whole_customer(body):
    body["data"][0]["customer"] = {"id": "cus_1", "object": "customer", "deleted": True}


def of_an_unknown_mode(body):
    body["data"][0]["pause_collection"] = {"behavior": "sleep", "resumes_at": None}


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (without_currency, 'data.0: "currency" is a required property'),
        (with_a_colour, "data.0.items.data.0.price: Additional properties are not allowed"),
        (in_no_status, 'data.0.status: "suspended" is not one of'),
        (of_nobody, 'data.0.customer: null is not of type "string"'),
        (with_a_text_for_a_number, "data.0.created: "),
        (with_a_whole_customer, "data.0.customer: "),
        (of_an_unknown_mode, 'data.0.pause_collection.behavior: "sleep" is not one of'),
    ],
)
def test_a_mistake_in_an_answer_is_reported(specification, shop, spoil, told):
    """By the place where it is, and alone."""
    call = next(
        c for c in shop.stripe.calls
        if c.path == "/v1/subscriptions" and not expanded(c.pairs) and c.body.get("data")
    )  # fmt: skip
    body = copy.deepcopy(call.body)
    spoil(body)
    (fault,) = specification.faults_of_answer("GET", call.path, 200, body)
    assert fault.startswith(told)


def test_an_id_where_an_object_was_asked_for_is_reported(specification, shop):
    """And a mistake within what was expanded, by its place in it."""
    call = next(
        c for c in shop.stripe.calls if c.path.startswith("/v1/disputes/") and expanded(c.pairs)
    )
    body = copy.deepcopy(call.body)
    body["charge"]["status"] = "lost"
    (fault,) = specification.faults_of_answer("GET", call.path, 200, body, expanded(call.pairs))
    assert fault.startswith('charge.status: "lost" is not one of')
    body["charge"] = "ch_1"
    (fault,) = specification.faults_of_answer("GET", call.path, 200, body, expanded(call.pairs))
    assert fault == "charge: it was to be expanded, and is 'ch_1'"


@pytest.mark.parametrize(
    ("method", "path", "pairs", "told"),
    [
        ("POST", "/v1/customers", [("colour", "red")], "Additional properties are not allowed"),
        ("POST", "/v1/customers", [("tax[validate_location]", "never")], '"never" is not one of'),
        ("POST", "/v1/refunds", [("amount", "ten")], '"ten" does not match'),
        ("POST", "/v1/prices", [("unit_amount", "1")], '"currency" is a required property'),
        ("GET", "/v1/subscriptions", [("status", "running")], '"running" is not one of'),
        ("GET", "/v1/events", [("types", "invoice.paid")], 'is not of type "array"'),
        ("GET", "/v1/disputes/du_1", [("expand[0]", "customer")], "customer cannot be expanded"),
        ("PUT", "/v1/customers/cus_1", [], "there is no such call"),
        ("POST", "/v1/checkout/sessions", [("ui_mode", "hosted")], '"hosted" is not one of'),
    ],
)
def test_a_mistake_in_a_request_is_reported(specification, method, path, pairs, told):
    """Unknown, missing, malformed, or nothing that could be expanded."""
    (fault,) = specification.faults_of_request(method, path, pairs)
    assert told in fault


@pytest.mark.parametrize(
    ("kind", "spoil", "told"),
    [
        ("created", {"type": "customer.subscription.renewed"}, "is no type of event"),
        ("created", {"data": {"object": {"object": "receipt"}}}, "there is no receipt"),
        ("updated", {"data": {"previous_attributes": {"colour": "red"}}}, "previous_attributes"),
        ("updated", {"data": {"previous_attributes": {"status": "new"}}}, '"new" is not one of'),
    ],
)
def test_a_mistake_in_an_event_is_reported(specification, shop, kind, spoil, told):
    """Its type, its object, and what it says was before."""
    event = next(e for e in events(shop) if e["type"] == f"customer.subscription.{kind}")
    data = event["data"] | spoil.get("data", {})
    (fault,) = specification.faults_of_event(event | spoil | {"data": data})
    assert told in fault
