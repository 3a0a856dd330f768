"""The account itself: its events, its endpoints, its keys, its test clocks, and what it is told to do."""

import pytest
import requests
import stripe

from chalicelib.domain.stripe_event import SUBSCRIBED
from tests.contract.stripe.alone import DAY, START, Alone
from tests.contract.stripe.conftest import KEY
from tests.contract.stripe.listening import Listener


@pytest.fixture
def shop():
    """An account of its own."""
    return Alone()


def test_events_are_asked_for_by_twenty_types_at_most(shop):
    """Twenty-one are refused, as Stripe refuses them."""
    types = ["charge.refunded"] * 20
    assert shop.sdk.events.list({"types": types}).data == []
    with pytest.raises(stripe.InvalidRequestError) as refused:
        shop.sdk.events.list({"types": [*types, "charge.failed"]})
    assert (refused.value.http_status, refused.value.param) == (400, "types")
    assert len(SUBSCRIBED) <= 20
    shop.sdk.customers.create({})
    assert len(shop.sdk.events.list({"type": "customer.*"}).data) == 1
    assert shop.sdk.events.list({"types": ["customer.*"]}).data == []  # a group is no type
    with pytest.raises(stripe.InvalidRequestError, match="only specify one"):
        shop.sdk.events.list({"types": types, "type": "charge.failed"})


def test_events_are_told_for_thirty_days(shop):
    """Neither the list nor the id finds an older one."""
    shop.sdk.customers.create({})
    (event,) = shop.sdk.events.list({}).data
    shop.advance(30 * DAY)
    assert shop.sdk.events.retrieve(event.id).id == event.id
    shop.advance(1)
    assert shop.sdk.events.list({}).data == []
    with pytest.raises(stripe.InvalidRequestError, match="No such event"):
        shop.sdk.events.retrieve(event.id)


@pytest.fixture
def seven(shop):
    """The ids of seven customers, newest first, as the list has them."""
    made = [shop.sdk.customers.create({}).id for _ in range(7)]
    return made[::-1]


def ids(page):
    return [each.id for each in page.data]


def test_pages_are_turned_both_ways(shop, seven):
    """`ending_before` gives the page just before, not the first; `has_more` is about its side."""
    listed = shop.sdk.customers.list
    middle = listed({"limit": 2, "starting_after": seven[1]})
    assert (ids(middle), middle.has_more) == (seven[2:4], True)
    back = listed({"limit": 2, "ending_before": seven[4]})
    assert (ids(back), back.has_more) == (seven[2:4], True)
    first = listed({"limit": 2, "ending_before": seven[2]})
    assert (ids(first), first.has_more) == (seven[:2], False)
    last = listed({"limit": 3, "starting_after": seven[3]})
    assert (ids(last), last.has_more) == (seven[4:], False)
    assert ids(listed({"ending_before": seven[0]})) == []
    with pytest.raises(stripe.InvalidRequestError, match="only specify one"):
        listed({"starting_after": seven[0], "ending_before": seven[1]})


def test_the_sdk_turns_pages_both_ways(shop, seven):
    """Its iterator meets each once: newest first, or oldest first when it goes back."""
    assert [c.id for c in shop.sdk.customers.list({"limit": 3}).auto_paging_iter()] == seven
    back = shop.sdk.customers.list({"limit": 3, "ending_before": seven[6]})
    assert [c.id for c in back.auto_paging_iter()] == seven[:6][::-1]


def test_a_page_of_what_is_still_owed_goes_on_when_some_of_it_arrives(shop):
    """The event that a page ended with may be delivered before the next page is asked for."""
    for _ in range(6):
        shop.sdk.customers.create({})
    owed = list(shop.ledger.tables["event"])
    shop.ledger.owed = lambda event_id: int(event_id in owed)
    asked = {"delivery_success": False, "limit": 2}
    first = shop.sdk.events.list(asked)
    cursor = first.data[-1].id
    newest_first = owed[::-1]
    assert ids(first) == newest_first[:2]
    owed.remove(cursor)
    second = shop.sdk.events.list({**asked, "starting_after": cursor})
    assert ids(second) == newest_first[2:4]
    back = shop.sdk.events.list({**asked, "ending_before": cursor})
    assert ids(back) == newest_first[:1]


@pytest.fixture
def listener():
    """A webhook endpoint that answers."""
    made = Listener()
    yield made
    made.stop()


