"""Sign-up and recovery, told the same way whether or not an address is known."""

from typing import TYPE_CHECKING

from chalicelib.domain.errors import AccountExists

if TYPE_CHECKING:
    from chalicelib.ports import Accounts


def sign_up(email: str, password: str, *, accounts: "Accounts") -> None:
    """Make an account, or nothing when there is one: the answer does not give it away.

    Raises:
        WeakPassword: which says nothing of the address.
    """
    try:
        accounts.sign_up(email, password)
    except AccountExists:
        # Whoever owns the address and never confirmed it gets a new code; anybody else, nothing.
        accounts.resend(email)
