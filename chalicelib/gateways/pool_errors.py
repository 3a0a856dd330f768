"""What Cognito's failures mean to whoever calls a user pool, by the names the domain has."""

from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.domain.errors import Permanent, Temporary

Errors = Mapping[str, type[Exception] | None]
"""What Cognito's error codes mean for one call; None: nothing is to be said of it."""

FAULTS = frozenset(
    {
        "InternalErrorException",
        "InternalFailure",
        "ServiceUnavailable",
        "ThrottlingException",
        "TooManyRequestsException",
        "UnexpectedLambdaException",  # the function that writes the mails did not answer
    }
)


def asked(name: str, request: Callable[[], Any], errors: Errors) -> dict[str, Any]:
    """One call; `{}` where nothing is to be said of its failure.

    Raises:
        Temporary, Permanent: it does not answer, or fails; it refuses. And what `errors` names.
    """
    try:
        return dict(request())
    except ClientError as e:
        code = e.response.get("Error", {}).get("Code", "")
        if code in errors:
            refusal = errors[code]
            if refusal is None:
                return {}
            raise refusal from e
        if code in FAULTS:
            raise Temporary(f"the user pool fails on {name}: {code}") from e
        raise Permanent(f"the user pool refuses {name}: {code}") from e
    except BotoCoreError as e:
        raise Temporary(f"the user pool does not answer {name}: {type(e).__name__}") from e
