"""Cognito's codes: made, mailed, checked, used up. moto takes any code."""

import base64
import hmac
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from moto.core.exceptions import JsonRESTError

from sandbox.aws import moto_pools
from sandbox.aws.mailbox import Kind, Mailbox
from sandbox.aws.wire import Answer, Call, Handler, done, refused

LIFE: dict[Kind, int] = {"confirm": 24 * 3600, "reset": 3600}
"""Seconds that a code is good for, as in Cognito."""

MAX_TRIES = 10
"""Wrong guesses at one code before it is worthless."""

PUBLIC = frozenset(
    {
        *("SignUp", "ConfirmSignUp", "ResendConfirmationCode", "ForgotPassword"),
        *("ConfirmForgotPassword", "InitiateAuth", "GetTokensFromRefreshToken", "RevokeToken"),
    }
)
"""What is called in a client's name: with its secret, if it has one."""

Key = tuple[str, str, Kind]


@dataclass(slots=True)
class _Code:
    text: str
    until: float
    tries: int = 0


class Accounts:
    """Goes before moto's Cognito."""

    def __init__(
        self, inner: Handler, mailbox: Mailbox, clock: Callable[[], float] = time.time
    ) -> None:
        self._inner = inner
        self._mailbox = mailbox
        self._clock = clock
        self._codes: dict[Key, _Code] = {}
        self._lock = threading.RLock()
        self._actions = {
            "SignUp": self._sign_up,
            "ConfirmSignUp": self._confirm,
            "ResendConfirmationCode": self._resend,
            "ForgotPassword": self._forgot,
            "ConfirmForgotPassword": self._reset,
            "RevokeToken": self._revoke,
            "InitiateAuth": self._log_in,
            "GetTokensFromRefreshToken": self._refresh,
            "AdminDeleteUser": self._sign_out_first,
            "AdminUserGlobalSignOut": self._sign_out_first,
        }

    def __call__(self, call: Call) -> Answer:
        """Serve one call."""
        with self._lock:
            try:
                unproven = _unproven(call) if call.action in PUBLIC else None
                return unproven or self._actions.get(call.action, self._inner)(call)
            except moto_pools.UnknownClientError:
                return refused("ResourceNotFoundException", "User pool client does not exist.")

    def _sign_up(self, call: Call) -> Answer:
        """A weak password is refused before anybody is looked up, so that it tells nobody."""
        answer = self._weak(call) or self._inner(call)
        if answer.ok:
            self._mail(call, "confirm")
        return answer

    def _confirm(self, call: Call) -> Answer:
        client_id, username = _who(call)
        status = moto_pools.status(client_id, username)
        if status is None:
            return _unknown_user()
        if status == "CONFIRMED":
            return refused(
                "NotAuthorizedException",
                "User cannot be confirmed. Current status is CONFIRMED",
            )
        return self._wrong(call, "confirm") or self._inner(call)

    def _resend(self, call: Call) -> Answer:
        client_id, username = _who(call)
        status = moto_pools.status(client_id, username)
        if status is None:
            return _unknown_user()
        if status == "CONFIRMED":
            return refused("InvalidParameterException", "User is already confirmed.")
        self._mail(call, "confirm")
        return done({"CodeDeliveryDetails": _delivery(username)})

    def _forgot(self, call: Call) -> Answer:
        client_id, username = _who(call)
        status = moto_pools.status(client_id, username)
        if status is None:
            return _unknown_user()
        if status != "CONFIRMED":
            return refused(
                "InvalidParameterException",
                "Cannot reset password for the user as there is no registered/verified email or "
                "phone_number",
            )
        self._mail(call, "reset")
        return done({"CodeDeliveryDetails": _delivery(username)})

    def _reset(self, call: Call) -> Answer:
        if weak := self._weak(call):
            return weak
        if moto_pools.status(*_who(call)) is None:
            return _unknown_user()
        return self._wrong(call, "reset") or self._inner(call)

    @staticmethod
    def _weak(call: Call) -> Answer | None:
        try:
            moto_pools.check_password(_who(call)[0], str(call.body.get("Password")))
        except JsonRESTError as e:
            return refused("InvalidPasswordException", str(e.message))
        return None

    def _revoke(self, call: Call) -> Answer:
        moto_pools.revoke(_who(call)[0], str(call.body.get("Token")))
        return done({})

    def _log_in(self, call: Call) -> Answer:
        """Cognito tells nobody by this call who has an account, moto does.

        But it says of an account that is not confirmed what it is, whatever the password.
        """
        username = call.body.get("AuthParameters", {}).get("USERNAME")
        if username:
            status = moto_pools.status(_who(call)[0], username)
            if status is None:
                return refused("NotAuthorizedException", "Incorrect username or password.")
            if status == "UNCONFIRMED":
                return refused("UserNotConfirmedException", "User is not confirmed.")
        return self._inner(call)

    @staticmethod
    def _refresh(call: Call) -> Answer:
        renewed = moto_pools.renewed(_who(call)[0], str(call.body.get("RefreshToken")))
        if renewed is None:
            return refused("NotAuthorizedException", "Invalid Refresh Token")
        return done({"AuthenticationResult": renewed})

    def _sign_out_first(self, call: Call) -> Answer:
        """Moto remembers tokens by what was typed, and gives them to whoever has it next."""
        moto_pools.sign_out(str(call.body.get("UserPoolId")), str(call.body.get("Username")))
        return self._inner(call)

    def _mail(self, call: Call, kind: Kind) -> None:
        client_id, username = _who(call)
        code = f"{secrets.randbelow(10**6):06}"
        self._codes[client_id, username, kind] = _Code(code, self._clock() + LIFE[kind])
        self._mailbox.send(username, kind, code)

    def _wrong(self, call: Call, kind: Kind) -> Answer | None:
        """Why the code in a call is no good; the right one is used up."""
        client_id, username = _who(call)
        code = self._codes.get((client_id, username, kind))
        expired = code is None or self._clock() > code.until
        if expired or (code and code.tries >= MAX_TRIES):
            return refused(
                "ExpiredCodeException", "Invalid code provided, please request a code again."
            )
        if code and not secrets.compare_digest(
            code.text.encode(), str(call.body.get("ConfirmationCode")).encode()
        ):
            code.tries += 1
            return refused(
                "CodeMismatchException", "Invalid verification code provided, please try again."
            )
        del self._codes[client_id, username, kind]
        return None


