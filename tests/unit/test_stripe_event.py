"""Whose event it is: the signature as the SDK checks it, and what is taken from the body."""

import json
import string

import pytest
import stripe
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.errors import InvalidRequest, InvalidSignature, WebhookDisabled
from chalicelib.domain.stripe_event import SUBSCRIBED, TOLERANCE, event_of, parse, verify

NOW = 1_800_000_000
SECRET = "whsec_test"


def signed(payload, secret=SECRET, at=NOW):
    return stripe.WebhookSignature.generate_signature_header(payload.decode(), secret, at)


def ours_accepts(payload, header, secret=SECRET, now=NOW):
    try:
        verify(payload, header, [secret], now)
    except InvalidSignature:
        return False
    return True


def stripes_accepts(payload, header, secret=SECRET):
    try:
        return stripe.WebhookSignature.verify_header(payload, header, secret, None)
    except (stripe.SignatureVerificationError, UnicodeDecodeError, TypeError):
        return False


timestamps = st.one_of(
    st.integers(NOW - TOLERANCE, NOW + TOLERANCE).map(str),
    st.sampled_from(
        [
            "",
            " 1800000000 ",
            "1_800_000_000",
            "+1800000000",
            "x",
            "１８０００００００00",
            "-1",
            "9" * 400,
        ]
    ),
)
junk = st.text(alphabet=string.printable + "é", max_size=12)


def test_a_signature_that_is_no_text_is_a_wrong_one():
    """Half of a surrogate pair, which JSON can carry into a header, is refused like any other."""
    with pytest.raises(InvalidSignature):
        verify(b"{}", f"t={NOW},v1=\ud800", [SECRET], NOW)
    assert ours_accepts(b"{}", f"{signed(b'{}')},v1=\ud800")


@settings(max_examples=3000, deadline=None)
@given(payload=st.text(max_size=60), stamp=timestamps, data=st.data())
def test_a_signature_holds_exactly_when_the_sdk_says_so(payload, stamp, data):
    """Whatever the header looks like, ours and the SDK's own check agree (time apart)."""
    body = payload.encode(errors="replace")
    try:
        right = signed(body, at=int(stamp)).split("v1=")[1]
    except ValueError:
        right = "0" * 64
    item = st.one_of(
        st.just(f"t={stamp}"),
        st.just(f"v1={right}"),
        st.just(f"v1={right}=x"),
        st.just(f"v0={right}"),
        st.just(f"v1={'0' * 64}"),
        st.sampled_from(["t", "v1", "", "=", "t=1=2"]),
        junk,
    )
    header = ",".join(data.draw(st.lists(item, max_size=5)))
    if abs(NOW - _stamp(header)) <= TOLERANCE:
        assert ours_accepts(body, header) == stripes_accepts(body, header)
    else:
        assert not ours_accepts(body, header)


def _stamp(header):
    """The timestamp that counts, if the header has one at all; else now, so that both are asked."""
    try:
        return int([i.split("=", 2)[1] for i in header.split(",") if i.split("=", 2)[0] == "t"][0])
    except (IndexError, ValueError):
        return NOW


def test_a_signed_payload_is_accepted():
    """What Stripe signed with our secret is Stripe's."""
    assert ours_accepts(b'{"a": 1}', signed(b'{"a": 1}'))


@given(position=st.integers(0, 7), flip=st.integers(1, 255))
def test_one_changed_byte_is_refused(position, flip):
    """The signature covers every byte."""
    payload = b'{"a": 1}'
    changed = bytearray(payload)
    changed[position] ^= flip
    assert not ours_accepts(bytes(changed), signed(payload))


@pytest.mark.parametrize("away", [TOLERANCE + 1, -TOLERANCE - 1])
def test_an_old_and_a_future_signature_are_refused(away):
    """Five minutes either way; the SDK would take the future one."""
    payload = b"{}"
    assert not ours_accepts(payload, signed(payload, at=NOW + away))
    assert ours_accepts(payload, signed(payload, at=NOW + (TOLERANCE if away > 0 else -TOLERANCE)))


def test_either_of_two_secrets_will_do():
    """While a secret is rotated, both sign."""
    verify(b"{}", signed(b"{}", "whsec_new"), ["whsec_old", "whsec_new"], NOW)


@pytest.mark.parametrize("secrets", [[], ["", "  "]])
def test_without_a_secret_nothing_is_trusted(secrets):
    """An empty secret would make everybody's signature right."""
    with pytest.raises(WebhookDisabled):
        verify(b"{}", signed(b"{}", ""), secrets, NOW)


@pytest.mark.parametrize(
    "header",
    [None, "", "t=1800000000", "v1=00", "t=x,v1=00", ",", "t,v1",
     f"t={'9' * 400},v1=00", f"t=-{'9' * 4000},v1=00", f"t={'9' * 5000},v1=00"],
)  # fmt: skip
def test_a_malformed_header_is_refused(header):
    """No header is so odd that it is anything but a refusal."""
    assert not ours_accepts(b"{}", header)


