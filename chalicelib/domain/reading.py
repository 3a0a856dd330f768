"""Which plan a subscription is for, and why it cannot be told, where it cannot.

Stripe promises no order of a subscription's items, and an operator may add one of another product.
The item whose product is a plan of ours counts, wherever it stands.
"""

from collections.abc import Iterable
from dataclasses import replace

from chalicelib.domain.catalogue import Catalogue
from chalicelib.domain.subscription import Item, Subscription


def read(subscription: Subscription, catalogue: Catalogue, stage: str) -> Subscription:
    """The subscription with the item that counts, and with its oddity, if it has one.

    What was read before, and kept on a record, is left as it is.
    """
    if not subscription.items:
        if subscription.oddity or _is_plan(subscription.product_id, catalogue, stage):
            return subscription
        return replace(subscription, oddity=_no_plan(subscription.products))
    plans = [item for item in subscription.items if _is_plan(item.product_id, catalogue, stage)]
    charged = [item for item in plans if item.quantity != 0]
    deployment = f"{catalogue.deployment(stage)}-"
    left = [
        item
        for item in subscription.items
        if item not in plans
        and item.quantity != 0
        and (item.product_id or "").startswith(deployment)
    ]
    is_one_plan = len({item.product_id for item in charged}) == 1
    if is_one_plan:
        oddity = _quantity(charged) or _beside(left)
    else:
        oddity = _why_not(plans, charged, subscription)
    # Where no plan can be told, its period is still that of what is paid for.
    counts = charged if is_one_plan else subscription.items
    return replace(
        subscription,
        product_id=charged[0].product_id
        if is_one_plan
        else _product(subscription, plans, deployment),
        # One that is to end at a set time says so itself.
        current_period_end=subscription.current_period_end or _first_end(counts),
        items=(),
        oddity=oddity,
    )


def _first_end(items: Iterable[Item]) -> int | None:
    ends = (item.current_period_end for item in items)
    return min((end for end in ends if end is not None), default=None)


def _is_plan(product_id: str | None, catalogue: Catalogue, stage: str) -> bool:
    return product_id is not None and catalogue.plan_of_product(stage, product_id) is not None


def _product(subscription: Subscription, plans: list[Item], deployment: str) -> str | None:
    """A product that says whose it is; none where plans of ours are in it and none counts."""
    if plans:
        return None
    of_ours = [p for p in subscription.products if p.startswith(deployment)]
    return min(of_ours or subscription.products, default=None)


def _no_plan(products: tuple[str, ...]) -> str:
    named = ", ".join(sorted(set(products))) or "none"
    return (
        f"none of its items is for a plan in plans.toml (its products: {named}): "
        "add the plan, or move the subscription to a price of ours"
    )


def _why_not(plans: list[Item], charged: list[Item], subscription: Subscription) -> str | None:
    if charged:
        return _two_plans(charged)
    return _quantity(plans) if plans else _no_plan(subscription.products)


def _two_plans(plans: list[Item]) -> str:
    named = ", ".join(sorted({item.product_id or "" for item in plans}))
    return f"it is for several plans at once ({named}): leave one of them in it"


def _beside(left: list[Item]) -> str | None:
    """A plan that has left plans.toml is charged for beside one that is given."""
    named = ", ".join(sorted({item.product_id or "" for item in left}))
    return f"it is charged for {named} too, which is not in plans.toml" if left else None


def _quantity(plans: list[Item]) -> str | None:
    quantities = [item.quantity for item in plans]
    if quantities == [1]:
        return None
    charged = " + ".join(sorted("metered" if q is None else str(q) for q in quantities))
    return f"its plan is charged {charged} times instead of once: set its quantity to 1"
