"""Which plan a subscription is for: by its items, in whatever order Stripe lists them."""

from itertools import permutations

import pytest

from chalicelib.domain.reading import read
from chalicelib.domain.subscription import Item, Subscription

BASIC, PRO = "arm-engine-dev-basic", "arm-engine-dev-pro"
LEFT, ADDON = "arm-engine-dev-gold", "prod_addon"


def of(*items, **facts):
    made = tuple(Item(**({"product_id": i} if isinstance(i, str) else i)) for i in items)
    return Subscription(id="sub_1", status="active", created=1, items=made, **facts)


READABLE = [
    ((PRO,), PRO),
    ((ADDON, PRO), PRO),
    ((ADDON, "prod_other", BASIC), BASIC),
    (({"product_id": BASIC, "quantity": 0}, PRO), PRO),
    (({"product_id": ADDON, "quantity": 7}, PRO), PRO),
    (({"product_id": None}, PRO), PRO),
]


@pytest.mark.parametrize(("items", "plan"), READABLE)
def test_the_item_whose_product_is_a_plan_counts(catalogue, items, plan):
    """An add-on of another product, or a plan that is charged no times, is not what was bought."""
    for order in permutations(items):
        found = read(of(*order), catalogue, "dev")
        assert (found.product_id, found.oddity, found.items) == (plan, None, ())


UNREAD = [
    ((PRO, BASIC), "several plans"),
    ((PRO, BASIC, ADDON), "several plans"),
    ((ADDON,), "prod_addon"),
    ((LEFT,), "arm-engine-dev-gold"),
    ((LEFT, ADDON), "arm-engine-dev-gold, prod_addon"),
    (({"product_id": PRO, "quantity": 0},), "charged 0 times"),
    (({"product_id": None},), "none"),
]


@pytest.mark.parametrize(("items", "why"), UNREAD)
def test_where_no_plan_can_be_told_it_is_said_why(catalogue, items, why):
    """Nothing is guessed: what stands stays, and an operator reads what to do."""
    for order in permutations(items):
        found = read(of(*order), catalogue, "dev")
        assert why in found.oddity
        plan = catalogue.plan_of_product("dev", found.product_id or "")
        assert plan is None or "charged 0 times" in found.oddity


@pytest.mark.parametrize(
    ("items", "charged"),
    [
        (({"product_id": PRO, "quantity": 5},), "5 times"),
        (({"product_id": PRO, "quantity": None},), "metered times"),
        ((PRO, PRO), "1 + 1 times"),
        (({"product_id": PRO, "quantity": 2}, ADDON), "2 times"),
        ((LEFT, PRO), "arm-engine-dev-gold too"),
    ],
)
def test_a_plan_that_is_charged_otherwise_than_once_is_given_and_told(catalogue, items, charged):
    """Whoever pays gets the plan once, and an operator reads that it is charged otherwise."""
    for order in permutations(items):
        found = read(of(*order), catalogue, "dev")
        assert found.product_id == PRO
        assert charged in found.oddity


def test_the_period_is_that_of_the_item_that_counts(catalogue):
    """An add-on that is paid by the year does not say when the plan renews."""
    addon = {"product_id": ADDON, "current_period_end": 99}
    plan = {"product_id": PRO, "current_period_end": 7}
    assert read(of(addon, plan), catalogue, "dev").current_period_end == 7
    assert read(of(addon, plan, current_period_end=5), catalogue, "dev").current_period_end == 5


def test_what_was_read_before_is_left_as_it_is(catalogue):
    """A record keeps what came of the reading, and is read again without what it was made from."""
    for items in ((ADDON, PRO), (PRO, BASIC), ({"product_id": PRO, "quantity": 5},)):
        once = read(of(*items), catalogue, "dev")
        assert read(once, catalogue, "dev") == once


def test_a_record_of_before_items_were_read_is_read_by_its_product(catalogue):
    """An old record names the product alone."""
    old = Subscription(id="sub_1", status="active", created=1, product_id=LEFT)
    assert LEFT in read(old, catalogue, "dev").oddity
    known = Subscription(id="sub_1", status="active", created=1, product_id=PRO)
    assert read(known, catalogue, "dev") == known
