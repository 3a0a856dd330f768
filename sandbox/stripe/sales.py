"""Calls about subscriptions and checkout sessions."""

from typing import Any

from sandbox.stripe import changes, customers, items, schedules, subscriptions
from sandbox.stripe.currencies import refuse_another
from sandbox.stripe.errors import BAD_REQUEST, Refusal
from sandbox.stripe.ledger import Ledger
from sandbox.stripe.lists import line_items, page
from sandbox.stripe.metadata import merged
from sandbox.stripe.objects import Obj, listing

ENDED = frozenset({"canceled", "incomplete_expired"})


def retrieve_session(ledger: Ledger, _: Obj, session_id: str) -> Obj:
    """One checkout session."""
    return ledger.get("checkout.session", session_id, "session")


def list_sessions(ledger: Ledger, params: Obj) -> Obj:
    """By customer, status and what came of them."""
    if "customer" in params:
        customers.known(ledger, params["customer"])
    equal = ("customer", "status", "subscription", "payment_intent")
    return page(ledger, "checkout.session", "/v1/checkout/sessions", params, equal)


def list_lines(ledger: Ledger, _: Obj, session_id: str) -> Obj:
    """What a session sells."""
    return line_items(ledger, session_id)


def create(ledger: Ledger, params: Obj) -> Obj:
    """As from the dashboard: paid by a card that is there, or waiting for its first payment."""
    customer = ledger.customer(params["customer"])
    lines = []
    for i, line in enumerate(params.get("items", [])):
        price = items.sold(ledger, line.get("price", ""), f"items[{i}][price]")
        lines.append((price, line.get("quantity", 1)))
    if not lines:
        raise Refusal("Missing required param: items.", param="items")
    refuse_another(customer, lines[0][0]["currency"])
    method = params.get("default_payment_method")
    if method:
        ledger.get("payment_method", method, "default_payment_method", BAD_REQUEST)
    settings = params.get("trial_settings", {}).get("end_behavior", {})
    return subscriptions.begin(
        ledger,
        customer["id"],
        lines,
        method,
        merged({}, params.get("metadata")),
        trial_days=params.get("trial_period_days", 0),
        trial_end=params["trial_end"] if isinstance(params.get("trial_end"), int) else None,
        description=params.get("description"),
        without_method=settings.get("missing_payment_method", "create_invoice"),
    )


def resume(ledger: Ledger, _: Obj, subscription_id: str) -> Obj:
    """A paused one goes on."""
    subscription = ledger.get("subscription", subscription_id)
    if subscription["status"] != "paused":
        raise Refusal("Only a paused subscription can be resumed.")
    return subscriptions.resume(ledger, subscription)


def retrieve(ledger: Ledger, _: Obj, subscription_id: str) -> Obj:
    """One subscription, also after its end."""
    return ledger.get("subscription", subscription_id)


def list_all(ledger: Ledger, params: Obj) -> Obj:
    """By customer and status; without a status those that were canceled are left out."""
    if "customer" in params:
        customers.known(ledger, params["customer"])
    status = params.get("status")
    price = params.get("price")

    def keep(subscription: Obj) -> bool:
        now = subscription["status"]
        if price and all(i["price"]["id"] != price for i in subscription["items"]["data"]):
            return False
        if status == "ended":
            return now in ENDED
        return status == "all" or (now == status if status else now != "canceled")

    return page(ledger, "subscription", "/v1/subscriptions", params, ("customer",), keep)


def list_items(ledger: Ledger, params: Obj) -> Obj:
    """The items of one subscription."""
    subscription = ledger.get("subscription", params["subscription"], "subscription", BAD_REQUEST)
    return listing("/v1/subscription_items", subscription["items"]["data"])


def update(ledger: Ledger, params: Obj, subscription_id: str) -> Obj:
    """Metadata, card, cancellation, pause, trial's end, items."""
    subscription = ledger.get("subscription", subscription_id)
    if subscription["status"] in ENDED:
        raise Refusal(
            "A canceled subscription can only update its cancellation_details and metadata."
        )
    if params.get("items"):
        new = items.wanted(ledger, subscription, params["items"])
        schedules.release_of(ledger, subscription)
        changes.change(ledger, subscription, new, _terms(params))
    _change_fields(ledger, subscription, params)
    if "cancel_at_period_end" in params:
        subscriptions.set_cancellation(
            ledger, subscription, at_period_end=params["cancel_at_period_end"]
        )
    if params.get("trial_end") == "now" and subscription["status"] == "trialing":
        subscriptions.end_trial(ledger, subscription)
    elif isinstance(params.get("trial_end"), int):
        if params["trial_end"] <= ledger.now():
            raise Refusal("Invalid trial_end: must be in the future.", param="trial_end")
        subscriptions.try_trial_until(ledger, subscription, params["trial_end"])
    return subscription


def _terms(params: Obj) -> changes.Terms:
    usual = changes.Terms()
    return changes.Terms(
        params.get("proration_behavior", usual.proration_behavior),
        params.get("payment_behavior", usual.payment_behavior),
        params.get("proration_date"),
    )


def _change_fields(ledger: Ledger, subscription: Obj, params: Obj) -> None:
    fields: dict[str, Any] = {}
    if "metadata" in params:
        fields["metadata"] = merged(subscription["metadata"], params["metadata"])
    if "description" in params:
        fields["description"] = params["description"] or None
    if "pause_collection" in params:
        paused = params["pause_collection"]
        fields["pause_collection"] = {"resumes_at": None, **paused} if paused else None
    if isinstance(params.get("cancel_at"), int):
        fields["cancel_at"] = params["cancel_at"]
        fields["canceled_at"] = ledger.now()
    elif params.get("cancel_at") == "":
        fields |= {"cancel_at": None, "canceled_at": None, "cancel_at_period_end": False}
    if "default_payment_method" in params:
        method = params["default_payment_method"]
        ledger.get("payment_method", method, "default_payment_method", BAD_REQUEST)
        fields["default_payment_method"] = method
    ledger.change(subscriptions.UPDATED, subscription, **fields)


def cancel(ledger: Ledger, params: Obj, subscription_id: str) -> Obj:
    """Ends at once."""
    subscription = ledger.get("subscription", subscription_id)
    if subscription["status"] in ENDED:
        raise Refusal(
            f"No such subscription: '{subscription_id}'",
            status=404,
            code="resource_missing",
            param="id",
        )
    details = params.get("cancellation_details") or {}
    subscription["cancellation_details"] |= {
        key: details[key] for key in ("comment", "feedback") if key in details
    }
    return subscriptions.cancel(ledger, subscription)