def _unproven(call: Call) -> Answer | None:
    """Why Cognito would not take a public call: its client has a secret, and this does not know it.

    Signing up needs no password of anybody's: moto looks for the proof only where one logs in.
    """
    client_id, username = str(call.body["ClientId"]), str(call.body.get("Username", ""))
    secret = moto_pools.secret(client_id)
    if secret is None:
        return None
    if call.action in {"GetTokensFromRefreshToken", "RevokeToken"}:
        given, right = call.body.get("ClientSecret"), secret
    else:
        parameters = call.body.get("AuthParameters", {})
        given = call.body.get("SecretHash") or parameters.get("SECRET_HASH")
        message = f"{username or parameters.get('USERNAME', '')}{client_id}".encode()
        right = base64.b64encode(hmac.digest(secret.encode(), message, "sha256")).decode()
    if given is None:
        return refused(
            "NotAuthorizedException",
            f"Client {client_id} is configured with secret but SECRET_HASH was not received",
        )
    if not hmac.compare_digest(str(given).encode(), right.encode()):
        return refused(
            "NotAuthorizedException", f"SecretHash does not match for the client: {client_id}"
        )
    return None


def _who(call: Call) -> tuple[str, str]:
    return str(call.body.get("ClientId")), str(call.body.get("Username", "")).lower()


def _delivery(username: str) -> dict[str, str]:
    name, _, domain = username.partition("@")
    return {
        "Destination": f"{name[:1]}***@{domain[:1]}***",
        "DeliveryMedium": "EMAIL",
        "AttributeName": "email",
    }


def _unknown_user() -> Answer:
    return refused("UserNotFoundException", "Username/client id combination not found.")
