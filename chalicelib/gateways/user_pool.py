"""The Cognito user pool: no password is ever kept or logged here."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from chalicelib.domain.errors import (
    AccountExists,
    InvalidCode,
    InvalidCredentials,
    Unauthenticated,
)
from chalicelib.gateways import aws
from chalicelib.gateways.pool_calls import PoolCalls
from chalicelib.gateways.pool_errors import Errors

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient

_CODES: Errors = {
    "CodeMismatchException": InvalidCode,
    "ExpiredCodeException": InvalidCode,
    # Only somebody whom the pool knows can run into these two: they would tell who that is.
    "LimitExceededException": InvalidCode,
    "TooManyFailedAttemptsException": InvalidCode,
    "NotAuthorizedException": InvalidCode,
    "UserNotConfirmedException": InvalidCode,
    "UserNotFoundException": InvalidCode,
}
_SILENT: Errors = {
    "CodeDeliveryFailureException": None,
    "InvalidParameterException": None,
    "LimitExceededException": None,
    "NotAuthorizedException": None,
    "UserNotConfirmedException": None,
    "UserNotFoundException": None,
}
_CREDENTIALS: Errors = {
    "NotAuthorizedException": InvalidCredentials,
    "UserNotFoundException": InvalidCredentials,
    "PasswordResetRequiredException": InvalidCredentials,
    "InvalidParameterException": InvalidCredentials,
    # Cognito says this whatever the password: it would tell who has signed up.
    "UserNotConfirmedException": InvalidCredentials,
}
_SESSION: Errors = {
    "NotAuthorizedException": Unauthenticated,
    "UserNotFoundException": Unauthenticated,
    "InvalidParameterException": Unauthenticated,
    "RefreshTokenReuseException": Unauthenticated,
}
_NOBODY: Errors = {"UserNotFoundException": None}


class UserPool:
    """Fits `chalicelib.ports.Accounts`."""

    def __init__(
        self,
        client_id: str,
        *,
        pool_id: str,
        client_secret: str | None = None,
        client: "CognitoIdentityProviderClient | None" = None,
    ) -> None:
        client = client or aws.client("cognito-idp", read_timeout=8, attempts=3)
        self._calls = PoolCalls(client, client_id, client_secret, pool_id)

    def sign_up(self, email: str, password: str) -> None:
        """Make an account and mail a code."""
        self._of(
            email,
            "sign_up",
            {"UsernameExistsException": AccountExists, "CodeDeliveryFailureException": None},
            Password=password,
            UserAttributes=[{"Name": "email", "Value": email}],
        )

    def withdraw(self, email: str) -> bool:
        """Remove an account whose address nobody has confirmed; False when it is none such."""
        found = self._calls.admin("admin_get_user", _NOBODY, email)
        if found and found["UserStatus"] != "UNCONFIRMED":
            return False
        self._calls.admin("admin_delete_user", _NOBODY, email)
        return True

    def confirm(self, email: str, code: str) -> None:
        """Confirm an address."""
        self._of(email, "confirm_sign_up", _CODES, ConfirmationCode=code)

    def make_anew(self, email: str, password: str) -> str | None:
        """Put a confirmed account with this password in the place of the one that is there."""
        found = self._calls.admin("admin_get_user", _NOBODY, email)
        self._calls.admin("admin_delete_user", _NOBODY, email)
        self.sign_up(email, password)
        # Confirmed last: whatever stops this before can be signed up for anew.
        verified = [{"Name": "email_verified", "Value": "true"}]
        self._calls.admin("admin_update_user_attributes", {}, email, UserAttributes=verified)
        self._calls.admin("admin_confirm_sign_up", {}, email)
        return _subject(found)

    def resend(self, email: str) -> None:
        """Mail a new code, if there is somebody to mail it to."""
        self._of(email, "resend_confirmation_code", _SILENT)

    def log_in(self, email: str, password: str) -> Mapping[str, str | int]:
        """Tokens for the right password."""
        proof = self._calls.proof(email)
        answer = self._calls.public(
            "initiate_auth",
            _CREDENTIALS,
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": email, "PASSWORD": password}
            | ({"SECRET_HASH": proof} if proof else {}),
        )
        return _tokens(answer) | {"refreshToken": answer["AuthenticationResult"]["RefreshToken"]}

    def refresh(self, refresh_token: str) -> Mapping[str, str | int]:
        """A new ID token."""
        # Not by InitiateAuth: with a client's secret that wants the user's name, too.
        answer = self._calls.public(
            "get_tokens_from_refresh_token",
            _SESSION,
            RefreshToken=refresh_token,
            **self._calls.secret(),
        )
        return _tokens(answer)

    def log_out(self, refresh_token: str) -> None:
        """Make a refresh token, and what came of it, worthless; one that is no good already is."""
        silent = ("InvalidParameterException", "NotAuthorizedException", "UnauthorizedException",
                  "UnsupportedTokenTypeException")  # fmt: skip
        self._calls.public(
            "revoke_token", dict.fromkeys(silent), Token=refresh_token, **self._calls.secret()
        )

    def forgot_password(self, email: str) -> None:
        """Mail a reset code, if there is somebody to mail it to."""
        self._of(email, "forgot_password", _SILENT)

    def reset_password(self, email: str, code: str, password: str) -> None:
        """Set a new password."""
        self._of(email, "confirm_forgot_password", _CODES, ConfirmationCode=code, Password=password)

    def log_out_everywhere(self, email: str) -> str | None:
        """Make every refresh token of an account worthless; whose it is."""
        found = self._calls.admin("admin_get_user", _NOBODY, email)
        self._calls.admin("admin_user_global_sign_out", _NOBODY, email)
        return _subject(found)

    def _of(self, email: str, name: str, errors: Errors, **arguments: Any) -> None:  # noqa: ANN401 - as boto3 has it
        proof = self._calls.proof(email)
        more = {"SecretHash": proof} if proof else {}
        self._calls.public(name, errors, Username=email, **more, **arguments)


def _subject(user: Mapping[str, Any]) -> str | None:
    attributes = {one["Name"]: one.get("Value") for one in user.get("UserAttributes", [])}
    return attributes.get("sub")


def _tokens(answer: Mapping[str, Any]) -> dict[str, str | int]:
    result = answer.get("AuthenticationResult")
    if not result:
        raise InvalidCredentials("This account needs a step that is not offered here.")
    return {"token": result["IdToken"], "expiresIn": result["ExpiresIn"]}
