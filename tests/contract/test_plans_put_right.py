"""What somebody changed in Stripe's dashboard is seen by `plans diff`, and put right by a push."""

from dataclasses import replace

import pytest
import stripe

from chalicelib.domain import catalogue_file
from ops import plans
from sandbox.stripe.state import Stripe
from sandbox.stripe.transport import InMemory
from tests.contract.known import CATALOGUE

NOW = 1_800_000_000
BASIC, KEY = "arm-engine-dev-basic", "arm-engine-dev-basic-month"


class Dies(InMemory):
    """The way to Stripe, which breaks after so many changing calls: they were done, unanswered."""

    def __init__(self, account, calls):
        super().__init__(account)
        self.left = calls

    def request(self, method, url, headers, post_data=None, **more):
        """Carry it out, and break instead of answering once the calls are used up."""
        answer = super().request(method, url, headers, post_data, **more)
        if method.upper() == "POST":
            self.left -= 1
            if self.left < 0:
                raise ConnectionError
        return answer


@pytest.fixture
def catalogue():
    shipped = catalogue_file.parse(CATALOGUE.read_text("utf-8"))
    return with_plan(shipped, "pro", yearly_price=99000)


def with_plan(catalogue, plan_id, **changed):
    changed_plans = tuple(replace(p, **changed) if p.id == plan_id else p for p in catalogue.plans)
    return replace(catalogue, plans=changed_plans)


def client_of(account, calls=10**9):
    return stripe.StripeClient("sk_test_1", http_client=Dies(account, calls))


def pushed(catalogue):
    """An account in which the catalogue stands."""
    account = Stripe(lambda: NOW)
    plans.push(client_of(account), catalogue, "dev")
    return account


def price_of(account, key=KEY):
    (price,) = account.ledger.all("price", lookup_key=key)
    return price


def todo(account, catalogue):
    """What `plans diff` says, without the ids that a price has by chance."""
    want = plans.wanted(catalogue, "dev")
    found = plans.changes(want, plans.look(client_of(account), want))
    return [c.what if c.what == "archive price" else f"{c.what} {c.name}" for c in found]


def make_price(account, **more):
    """A price of somebody's own making."""
    usual = {"product": BASIC, "unit_amount": 2900, "currency": "usd",
             "recurring": {"interval": "month"}, "transfer_lookup_key": True}  # fmt: skip
    return client_of(account).v1.prices.create(usual | more)


def under_our_key(**more):
    """A price that takes over the lookup key of ours, and differs from it in this."""
    return lambda account: make_price(account, lookup_key=KEY, metadata={"plan": "basic"}, **more)


def archive_product(account):
    client_of(account).v1.products.update(BASIC, {"active": False})


def default_price(account):
    client_of(account).v1.products.update(BASIC, {"default_price": price_of(account)["id"]})


def default_and_wrong(account):
    under_our_key(unit_amount=1900)(account)
    default_price(account)


def another_product(account):
    client_of(account).v1.products.create({"id": "theirs", "name": "Theirs"})
    under_our_key(product="theirs")(account)


def portal_with(**changed):
    def change(account):
        (portal,) = account.ledger.all("billing_portal.configuration")
        portal["features"]["subscription_update"] |= changed

    return change


REPLACED = [f"replace price {KEY}", "update portal arm-engine-dev", "archive price"]
CHANGED = {
    "the product is archived": (
        archive_product,
        [f"unarchive product {BASIC}", "update portal arm-engine-dev"],
    ),
    "every three months": (
        under_our_key(recurring={"interval": "month", "interval_count": 3}),
        [*REPLACED, "archive price"],
    ),
    "another amount": (under_our_key(unit_amount=1900), [*REPLACED, "archive price"]),
    "another currency": (under_our_key(currency="eur"), [*REPLACED, "archive price"]),
    "tax is in it": (under_our_key(tax_behavior="inclusive"), [*REPLACED, "archive price"]),
    "metered": (
        under_our_key(recurring={"interval": "month", "usage_type": "metered"}),
        [*REPLACED, "archive price"],
    ),
    "charged once": (
        lambda account: client_of(account).v1.prices.create(
            {
                "product": BASIC,
                "unit_amount": 2900,
                "currency": "usd",
                "lookup_key": KEY,
                "transfer_lookup_key": True,
            }
        ),
        [*REPLACED, "archive price"],
    ),
    "made by hand under our key": (
        lambda account: make_price(account, lookup_key=KEY),
        [*REPLACED, "archive price"],
    ),
    "another product's": (another_product, [*REPLACED]),
    "the default, and wrong": (
        default_and_wrong,
        [*REPLACED[:2], f"change default price {BASIC}", "archive price", "archive price"],
    ),
    "billed a month later": (
        portal_with(proration_behavior="create_prorations"),
        ["update portal arm-engine-dev"],
    ),
    "a trial ends by a change": (
        portal_with(trial_update_behavior="end_trial"),
        ["update portal arm-engine-dev"],
    ),
}


@pytest.mark.parametrize("name", CHANGED)
def test_what_differs_is_seen_and_put_right(catalogue, name):
    """A diff says what a push then does, and after it nothing is left to do."""
    account, (change, expected) = pushed(catalogue), CHANGED[name]
    change(account)
    assert sorted(todo(account, catalogue)) == sorted(expected)
    plans.push(client_of(account), catalogue, "dev")
    assert todo(account, catalogue) == []
    assert as_it_stands(account) == as_it_stands(pushed(catalogue))