def test_what_any_endpoint_does_not_have_counts_as_undelivered(account, sdk, listener):
    """A second endpoint that is dead makes the list name what the first one took."""
    for url, kinds in (
        (listener.url, ["customer.created", "customer.updated"]),
        ("http://127.0.0.1:9/dead", ["customer.created"]),
    ):
        sdk.webhook_endpoints.create({"url": url, "enabled_events": kinds})
    account.deliveries.start()
    customer = sdk.customers.create({})
    sdk.customers.update(customer.id, {"name": "Ada"})
    listener.wait_for(2)
    account.deliveries.settle(10)
    undelivered = sdk.events.list({"delivery_success": False, "type": "customer.*"}).data
    assert [(e.type, e.pending_webhooks) for e in undelivered] == [("customer.created", 1)]
    delivered = sdk.events.list({"delivery_success": True, "type": "customer.*"}).data
    assert [e.type for e in delivered] == ["customer.updated"]


def test_a_disabled_endpoint_is_sent_nothing_new(account, sdk, listener):
    """What was made meanwhile is owed to nobody."""
    endpoint = sdk.webhook_endpoints.create({"url": listener.url, "enabled_events": ["*"]})
    disabled = sdk.webhook_endpoints.update(endpoint.id, {"disabled": True})
    assert disabled.status == "disabled"
    account.deliveries.start()
    sdk.customers.create({})
    account.deliveries.settle(1)
    assert account.deliveries.seen() == []
    assert sdk.events.list({"delivery_success": False}).data == []
    sdk.webhook_endpoints.update(endpoint.id, {"disabled": False})
    sdk.customers.create({})
    listener.wait_for(1)


def test_what_an_endpoint_was_owed_is_not_owed_once_it_is_deleted(account, sdk):
    """Nothing will be tried there again."""
    dead = {"url": "http://127.0.0.1:9/dead", "enabled_events": ["customer.created"]}
    endpoint = sdk.webhook_endpoints.create(dead)
    sdk.customers.create({})
    assert len(sdk.events.list({"delivery_success": False}).data) == 1
    sdk.webhook_endpoints.delete(endpoint.id)
    assert sdk.events.list({"delivery_success": False}).data == []


PERMISSIONS = [
    ("rak_subscription_write", lambda sdk: sdk.subscriptions.cancel("sub_1")),
    ("rak_subscription_read", lambda sdk: sdk.subscriptions.list()),
    ("rak_customer_read", lambda sdk: sdk.customers.retrieve("cus_1")),
    ("rak_plan_read", lambda sdk: sdk.prices.list()),
    ("rak_checkout_session_write", lambda sdk: sdk.checkout.sessions.expire("cs_1")),
    ("rak_customer_portal_read", lambda sdk: sdk.billing_portal.configurations.list()),
    ("rak_webhook_write", lambda sdk: sdk.webhook_endpoints.delete("we_1")),
    ("rak_event_read", lambda sdk: sdk.events.list()),
    ("rak_dispute_read", lambda sdk: sdk.disputes.list()),
]


@pytest.mark.parametrize(("permission", "ask"), PERMISSIONS)
def test_a_restricted_key_names_the_permission_that_it_lacks(shop, permission, ask):
    """403, in Stripe's words; with the permission it is another matter."""
    shop.ledger.lacks["rk_test_few"] = frozenset({permission})
    with pytest.raises(stripe.PermissionError) as refused:
        ask(shop.client("rk_test_few"))
    assert refused.value.http_status == 403
    assert refused.value.user_message == (
        "The provided key 'rk_test_***' does not have the required permissions for this endpoint "
        f"on account 'acct_sandbox'. Having the '{permission}' permission would allow this "
        "request to continue."
    )
    shop.ledger.lacks["rk_test_few"] = frozenset()
    try:
        ask(shop.client("rk_test_few"))
    except stripe.InvalidRequestError as other:
        assert other.code == "resource_missing"  # noqa: PT017 - it may be there, or not


def order(account, what, **given):
    return requests.post(f"{account.url}/sandbox/{what}", json=given, timeout=5)


def test_a_restricted_key_is_made_by_an_order(account, sdk):
    """`/sandbox/keys`; a key that nobody made opens nothing."""
    made = order(account, "keys", key="rk_test_few", lacks=["rak_customer_write"])
    assert made.status_code == 200
    for key, status in (("rk_test_few", 403), ("rk_test_unknown", 401), (KEY, 200)):
        answer = requests.post(f"{account.url}/v1/customers", auth=(key, ""), timeout=5)
        assert answer.status_code == status
    assert order(account, "keys", key="sk_live_1", lacks=[]).status_code == 400


