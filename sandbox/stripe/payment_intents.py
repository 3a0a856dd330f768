"""Payments that no invoice asks for: what Stripe's own tools make to have something to refund."""

from sandbox.stripe import cards, charging, disputes, payment_methods
from sandbox.stripe.errors import Refusal
from sandbox.stripe.ledger import Ledger
from sandbox.stripe.metadata import merged
from sandbox.stripe.objects import Obj

CAN_BE_CONFIRMED = frozenset({"requires_payment_method", "requires_confirmation"})
CAN_BE_CANCELED = CAN_BE_CONFIRMED | {"requires_action", "requires_capture"}
PAYMENT_REQUIRED = 402


def create(ledger: Ledger, params: Obj) -> Obj:
    """A payment; with `confirm` it is tried at once."""
    if params.get("capture_method") == "manual":
        raise Refusal("The sandbox captures at once.", param="capture_method")
    intent = ledger.add(
        "payment_intent",
        amount=params["amount"],
        amount_received=0,
        currency=params["currency"].lower(),
        customer=ledger.customer(params["customer"])["id"] if "customer" in params else None,
        description=params.get("description"),
        metadata=merged({}, params.get("metadata")),
        payment_method_types=list(params.get("payment_method_types") or ["card"]),
        status="requires_payment_method",
    )
    intent["client_secret"] = f"{intent['id']}_secret_{ledger.new_id('')}"
    if "payment_method" in params:
        intent["payment_method"] = payment_methods.found(ledger, params["payment_method"])["id"]
        intent["status"] = "requires_confirmation"
    ledger.emit("payment_intent.created", intent)
    return _confirmed(ledger, intent) if params.get("confirm") else intent


def confirm(ledger: Ledger, params: Obj, intent_id: str) -> Obj:
    """Try it, by the payment method that it has or that is named."""
    intent = ledger.get("payment_intent", intent_id, "intent")
    if intent["status"] not in CAN_BE_CONFIRMED:
        raise _in_another_state(intent, "confirm")
    if "payment_method" in params:
        intent["payment_method"] = payment_methods.found(ledger, params["payment_method"])["id"]
    return _confirmed(ledger, intent)


def cancel(ledger: Ledger, params: Obj, intent_id: str) -> Obj:
    """It will not be paid."""
    intent = ledger.get("payment_intent", intent_id, "intent")
    if intent["status"] not in CAN_BE_CANCELED:
        raise _in_another_state(intent, "cancel")
    intent |= {
        "status": "canceled",
        "canceled_at": ledger.now(),
        "cancellation_reason": params.get("cancellation_reason"),
    }
    ledger.emit("payment_intent.canceled", intent)
    return intent


def _in_another_state(intent: Obj, verb: str) -> Refusal:
    return Refusal(
        f"You cannot {verb} this PaymentIntent because it has a status of {intent['status']}.",
        code="payment_intent_unexpected_state",
    )


def _confirmed(ledger: Ledger, intent: Obj) -> Obj:
    method = ledger.tables["payment_method"].get(intent["payment_method"] or "")
    if method is None:
        raise Refusal("You cannot confirm this PaymentIntent without a payment method.")
    behaviour = ledger.behaviours.get(method["id"])
    result = charging.outcome(behaviour, present=False)
    if result == charging.ASKS:
        intent["status"] = "requires_action"
        intent["next_action"] = {"type": "use_stripe_sdk", "use_stripe_sdk": {}}
        ledger.emit("payment_intent.requires_action", intent)
        return intent
    pays = result == charging.PAYS
    charge = charging.charged(ledger, intent, method, pays=pays)
    if not pays:
        raise Refusal(
            charging.DECLINED,
            status=PAYMENT_REQUIRED,
            kind="card_error",
            code="card_declined",
        )
    if behaviour in {cards.IS_DISPUTED, cards.IS_INQUIRED}:
        inquiry = behaviour == cards.IS_INQUIRED
        disputes.begin(ledger, charge, "warning_needs_response" if inquiry else "needs_response")
    return intent
