"""The catalogue in Stripe: pushed once, found again, changed without touching a price in use."""

from dataclasses import replace

import pytest
import stripe

from chalicelib.domain import catalogue_file
from chalicelib.domain.errors import Misconfigured
from chalicelib.gateways.stripe_api import StripeApi
from ops import plans
from sandbox.stripe.state import Stripe
from sandbox.stripe.transport import InMemory
from tests.contract.known import CATALOGUE

NOW = 1_800_000_000


@pytest.fixture
def account():
    return Stripe(lambda: NOW)


@pytest.fixture
def client(account):
    return stripe.StripeClient("sk_test_1", http_client=InMemory(account))


@pytest.fixture
def catalogue():
    return catalogue_file.parse(CATALOGUE.read_text("utf-8"))


def with_plan(catalogue, plan_id, **changed):
    changed_plans = tuple(replace(p, **changed) if p.id == plan_id else p for p in catalogue.plans)
    return replace(catalogue, plans=changed_plans)


def whats(changes):
    return [(change.what, change.name) for change in changes]


def test_the_first_push_makes_everything_and_the_second_nothing(client, catalogue):
    """Products, prices by lookup key, and one portal configuration."""
    first = plans.push(client, catalogue, "dev")
    assert whats(first) == [
        ("create product", "arm-engine-dev-basic"),
        ("create product", "arm-engine-dev-pro"),
        ("create price", "arm-engine-dev-basic-month"),
        ("create price", "arm-engine-dev-pro-month"),
        ("create portal", "arm-engine-dev"),
    ]
    assert plans.push(client, catalogue, "dev") == []


def test_two_stages_in_one_account_keep_apart(client, catalogue):
    """Each finds its own portal and its own prices."""
    plans.push(client, catalogue, "dev")
    assert len(plans.push(client, catalogue, "staging")) == 5
    assert plans.push(client, catalogue, "dev") == []


def test_another_amount_is_another_price(client, account, catalogue):
    """Whoever pays the old price keeps it; the lookup key and the portal go to the new one."""
    plans.push(client, catalogue, "dev")
    (old,) = account.ledger.all("price", lookup_key="arm-engine-dev-basic-month")
    dearer = with_plan(catalogue, "basic", price=3900)
    assert whats(plans.push(client, dearer, "dev")) == [
        ("replace price", "arm-engine-dev-basic-month"),
        ("update portal", "arm-engine-dev"),
        ("archive price", old["id"]),
    ]
    (new,) = account.ledger.all("price", lookup_key="arm-engine-dev-basic-month")
    assert (old["unit_amount"], old["active"], new["unit_amount"]) == (2900, False, 3900)
    (portal,) = account.ledger.all("billing_portal.configuration")
    offered = str(portal["features"]["subscription_update"]["products"])
    assert new["id"] in offered
    assert old["id"] not in offered
    assert plans.push(client, dearer, "dev") == []


def test_a_yearly_price_is_added_to_its_product(client, account, catalogue):
    """A second price under its own lookup key, and the portal offers it."""
    plans.push(client, catalogue, "dev")
    yearly = with_plan(catalogue, "pro", yearly_price=99000)
    assert whats(plans.push(client, yearly, "dev")) == [
        ("create price", "arm-engine-dev-pro-year"),
        ("update portal", "arm-engine-dev"),
    ]
    (price,) = account.ledger.all("price", lookup_key="arm-engine-dev-pro-year")
    assert (price["product"], price["recurring"]["interval"]) == ("arm-engine-dev-pro", "year")


def many(catalogue, count):
    """A catalogue of so many plans that are paid for, each by the month and by the year."""
    basic = replace(catalogue.plan("basic"), yearly_price=29000)
    plans_sold = tuple(replace(basic, id=f"plan{n}", name=f"Plan {n}") for n in range(count))
    return replace(catalogue, plans=plans_sold)


def test_six_plans_by_the_year_are_found_again(client, catalogue):
    """Twelve prices; Stripe takes no more than ten lookup keys in one question."""
    assert len(plans.push(client, many(catalogue, 6), "dev")) == 6 + 12 + 1
    assert plans.push(client, many(catalogue, 6), "dev") == []


def test_the_stand_in_takes_no_more_than_stripe(client):
    """What it would take, and Stripe would not, is no proof of anything."""
    with pytest.raises(stripe.InvalidRequestError, match="maximum 10"):
        client.v1.prices.list({"lookup_keys": [f"key-{n}" for n in range(11)]})
    products = [{"product": f"p{n}", "prices": ["x"]} for n in range(11)]
    update = {"enabled": True, "default_allowed_updates": ["price"], "products": products}
    with pytest.raises(stripe.InvalidRequestError, match="maximum 10"):
        client.v1.billing_portal.configurations.create(
            {"features": {"subscription_update": update}}
        )


def test_more_plans_than_the_portal_takes_are_refused_before_stripe_is_asked(
    client, account, catalogue
):
    """In words, and with nothing made; ten are fine."""
    assert plans.push(client, many(catalogue, 10), "prod")
    with pytest.raises(Misconfigured, match="sells 11 plans, and Stripe's portal can offer 10"):
        plans.push(client, many(catalogue, 11), "dev")
    assert len(list(account.ledger.all("product"))) == 10


def test_the_portal_allows_what_it_should_and_no_more(client, account, catalogue):
    """Another plan, not another quantity; an end with the period that is paid, not at once."""
    plans.push(client, catalogue, "dev")
    (portal,) = account.ledger.all("billing_portal.configuration")
    features = portal["features"]
    assert features["subscription_update"]["default_allowed_updates"] == ["price"]
    assert features["subscription_cancel"]["mode"] == "at_period_end"
    assert features["subscription_update"]["proration_behavior"] == "always_invoice"
    assert features["subscription_update"]["trial_update_behavior"] == "continue_trial"


def test_a_portal_session_uses_our_configuration(client, account, catalogue):
    """Not the account's default, which may allow anything."""
    account.call("POST", "/v1/billing_portal/configurations",
                 [("features[invoice_history][enabled]", "true")])  # fmt: skip
    plans.push(client, catalogue, "dev")
    customer = client.v1.customers.create({})
    api = StripeApi("sk_test_1", deployment="arm-engine-dev", http_client=InMemory(account))
    url = api.portal_url(customer.id, "https://shop.example/dashboard")
    session = account.ledger.tables["billing_portal.session"][url.rsplit("/", 1)[1]]
    used = account.ledger.tables["billing_portal.configuration"][session["configuration"]]
    assert used["metadata"] == {"deployment": "arm-engine-dev"}
