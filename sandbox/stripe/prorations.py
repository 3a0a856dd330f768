"""What a change in the middle of a period costs: to the second, and to the smallest unit."""

from datetime import UTC, datetime

from sandbox.stripe.ledger import Ledger
from sandbox.stripe.objects import Obj
from sandbox.stripe.periods import interval


def part(amount: int, start: int, end: int, at: int) -> int:
    """The part of an amount that the rest of a period has, rounded to the nearest unit.

    Args:
        amount: for the whole period.
        start: of the period, epoch seconds, like the others.
        end: of the period.
        at: from when on it is counted; what lies outside the period counts as its nearest edge.
    """
    whole = end - start
    left = min(max(end - at, 0), whole)
    return (2 * amount * left + whole) // (2 * whole) if whole > 0 else 0


def reckon(
    ledger: Ledger, subscription: Obj, new: list[tuple[str | None, Obj, int]], at: int
) -> list[Obj]:
    """The lines for a change of items: unused time back, remaining time to be paid.

    A trial costs nothing, so leaving one item for another within it costs nothing either. An item
    whose interval changes begins a period of its own: only its unused time is reckoned here.
    """
    if subscription["status"] == "trialing":
        return []
    kept = {item_id: (price, quantity) for item_id, price, quantity in new if item_id}
    lines = subscription["items"]["data"]
    restarts = any(
        line["id"] in kept and interval(kept[line["id"]][0]) != interval(line["price"])
        for line in lines
    )
    found: list[Obj] = []
    for line in lines:
        price, quantity = kept.get(line["id"], (None, 0))
        same = price is not None and (price["id"], quantity) == (
            line["price"]["id"],
            line["quantity"],
        )
        if same and not restarts:
            continue
        found.append(_line(ledger, line, line["price"], line["quantity"], at, unused=True))
        if price is not None and not restarts:
            found.append(_line(ledger, line, price, quantity, at))
    first = lines[0]
    for item_id, price, quantity in new:
        if item_id is None and not restarts:
            like = next((x for x in lines if interval(x["price"]) == interval(price)), first)
            found.append(_line(ledger, {**like, "id": None}, price, quantity, at))
    return [line for line in found if line["amount"]]


def _line(  # noqa: PLR0913 - what a line says
    ledger: Ledger, item: Obj, price: Obj, quantity: int, at: int, *, unused: bool = False
) -> Obj:
    start, end = item["current_period_start"], item["current_period_end"]
    amount = part(price["unit_amount"] * quantity, start, end, at)
    name = ledger.tables["product"][price["product"]]["name"]
    many = f"{quantity} × {name}" if quantity > 1 else name  # noqa: RUF001 - as Stripe writes it
    day = f"{datetime.fromtimestamp(at, UTC):%-d %b %Y}"
    return {
        "amount": -amount if unused else amount,
        "description": f"{'Unused' if unused else 'Remaining'} time on {many} after {day}",
        "item": item["id"],
        "period": {"start": min(max(at, start), end), "end": end},
        "price": price,
        "quantity": quantity,
    }


def book(ledger: Ledger, subscription: Obj, lines: list[Obj]) -> None:
    """Keep them for the subscription's next invoice."""
    for line in lines:
        price = line["price"]
        made = ledger.add(
            "invoiceitem",
            amount=line["amount"],
            net_amount=line["amount"],
            currency=subscription["currency"],
            customer=subscription["customer"],
            date=ledger.now(),
            description=line["description"],
            parent={
                "type": "subscription_details",
                "subscription_details": {
                    "subscription": subscription["id"],
                    "subscription_item": line["item"],
                },
            },
            period=line["period"],
            pricing={
                "type": "price_details",
                "price_details": {"price": price["id"], "product": price["product"]},
                "unit_amount_decimal": str(price["unit_amount"]),
            },
            proration=True,
            proration_details={"credited_items": None, "discount_amounts": []},
            quantity=line["quantity"],
            quantity_decimal=str(line["quantity"]),
        )
        ledger.emit("invoiceitem.created", made)


def waiting(ledger: Ledger, subscription: Obj) -> list[Obj]:
    """What waits for the subscription's next invoice, oldest first."""
    return [
        found
        for found in ledger.tables["invoiceitem"].values()
        if found["invoice"] is None
        and found["parent"]["subscription_details"]["subscription"] == subscription["id"]
    ]