def event(kind="invoice.paid", obj=None, **facts):
    body = {"id": "evt_1", "object": "event", "type": kind, "created": NOW, "livemode": False}
    return json.dumps(body | {"data": {"object": obj or {"object": "invoice"}}} | facts).encode()


@pytest.mark.parametrize(
    "payload",
    [b"", b"\xff\xfe", b"[]", b"3", b"null", b'"x"', b"{}", b'{"id": 3}', b"{" * 100_000,
     event(id=""), event(created="x"), event(data=None), event(data={"object": []}), event(id=None),
     event(created=True), event(created=-1), event(created=10**30), event(created=1.5),
     event(id="evt_" + "1" * 2000), event(id="evt_\ud800")],
)  # fmt: skip
def test_what_is_not_an_event_is_refused(payload):
    """Any other shape is a clear no, never a crash."""
    with pytest.raises(InvalidRequest):
        parse(payload)


TENANT = "4f9c2ab81d07e635"
META = {"tenant_id": TENANT, "deployment": "arm-engine-dev"}


@pytest.mark.parametrize(
    ("obj", "tenant", "customer"),
    [
        ({"object": "subscription", "metadata": META, "customer": "cus_1"}, TENANT, "cus_1"),
        ({"object": "invoice", "metadata": {}, "customer": {"id": "cus_1", "object": "customer"},
          "parent": {"subscription_details": {"metadata": META}}}, TENANT, "cus_1"),
        ({"object": "invoice", "parent": None, "customer": "cus_1"}, None, "cus_1"),
        ({"object": "customer", "id": "cus_1", "metadata": META}, TENANT, "cus_1"),
        ({"object": "charge", "customer": None, "metadata": None}, None, None),
        ({"object": "charge", "metadata": {"tenant_id": "x" * 3000}, "customer": "cus_1"}, None, "cus_1"),
        ({"object": "charge", "metadata": {"tenant_id": "\ud800"}, "customer": "cus_1"}, None, "cus_1"),
        ({"object": "charge", "metadata": {"tenant_id": "bob@example.com"}, "customer": "cus_1"}, None, "cus_1"),
        ({"object": "charge", "metadata": {"tenant_id": TENANT.upper()}, "customer": "cus_1"}, None, "cus_1"),
        ({"object": "charge", "metadata": {"tenant_id": TENANT + "\n"}, "customer": "cus_1"}, None, "cus_1"),
    ],
)  # fmt: skip
def test_whom_an_event_concerns(obj, tenant, customer):
    """By our metadata wherever Stripe carries it, and by the customer it names."""
    found = parse(event(obj=obj))
    assert (found.tenant_id, found.customer_id) == (tenant, customer)


@pytest.mark.parametrize(
    ("kind", "payment_status", "paid"),
    [
        ("checkout.session.completed", "paid", "cs_1"),
        ("checkout.session.completed", "no_payment_required", "cs_1"),
        ("checkout.session.completed", "unpaid", None),
        ("checkout.session.expired", "paid", None),
    ],
)
def test_only_a_completed_and_paid_session_is_marked_paid(kind, payment_status, paid):
    """A payment that settles days later is no payment yet."""
    obj = {"object": "checkout.session", "id": "cs_1", "payment_status": payment_status}
    assert parse(event(kind, obj)).paid_session == paid


def test_a_dispute_hides_its_customer():
    """It names only its charge, so Stripe must be asked."""
    assert parse(event("charge.dispute.created", {"object": "dispute"})).hides_its_customer
    assert not parse(event("charge.refunded", {"object": "charge"})).hides_its_customer


def test_exactly_the_contracts_events_are_asked_for():
    """The list that the endpoint is created with is the one that the contract names."""
    assert len(SUBSCRIBED) == 19
    assert not parse(event("product.updated")).concerns_us


@pytest.mark.parametrize(
    "body",
    [
        {"id": "evt_1", "type": "some.new.type", "created": 1, "data": {"object": {}}},
        {"id": "evt_1", "object": "v2.core.event", "type": "v2.core.account.updated",
         "created": "2026-09-17T06:20:52.246Z", "related_object": {"id": "acct_1"}},
        {"type": "some.new.type"},
    ],
)  # fmt: skip
def test_what_was_not_asked_for_may_have_any_shape(body):
    """It is acknowledged and ignored."""
    assert not parse(json.dumps(body).encode()).concerns_us


def test_an_event_of_a_connected_account_says_so():
    """Our key cannot ask about what it names."""
    assert event_of({**json.loads(event()), "account": "acct_1"}).account == "acct_1"


def test_stripe_can_be_asked_for_every_type_at_once():
    """The sweep asks for what was not taken by type, and Stripe's list takes twenty `types`."""
    assert len(SUBSCRIBED) <= 20