def as_it_stands(account):
    """All that a customer can meet, by names instead of ids; what others own is left out."""
    ours = {p["id"]: p for p in account.ledger.all("product") if p["id"].startswith("arm-")}
    names = {p["id"]: (p["lookup_key"], p["unit_amount"]) for p in account.ledger.all("price")}
    return {
        "products": {i: (p["name"], p["active"]) for i, p in ours.items()},
        "sold": sorted(
            str((p["product"], p["lookup_key"], p["unit_amount"], p["currency"], p["recurring"],
             p["tax_behavior"]))
            for p in account.ledger.all("price", active=True) if p["product"] in ours
        ),
        "portals": [
            c["features"] | {"subscription_update": c["features"]["subscription_update"] | {
                "products": [
                    (offer["product"], [names[i] for i in offer["prices"]])
                    for offer in c["features"]["subscription_update"]["products"] or []
                ]}}
            for c in account.ledger.all("billing_portal.configuration")
        ],
    }  # fmt: skip


def everything_at_once(account):
    """A wrong price that is the default, an archived product, a portal that bills late."""
    default_and_wrong(account)
    archive_product(account)
    make_price(account, lookup_key="arm-engine-dev-pro-month", unit_amount=1)
    portal_with(proration_behavior="none")(account)


@pytest.mark.parametrize("change", [everything_at_once, lambda _: None], ids=["changed", "new"])
def test_a_push_that_dies_at_any_call_is_repeated_to_the_same_end(catalogue, change):
    """After each of its calls, answered or not: the second push ends where one would have."""
    later = with_plan(catalogue, "pro", price=7900, yearly_price=None)
    later = with_plan(later, "basic", sold=True, name="Small")
    whole = pushed(catalogue)
    change(whole)
    plans.push(client_of(whole), later, "dev")
    died = 0
    for calls in range(40):
        account = pushed(catalogue)
        change(account)
        try:
            plans.push(client_of(account, calls), later, "dev")
        except ConnectionError:
            died += 1
        else:
            break
        plans.push(client_of(account), later, "dev")
        assert todo(account, later) == []
        assert as_it_stands(account) == as_it_stands(whole), f"dead after call {calls + 1}"
    assert died >= 4


def test_a_first_push_that_dies_is_repeated_to_the_same_end(catalogue):
    """With nothing there: no product, price or portal twice."""
    for calls in range(6):
        account = Stripe(lambda: NOW)
        with pytest.raises(ConnectionError):
            plans.push(client_of(account, calls), catalogue, "dev")
        plans.push(client_of(account), catalogue, "dev")
        assert as_it_stands(account) == as_it_stands(pushed(catalogue))


def test_a_price_of_the_operators_own_is_left_alone(catalogue):
    """A special price on our product, under no key of ours, is not a push's to archive."""
    account = pushed(catalogue)
    special = make_price(account, unit_amount=900)
    assert todo(account, catalogue) == []
    assert account.ledger.get("price", special.id)["active"]


def test_a_price_that_the_catalogue_has_dropped_is_archived(catalogue):
    """Who pays by the year goes on; nobody else can begin to."""
    account = pushed(catalogue)
    monthly = with_plan(catalogue, "pro", yearly_price=None)
    assert todo(account, monthly) == ["update portal arm-engine-dev", "archive price"]
    plans.push(client_of(account), monthly, "dev")
    assert not price_of(account, "arm-engine-dev-pro-year")["active"]
    plans.push(client_of(account), catalogue, "dev")
    assert as_it_stands(account) == as_it_stands(pushed(catalogue))


def test_a_plan_that_is_withdrawn_is_archived_and_comes_back(catalogue):
    """Its product, so that nothing can sell it; its prices stay, for whoever pays them."""
    account, withdrawn = pushed(catalogue), with_plan(catalogue, "basic", sold=False)
    assert todo(account, withdrawn) == ["update portal arm-engine-dev", f"archive product {BASIC}"]
    plans.push(client_of(account), withdrawn, "dev")
    assert todo(account, withdrawn) == []
    (portal,) = account.ledger.all("billing_portal.configuration")
    offered = portal["features"]["subscription_update"]["products"]
    assert [product["product"] for product in offered] == ["arm-engine-dev-pro"]
    assert not account.ledger.get("product", BASIC)["active"]
    assert price_of(account)["active"]
    plans.push(client_of(account), catalogue, "dev")
    assert as_it_stands(account) == as_it_stands(pushed(catalogue))


def test_what_was_never_sold_is_not_made_to_be_withdrawn(catalogue):
    """A stage that starts with a withdrawn plan has no product for it."""
    account = pushed(with_plan(catalogue, "basic", sold=False))
    assert [p["id"] for p in account.ledger.all("product")] == ["arm-engine-dev-pro"]


def test_with_every_plan_withdrawn_the_portal_offers_no_change(catalogue):
    """Stripe takes no list of nothing: the change of a plan is switched off."""
    nothing = replace(catalogue, plans=tuple(
        p if p.is_free else replace(p, sold=False) for p in catalogue.plans))  # fmt: skip
    account = pushed(catalogue)
    plans.push(client_of(account), nothing, "dev")
    (portal,) = account.ledger.all("billing_portal.configuration")
    assert portal["features"]["subscription_update"]["enabled"] is False
    assert todo(account, nothing) == []
