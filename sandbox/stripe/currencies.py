"""One currency a customer: what Stripe holds to once something was billed."""

from sandbox.stripe.errors import Refusal
from sandbox.stripe.objects import Obj


def refuse_another(customer: Obj | None, currency: str) -> None:
    """Refuse a currency that is not the one in which a customer was billed before."""
    if customer and customer["currency"] not in {None, currency}:
        raise Refusal(
            "You cannot combine currencies on a single customer. This customer has had a "
            f"subscription, coupon, or invoice item with currency {customer['currency']}"
        )
