"""The way to Stripe's billing portal."""

from typing import TYPE_CHECKING

from chalicelib.domain.errors import CustomerGone, NoCustomer

if TYPE_CHECKING:
    from chalicelib.domain.record import User
    from chalicelib.ports import Payments, Records


def portal_url(user: "User", return_url: str, *, records: "Records", payments: "Payments") -> str:
    """Where this customer manages their billing.

    Raises:
        NoCustomer: nothing was ever paid for, or the customer was deleted in Stripe.
    """
    record = records.own(user)
    if record is None or record.customer_id is None:
        raise NoCustomer
    try:
        return payments.portal_url(record.customer_id, return_url)
    except CustomerGone as e:
        raise NoCustomer from e
