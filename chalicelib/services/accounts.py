"""Sign-up and recovery, told the same way whether or not an address is known.

A code confirms the password that was typed with it, and a new password ends every session.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chalicelib.domain import passwords
from chalicelib.domain.errors import AccountExists, InvalidCode, InvalidCredentials
from chalicelib.domain.record import REMEMBERED, User, tenant_id_of

if TYPE_CHECKING:
    from chalicelib.ports import Accounts, Clock, Sessions

TRIES = 3
"""How often a sign-up is tried while others sign up with the same address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountBook:
    """The verbs of `/api/auth/*` that are more than a call to the pool.

    Attributes:
        issuer: of our tokens; with an account's subject it says whose sessions end.
        common: the commonest passwords, read when one is set.
        words: what is no password here: the product's name.
        clock: the wall's: tokens know no other.
    """

    accounts: "Accounts"
    sessions: "Sessions"
    issuer: str
    common: Callable[[], Collection[str]]
    words: Collection[str]
    clock: "Clock"

    def sign_up(self, email: str, password: str) -> None:
        """Make an account, or nothing when there is one: the answer does not give it away.

        What nobody has confirmed is nobody's: it makes way for whoever signs up now, whose code
        goes with the password typed now.

        Raises:
            WeakPassword: which says nothing of the address.
        """
        self._check(password, email)
        for _ in range(TRIES):
            try:
                self.accounts.sign_up(email, password)
            except AccountExists:
                if not self.accounts.withdraw(email):
                    return
            else:
                return

    def confirm(self, email: str, code: str, password: str | None = None) -> None:
        """Confirm an address; the password that comes with the code is the account's from then on.

        Somebody else may have signed up with the address after the customer did, and so have had
        the code mailed that the customer has typed. Whoever read the mail owns the address, so the
        account is made anew with the password that they typed; the other one opens nothing more.

        Raises:
            InvalidCode, WeakPassword: nothing is confirmed.
        """
        if password is not None:
            self._check(password, email)
        self.accounts.confirm(email, code)
        if password is None or self._opens(email, password):
            return
        try:
            former = self.accounts.make_anew(email, password)
        except AccountExists as e:
            raise InvalidCode from e  # somebody has signed up once more in between
        if former:
            until = int(self.clock()) + REMEMBERED
            self.sessions.forget(tenant_id_of(self.issuer, former), until)

    def reset_password(self, email: str, code: str, password: str) -> None:
        """Set a new password; whoever was signed in by the old one no longer is.

        Raises:
            InvalidCode, WeakPassword: nothing is changed.
        """
        self._check(password, email)
        self.accounts.reset_password(email, code, password)
        subject = self.accounts.log_out_everywhere(email)
        if subject:
            user = User(issuer=self.issuer, subject=subject, email=email)
            self.sessions.end(user, int(self.clock()))

    def _check(self, password: str, email: str) -> None:
        passwords.check(password, email, self.common(), self.words)

    def _opens(self, email: str, password: str) -> bool:
        try:
            self.accounts.log_in(email, password)
        except InvalidCredentials:
            return False
        return True
