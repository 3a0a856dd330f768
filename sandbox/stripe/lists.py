"""Pages of lists, and objects in place of their ids."""

from collections.abc import Callable
from typing import Any

from sandbox.stripe.errors import BAD_REQUEST, Refusal
from sandbox.stripe.ledger import Ledger
from sandbox.stripe.objects import Obj, copied, listing

USUAL, MOST = 10, 100

_COMPARE: dict[str, Callable[[int, int], bool]] = {
    "gt": lambda a, b: a > b,
    "gte": lambda a, b: a >= b,
    "lt": lambda a, b: a < b,
    "lte": lambda a, b: a <= b,
}


def page(  # noqa: PLR0913, PLR0917 - what a list is made of
    ledger: Ledger,
    kind: str,
    url: str,
    params: Obj,
    equal: tuple[str, ...] = (),
    keep: Callable[[Obj], bool] = lambda _: True,
) -> Obj:
    """Newest first, from behind `starting_after` or before `ending_before`."""
    limit = params.get("limit", USUAL)
    if not 1 <= limit <= MOST:
        raise Refusal(f"Invalid limit: must be from 1 to {MOST}", param="limit", executed=False)
    wanted = {key: params[key] for key in equal if key in params}
    created = params.get("created", {})
    if isinstance(created, int):
        created = {"gte": created, "lte": created}
    found = [
        obj
        for obj in ledger.all(kind, **wanted)
        if all(_COMPARE[op](obj["created"], bound) for op, bound in created.items()) and keep(obj)
    ]
    if "starting_after" in params and "ending_before" in params:
        raise Refusal(
            "You may only specify one of these parameters: starting_after, ending_before.",
            executed=False,
        )
    if "starting_after" in params:
        found = found[_position(ledger, kind, found, params, "starting_after") + 1 :]
    elif "ending_before" in params:
        found = found[: _position(ledger, kind, found, params, "ending_before")]
        return listing(url, found[-limit:], has_more=len(found) > limit)
    return listing(url, found[:limit], has_more=len(found) > limit)


def _position(ledger: Ledger, kind: str, found: list[Obj], params: Obj, param: str) -> int:
    cursor = ledger.get(kind, params[param], param, BAD_REQUEST)
    # The cursor itself may not fit the filter any more: its place is where it was created.
    order = {object_id: i for i, object_id in enumerate(reversed(ledger.tables[kind]))}
    place = order[cursor["id"]]
    before = sum(1 for obj in found if order[obj["id"]] < place)
    return before if param == "ending_before" or cursor in found else before - 1


def expanded(ledger: Ledger, answer: Obj, paths: list[str]) -> Obj:
    """A copy of the answer with whole objects at these paths.

    Raises:
        Refusal: there is nothing at a path that could be expanded.
    """
    answer = copied(answer)
    for path in paths:
        _expand(ledger, answer, path.split("."), path)
    return answer


def _expand(ledger: Ledger, node: Any, path: list[str], whole: str) -> None:  # noqa: ANN401 - JSON
    if isinstance(node, list):
        for each in node:
            _expand(ledger, each, path, whole)
        return
    if not isinstance(node, dict):
        return
    name, rest = path[0], path[1:]
    if node.get("object") == "invoice" and name == "payments":
        paid = [p for p in ledger.all("invoice_payment") if p["invoice"] == node["id"]]
        url = f"/v1/invoice_payments?invoice={node['id']}"
        node[name] = copied(listing(url, paid))
    if node.get("object") == "checkout.session" and name == "line_items":
        node[name] = copied(line_items(ledger, node["id"]))
    if name not in node:
        raise Refusal(f"This property cannot be expanded ({whole}).", param="expand")
    value = node[name]
    if isinstance(value, str):
        found = ledger.find(value)
        if found is None:
            raise Refusal(f"This property cannot be expanded ({whole}).", param="expand")
        node[name] = copied(found)
    if rest:
        _expand(ledger, node[name], rest, whole)


def line_items(ledger: Ledger, session_id: str) -> Obj:
    """What a checkout session sells."""
    session = ledger.get("checkout.session", session_id, "session")
    lines = [
        {
            "id": f"li_{session_id[8:]}{i}",
            "object": "item",
            "amount_subtotal": price["unit_amount"] * quantity,
            "amount_total": price["unit_amount"] * quantity,
            "currency": session["currency"],
            "description": ledger.tables["product"][price["product"]]["name"],
            "price": price,
            "quantity": quantity,
        }
        for i, (price, quantity) in enumerate(ledger.orders[session_id]["lines"])
    ]
    return listing(f"/v1/checkout/sessions/{session_id}/line_items", lines)
