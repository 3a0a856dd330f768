"""What tests and operators have done at Stripe: `/sandbox/disputes`, `/sandbox/keys` and so on."""

from collections.abc import Callable
from typing import Any

from flask import Flask, Response, jsonify, request

from sandbox.stripe import customers, disputes, restricted
from sandbox.stripe.ledger import Ledger
from sandbox.stripe.state import Stripe

ENDS = ("cancel", "unpaid", "past_due")


Order = Callable[[Ledger, dict[str, Any]], Any]


class Unfit(ValueError):
    """An order that cannot be carried out; the text says what is needed."""


def routes_of_orders(app: Flask, stripe: Stripe) -> None:
    """Add them to the application."""
    orders: dict[str, Order] = {
        "dunning": _dunning,
        "disputes": _dispute,
        "vanish": _vanish,
        "keys": _key,
    }

    @app.post("/sandbox/<any(dunning, disputes, vanish, keys):what>")
    def order(what: str) -> Response:
        given = request.get_json(force=True, silent=True)
        with stripe.ledger.lock:
            stripe.catch_up()
            try:
                return jsonify(
                    orders[what](stripe.ledger, given if isinstance(given, dict) else {})
                )
            except Unfit as e:
                answer = jsonify(error={"message": str(e)})
                answer.status_code = 400
                return answer


def _dunning(ledger: Ledger, given: dict[str, Any]) -> dict[str, Any]:
    """What becomes of a subscription after its last failed try."""
    if given.get("end") not in ENDS:
        raise Unfit(f'{{"end": one of {", ".join(ENDS)}}} is needed')
    ledger.dunning_end = given["end"]
    return {"end": ledger.dunning_end}


def _dispute(ledger: Ledger, given: dict[str, Any]) -> dict[str, Any]:
    """Begin one about a charge, or move one."""
    status = given.get("status")
    charge = ledger.tables["charge"].get(str(given.get("charge")))
    found = ledger.tables["dispute"].get(str(given.get("dispute")))
    if status not in disputes.STATUSES or (charge is None) == (found is None):
        raise Unfit(
            '{"charge": "ch_…"} to begin one or {"dispute": "du_…"} to move one, and "status": one '
            f"of {', '.join(sorted(disputes.STATUSES))} are needed"
        )
    if charge is not None:
        return disputes.begin(ledger, charge, status)
    assert found is not None  # noqa: S101 - one of the two
    disputes.move(ledger, found, status)
    return found


def _vanish(ledger: Ledger, given: dict[str, Any]) -> dict[str, Any]:
    """A customer is gone without a trace."""
    customer = str(given.get("customer"))
    if customer not in ledger.tables["customer"] and customer not in ledger.deleted:
        raise Unfit('{"customer": "cus_…"} is needed, of one that is there or was deleted')
    customers.vanish(ledger, customer)
    return {"customer": customer}


def _key(ledger: Ledger, given: dict[str, Any]) -> dict[str, Any]:
    """A restricted key, and the permissions that it lacks."""
    key, lacks = given.get("key"), given.get("lacks")
    if not isinstance(key, str) or not key.startswith(restricted.PREFIXES):
        raise Unfit('{"key": "rk_test_…", "lacks": ["rak_…_read", …]} is needed')
    if not isinstance(lacks, list) or not all(isinstance(each, str) for each in lacks):
        raise Unfit('"lacks": a list of permissions is needed')
    ledger.lacks[key] = frozenset(lacks)
    return {"key": key, "lacks": lacks}
