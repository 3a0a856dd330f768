"""The items of a subscription: what a change wants of them, and the change itself."""

from sandbox.stripe.errors import BAD_REQUEST, Refusal
from sandbox.stripe.ledger import Ledger
from sandbox.stripe.objects import Obj, item
from sandbox.stripe.periods import interval, period_end, set_period

MOST = 20

Wanted = list[tuple[str | None, Obj, int]]
"""Id (None for a new one), price and quantity of each item, in the order of the list."""


def sold(ledger: Ledger, price_id: str, param: str) -> Obj:
    """A recurring price that is for sale.

    Raises:
        Refusal: it is archived, its product is, it is not recurring, or there is none.
    """
    price = ledger.get("price", price_id, param, BAD_REQUEST)
    if not price["active"]:
        raise Refusal(
            "The price specified is inactive. This field only accepts active prices.", param=param
        )
    if not ledger.tables["product"][price["product"]]["active"]:
        raise Refusal(
            f"The product `{price['product']}` of this price is inactive: only prices of active "
            "products can be sold.",
            param=param,
        )
    if price["type"] != "recurring":
        raise Refusal("You must provide at least one recurring price.", param=param)
    return price


def wanted(ledger: Ledger, subscription: Obj, changes: list[Obj]) -> Wanted:
    """The items as they shall be: changed by their id, taken away, or added where none is named."""
    there = {line["id"]: line for line in subscription["items"]["data"]}
    found: dict[str, tuple[str | None, Obj, int]] = {
        item_id: (item_id, line["price"], line["quantity"]) for item_id, line in there.items()
    }
    for i, change in enumerate(changes):
        line = there.get(change["id"]) if "id" in change else None
        if "id" in change and line is None:
            raise Refusal(
                f"No such subscription item: '{change['id']}'",
                code="resource_missing",
                param=f"items[{i}][id]",
            )
        if line and change.get("deleted"):
            del found[line["id"]]
            continue
        if not line and "price" not in change:
            raise Refusal(f"Missing required param: items[{i}][price].", param=f"items[{i}][price]")
        price = line["price"] if line else None
        if change.get("price", price and price["id"]) != (price and price["id"]):
            price = sold(ledger, change["price"], f"items[{i}][price]")
        quantity = change.get("quantity", line["quantity"] if line else 1)
        found[line["id"] if line else f"new {i}"] = (line["id"] if line else None, price, quantity)  # type: ignore[assignment]
    _refuse(subscription, list(found.values()))
    return list(found.values())


def _refuse(subscription: Obj, new: Wanted) -> None:
    if not new:
        raise Refusal("A subscription must have at least one active item.", param="items")
    if len(new) > MOST:
        raise Refusal(f"A subscription may have up to {MOST} items.", param="items")
    prices = [price["id"] for _, price, _ in new]
    for price_id in prices:
        if prices.count(price_id) > 1:
            raise Refusal(
                f"Cannot add multiple subscription items with the same plan: {price_id}",
                param="items",
            )
    for _, price, _ in new:
        if price["currency"] != subscription["currency"]:
            raise Refusal(
                f"The price specified only supports `{price['currency']}`. This doesn't match the "
                f"expected currency: `{subscription['currency']}`.",
                param="items",
            )


def put(ledger: Ledger, subscription: Obj, new: Wanted) -> bool:
    """Make it so; whether another interval began a period for all of it."""
    there = {line["id"]: line for line in subscription["items"]["data"]}
    restarts = subscription["status"] != "trialing" and any(
        item_id and interval(price) != interval(there[item_id]["price"])
        for item_id, price, _ in new
    )
    now, lines, added = ledger.now(), [], []
    for item_id, price, quantity in new:
        if item_id:
            line = there[item_id]
            line |= {"price": price, "quantity": quantity}
        else:
            line = item(ledger.new_id("si_"), subscription["id"], price, quantity, now)
            added.append(line)
        lines.append(line)
    kept = [line for line in lines if line not in added]
    subscription["items"]["data"] = lines
    if restarts:
        subscription["billing_cycle_anchor"] = now
        set_period(subscription, now)
    else:
        for line in added:
            like = [k for k in kept if interval(k["price"]) == interval(line["price"])]
            if like:
                line |= {
                    name: like[0][name] for name in ("current_period_start", "current_period_end")
                }
            else:
                set_period(subscription, now, [line])
    if subscription["cancel_at_period_end"]:
        subscription["cancel_at"] = period_end(subscription)
    return restarts
