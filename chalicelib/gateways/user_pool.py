"""The Cognito user pool: no password is ever kept or logged here."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from botocore import UNSIGNED
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.domain.errors import (
    AccountExists,
    InvalidCode,
    InvalidCredentials,
    InvalidRequest,
    NotConfirmed,
    Permanent,
    Temporary,
    TooManyRequests,
    Unauthenticated,
    WeakPassword,
)
from chalicelib.gateways import aws

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient

Errors = Mapping[str, type[Exception] | None]
"""What Cognito's error codes mean for one call; None: nothing is to be said of it."""

_ALWAYS: Errors = {
    "InvalidParameterException": InvalidRequest,
    "InvalidPasswordException": WeakPassword,
    "LimitExceededException": TooManyRequests,
    "TooManyFailedAttemptsException": TooManyRequests,
    "TooManyRequestsException": TooManyRequests,
}
_CODES: Errors = {
    "CodeMismatchException": InvalidCode,
    "ExpiredCodeException": InvalidCode,
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
_FAULTS = frozenset(
    {
        "InternalErrorException",
        "InternalFailure",
        "ServiceUnavailable",
        "ThrottlingException",
        "UnexpectedLambdaException",  # the function that writes the mails did not answer
    }
)


class UserPool:
    """Fits `chalicelib.ports.Accounts`."""

    def __init__(
        self, client_id: str, client: "CognitoIdentityProviderClient | None" = None
    ) -> None:
        self._client_id = client_id
        # These calls are public ones: they are made without anybody's credentials.
        self._client = client or aws.client(
            "cognito-idp", read_timeout=8, attempts=3, signature_version=UNSIGNED
        )

    def sign_up(self, email: str, password: str) -> None:
        """Make an account and mail a code."""
        self._call(
            "sign_up",
            {"UsernameExistsException": AccountExists, "CodeDeliveryFailureException": None},
            Username=email,
            Password=password,
            UserAttributes=[{"Name": "email", "Value": email}],
        )

    def confirm(self, email: str, code: str) -> None:
        """Confirm an address."""
        self._call("confirm_sign_up", _CODES, Username=email, ConfirmationCode=code)

    def resend(self, email: str) -> None:
        """Mail a new code, if there is somebody to mail it to."""
        self._call("resend_confirmation_code", _SILENT, Username=email)

    def log_in(self, email: str, password: str) -> Mapping[str, str | int]:
        """Tokens for the right password."""
        answer = self._call(
            "initiate_auth",
            {
                "NotAuthorizedException": InvalidCredentials,
                "UserNotFoundException": InvalidCredentials,
                "PasswordResetRequiredException": InvalidCredentials,
                "InvalidParameterException": InvalidCredentials,
                "UserNotConfirmedException": NotConfirmed,
            },
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": email, "PASSWORD": password},
        )
        return _tokens(answer) | {"refreshToken": answer["AuthenticationResult"]["RefreshToken"]}

    def refresh(self, refresh_token: str) -> Mapping[str, str | int]:
        """A new ID token."""
        answer = self._call(
            "initiate_auth",
            {
                "NotAuthorizedException": Unauthenticated,
                "UserNotFoundException": Unauthenticated,
                "InvalidParameterException": Unauthenticated,
            },
            AuthFlow="REFRESH_TOKEN_AUTH",
            AuthParameters={"REFRESH_TOKEN": refresh_token},
        )
        return _tokens(answer)

    def forgot_password(self, email: str) -> None:
        """Mail a reset code, if there is somebody to mail it to."""
        self._call("forgot_password", _SILENT, Username=email)

    def reset_password(self, email: str, code: str, password: str) -> None:
        """Set a new password."""
        self._call(
            "confirm_forgot_password",
            _CODES,
            Username=email,
            ConfirmationCode=code,
            Password=password,
        )

    def _call(self, name: str, errors: Errors, **arguments: Any) -> dict[str, Any]:  # noqa: ANN401 - as boto3 has it
        try:
            answer: dict[str, Any] = getattr(self._client, name)(
                ClientId=self._client_id, **arguments
            )
        except ClientError as e:
            meaning = {**_ALWAYS, **errors}
            code = e.response.get("Error", {}).get("Code", "")
            if code in meaning:
                refusal = meaning[code]
                if refusal is None:
                    return {}
                raise refusal from e
            if code in _FAULTS:
                raise Temporary(f"the user pool fails on {name}: {code}") from e
            raise Permanent(f"the user pool refuses {name}: {code}") from e
        except BotoCoreError as e:
            raise Temporary(f"the user pool does not answer {name}: {type(e).__name__}") from e
        return answer


def _tokens(answer: Mapping[str, Any]) -> dict[str, str | int]:
    result = answer.get("AuthenticationResult")
    if not result:
        raise InvalidCredentials("This account needs a step that is not offered here.")
    return {"token": result["IdToken"], "expiresIn": result["ExpiresIn"]}
