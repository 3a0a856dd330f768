"""Disputes and inquiries: begun, answered, decided, appealed; when money moves and who is told."""

from sandbox.stripe.errors import Refusal
from sandbox.stripe.ledger import Ledger
from sandbox.stripe.objects import Obj
from sandbox.stripe.periods import DAY

INQUIRIES = frozenset({"warning_needs_response", "warning_under_review", "warning_closed"})
CLOSED = frozenset({"won", "lost", "warning_closed", "prevented"})
STATUSES = (
    INQUIRIES
    | CLOSED
    | {"needs_response", "under_review", "appeal_needs_response", "appeal_under_review"}
)
ANSWER_WITHIN = 7 * DAY
FEE = 1500
"""What Stripe keeps of a dispute, in the smallest unit."""


def begin(ledger: Ledger, charge: Obj, status: str = "needs_response") -> Obj:
    """The cardholder wants the money back, or asks; like Stripe's, it names no customer.

    An inquiry takes nothing, and what it is about can still be refunded.
    """
    made = ledger.add(
        "dispute",
        amount=charge["amount"],
        charge=charge["id"],
        currency=charge["currency"],
        is_charge_refundable=status in INQUIRIES,
        payment_intent=charge["payment_intent"],
        payment_method_details=_details(charge),
        reason="fraudulent",
        status=status,
    )
    made["evidence_details"]["due_by"] = ledger.now() + ANSWER_WITHIN
    charge["disputed"] = True
    ledger.emit("charge.dispute.created", made)
    if status not in INQUIRIES and status != "prevented":
        _withdraw(ledger, made)
    if status in CLOSED:
        ledger.emit("charge.dispute.closed", made)
    return made


def _details(charge: Obj) -> Obj:
    card = (charge["payment_method_details"] or {}).get("card") or {}
    card = {"brand": card.get("brand"), "case_type": "chargeback", "network_reason_code": "10"}
    return {"type": "card", "card": card}


def move(ledger: Ledger, dispute: Obj, status: str) -> None:
    """What the bank or the merchant does next.

    An inquiry that becomes a dispute withdraws the money; a dispute that is won gives it back.
    """
    before = dispute["status"]
    if status == before:
        return
    dispute["status"] = status
    dispute["is_charge_refundable"] = status in INQUIRIES
    if status not in INQUIRIES and before in INQUIRIES and status != "prevented":
        _withdraw(ledger, dispute)
    if status in CLOSED:
        ledger.emit("charge.dispute.closed", dispute)
        if status == "won" and dispute["balance_transactions"]:
            _money(ledger, dispute, dispute["amount"], "dispute_reversal")
            ledger.emit("charge.dispute.funds_reinstated", dispute)
    else:
        ledger.emit("charge.dispute.updated", dispute, {"status": before})


def _withdraw(ledger: Ledger, dispute: Obj) -> None:
    _money(ledger, dispute, -dispute["amount"], "dispute")
    ledger.emit("charge.dispute.funds_withdrawn", dispute)


def _money(ledger: Ledger, dispute: Obj, amount: int, category: str) -> None:
    fee = FEE if amount < 0 else 0
    named = "Chargeback withdrawal" if amount < 0 else "Chargeback reversal"
    moved = ledger.add(
        "balance_transaction",
        amount=amount,
        available_on=ledger.now(),
        currency=dispute["currency"],
        description=f"{named} for {dispute['charge']}",
        fee=fee,
        net=amount - fee,
        reporting_category=category,
        source=dispute["id"],
        type="adjustment",
    )
    dispute["balance_transactions"] = [*dispute["balance_transactions"], moved]


def update(ledger: Ledger, params: Obj, dispute_id: str) -> Obj:
    """Evidence; in test mode two texts decide, as at Stripe."""
    dispute = ledger.get("dispute", dispute_id, "dispute")
    if dispute["status"] in CLOSED:
        raise Refusal("This dispute is already closed")
    text = (params.get("evidence") or {}).get("uncategorized_text")
    inquiry = dispute["status"] in INQUIRIES
    verdict = {
        "winning_evidence": "warning_closed" if inquiry else "won",
        "losing_evidence": "lost",
    }.get(text or "")
    if text:
        dispute["evidence"]["uncategorized_text"] = text
        dispute["evidence_details"]["has_evidence"] = True
    if verdict:
        move(ledger, dispute, verdict)
    elif params.get("submit", bool(text)):
        dispute["evidence_details"]["submission_count"] += 1
        prefix = dispute["status"].rpartition("needs_response")[0]
        if dispute["status"].endswith("needs_response"):
            move(ledger, dispute, f"{prefix}under_review")
    return dispute


def close(ledger: Ledger, _: Obj, dispute_id: str) -> Obj:
    """Give in: it is lost."""
    dispute = ledger.get("dispute", dispute_id, "dispute")
    if dispute["status"] not in {"needs_response", "warning_needs_response"}:
        raise Refusal("This dispute is already closed")
    move(ledger, dispute, "lost")
    return dispute
