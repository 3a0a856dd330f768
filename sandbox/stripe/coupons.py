"""Coupons, and the codes by which customers get them."""

from sandbox.stripe.errors import BAD_REQUEST, Refusal
from sandbox.stripe.ledger import Ledger
from sandbox.stripe.lists import page
from sandbox.stripe.metadata import merged
from sandbox.stripe.objects import Obj


class CodeRefused(Exception):
    """Said to the customer as it is."""


def create(ledger: Ledger, params: Obj) -> Obj:
    """So much off, once or for ever."""
    if ("percent_off" in params) == ("amount_off" in params):
        raise Refusal("You must pass either `percent_off` or `amount_off`.", param="percent_off")
    duration = params.get("duration", "once")
    if duration == "repeating":
        raise Refusal("The sandbox has coupons for once and for ever.", param="duration")
    return ledger.add(
        "coupon",
        params.get("id") or ledger.new_id("")[:8],
        amount_off=params.get("amount_off"),
        percent_off=params.get("percent_off"),
        currency=params.get("currency"),
        duration=duration,
        name=params.get("name"),
        metadata=merged({}, params.get("metadata")),
    )


def create_code(ledger: Ledger, params: Obj) -> Obj:
    """What is typed at checkout."""
    promotion = params["promotion"]
    coupon = ledger.get("coupon", promotion.get("coupon", ""), "promotion[coupon]", BAD_REQUEST)
    return ledger.add(
        "promotion_code",
        active=params.get("active", True),
        code=params.get("code") or ledger.new_id("")[:8].upper(),
        promotion={"type": "coupon", "coupon": coupon["id"]},
        metadata=merged({}, params.get("metadata")),
    )


def list_codes(ledger: Ledger, params: Obj) -> Obj:
    """All, or those of one text."""
    return page(ledger, "promotion_code", "/v1/promotion_codes", params, ("active", "code"))


def coupon_of(ledger: Ledger, session_id: str, typed: str) -> Obj | None:
    """What a code that was typed at this session's checkout stands for.

    Raises:
        CodeRefused: it stands for nothing, or no code can be used here.
    """
    if not typed.strip():
        return None
    session = ledger.tables["checkout.session"].get(session_id)
    if session and session["allow_promotion_codes"]:
        for code in ledger.all("promotion_code", active=True):
            if code["code"].lower() == typed.strip().lower():
                return ledger.tables["coupon"][code["promotion"]["coupon"]]
    raise CodeRefused("This code is invalid.")