def test_disputes_are_begun_and_moved_by_orders(account, sdk):
    """`/sandbox/disputes`: about a charge, or one that is there."""
    price = sdk.prices.list({"lookup_keys": ["arm-engine-dev-basic-month"]}).data[0].id
    with account.state.ledger.lock:
        customer = account.state.ledger.new_customer()
    charge = account.state.ledger.add(
        "charge", amount=2900, currency="usd", customer=customer["id"]
    )
    begun = order(account, "disputes", charge=charge["id"], status="warning_needs_response").json()
    moved = order(account, "disputes", dispute=begun["id"], status="needs_response").json()
    assert sdk.disputes.retrieve(begun["id"]).status == moved["status"] == "needs_response"
    for wrong in (
        {},
        {"dispute": begun["id"], "status": "over"},
        {"charge": price, "status": "won"},
    ):
        assert order(account, "disputes", **wrong).status_code == 400


def test_a_customer_vanishes_by_an_order(account, sdk):
    """`/sandbox/vanish`; a customer that never was cannot."""
    customer = sdk.customers.create({}).id
    assert order(account, "vanish", customer=customer).status_code == 200
    with pytest.raises(stripe.InvalidRequestError, match="No such customer"):
        sdk.customers.retrieve(customer)
    assert order(account, "vanish", customer=customer).status_code == 400


@pytest.fixture
def clock(shop):
    """A test clock that stands at the start."""
    return shop.sdk.test_helpers.test_clocks.create({"frozen_time": START, "name": "renewals"})


def moved(shop, clock, seconds):
    clocks = shop.sdk.test_helpers.test_clocks
    at = clocks.retrieve(clock.id).frozen_time + seconds
    assert clocks.advance(clock.id, {"frozen_time": at}).status == "advancing"
    found = clocks.retrieve(clock.id)
    assert (found.status, found.frozen_time) == ("ready", at)


def test_only_the_customers_of_a_test_clock_move_with_it(shop, clock):
    """Months go by for one, and no time at all for the other."""
    price = shop.price("basic", 2900)
    theirs = shop.subscribe(shop.customer(test_clock=clock.id), price)
    others = shop.subscribe(shop.customer(), price)
    moved(shop, clock, 62 * DAY)
    assert [i.status for i in shop.invoices(theirs.id)] == ["paid"] * 3
    assert [i.created for i in shop.invoices(theirs.id)] == [
        START + 61 * DAY,
        START + 30 * DAY,
        START,
    ]
    assert len(shop.invoices(others.id)) == 1
    assert theirs.test_clock == clock.id
    shop.advance(31 * DAY)
    assert len(shop.invoices(theirs.id)) == 3
    assert len(shop.invoices(others.id)) == 2


def test_what_is_done_to_a_customer_of_a_clock_happens_at_its_time(shop, clock):
    """A purchase, a change and a cancellation: all by the clock."""
    moved(shop, clock, 100 * DAY)
    now = START + 100 * DAY
    customer = shop.customer("fails later", test_clock=clock.id)
    session = shop.session(shop.price("basic", 2900), customer=customer)
    assert (session.created, session.expires_at) == (now, now + DAY)
    assert shop.fill_in(session.url).status_code == 303
    (made,) = shop.sdk.subscriptions.list({"customer": customer}).data
    assert made.created == now
    moved(shop, clock, 10 * DAY)
    assert shop.sdk.subscriptions.cancel(made.id).ended_at == now + 10 * DAY


def test_dunning_goes_by_the_clock(shop, clock):
    """A card that fails, tried again and again, and given up: in one move of the clock."""
    customer = shop.customer("fails later", test_clock=clock.id)
    made = shop.subscribe(customer, shop.price("basic", 2900))
    moved(shop, clock, 50 * DAY)
    found = shop.sdk.subscriptions.retrieve(made.id)
    assert (found.status, found.ended_at) == ("canceled", START + (30 + 3 + 5 + 7) * DAY)


def test_a_clock_goes_forward_only_and_has_three_customers(shop, clock):
    """Stripe's own limits."""
    with pytest.raises(stripe.InvalidRequestError, match="must be after"):
        shop.sdk.test_helpers.test_clocks.advance(clock.id, {"frozen_time": START})
    for _ in range(3):
        shop.sdk.customers.create({"test_clock": clock.id})
    with pytest.raises(stripe.InvalidRequestError, match="up to 3 customers"):
        shop.sdk.customers.create({"test_clock": clock.id})
    with pytest.raises(stripe.InvalidRequestError) as refused:
        shop.sdk.customers.create({"test_clock": "clock_nothing"})
    assert refused.value.param == "test_clock"


def test_a_clock_is_deleted_with_its_customers(shop, clock):
    """Their subscriptions end."""
    made = shop.subscribe(shop.customer(test_clock=clock.id), shop.price("basic", 2900))
    assert shop.sdk.test_helpers.test_clocks.delete(clock.id).deleted is True
    assert shop.sdk.test_helpers.test_clocks.list().data == []
    assert shop.sdk.customers.retrieve(made.customer).deleted is True
    assert shop.sdk.subscriptions.retrieve(made.id).status == "canceled"
