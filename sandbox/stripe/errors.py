"""What Stripe refuses, in Stripe's own shape."""

from typing import Any

BAD_REQUEST, NOT_FOUND, CONFLICT, SERVER_ERROR, UNAVAILABLE = 400, 404, 409, 500, 503


class Refusal(Exception):
    """An answer that is an error; it never happened as far as the ledger is concerned.

    Attributes:
        executed: whether the call got as far as being executed. Only then does Stripe keep the
            answer for the idempotency key.
    """

    def __init__(  # noqa: PLR0913 - the fields of Stripe's error object
        self,
        message: str,
        *,
        status: int = BAD_REQUEST,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        executed: bool = True,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.kind = kind
        self.code = code
        self.param = param
        self.executed = executed

    def body(self) -> dict[str, Any]:
        """The JSON of the answer."""
        error = {"message": self.message, "type": self.kind}
        if self.code:
            error["code"] = self.code
            error["doc_url"] = f"https://docs.stripe.com/error-codes/{self.code.replace('_', '-')}"
        if self.param:
            error["param"] = self.param
        return {"error": error}


def missing(kind: str, object_id: str, param: str, status: int = BAD_REQUEST) -> Refusal:
    """404 for what the path names, 400 for what a parameter names."""
    return Refusal(
        f"No such {kind}: '{object_id}'", status=status, code="resource_missing", param=param
    )


def malformed(message: str, param: str, code: str | None = None) -> Refusal:
    """Parameters that were never looked at any further."""
    return Refusal(message, code=code, param=param, executed=False)
