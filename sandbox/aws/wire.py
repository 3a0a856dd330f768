"""AWS calls as they travel: JSON over POST, the operation in a header."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from io import BytesIO
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from werkzeug.test import run_wsgi_app

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

Body = Mapping[str, Any]

_SERVICES = {
    "DynamoDB_20120810": "dynamodb",
    "AmazonSQS": "sqs",
    "AWSCognitoIdentityProviderService": "cognito-idp",
    "AmazonSSM": "ssm",
}


@dataclass(frozen=True, slots=True)
class Call:
    """One call: `("dynamodb", "PutItem", {...})`, and the request it came in."""

    service: str
    action: str
    body: Body
    raw: bytes
    environ: "WSGIEnvironment"

    @classmethod
    def read(cls, environ: "WSGIEnvironment") -> "Call":
        """Take a request apart; one that is no such call has an empty service."""
        raw = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        prefix, _, action = environ.get("HTTP_X_AMZ_TARGET", "").partition(".")
        try:
            body = json.loads(raw)
        except ValueError:
            body = {}
        service = _SERVICES.get(prefix, "")
        return cls(service, action, body if isinstance(body, dict) else {}, raw, environ)

    def changed(self, **fields: object) -> "Call":
        """The same call with other fields in its body."""
        body = {**self.body, **fields}
        return replace(self, body=body, raw=json.dumps(body).encode())


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back."""

    status: int
    headers: Iterable[tuple[str, str]]
    raw: bytes

    @property
    def ok(self) -> bool:
        """Whether the call did what it was to do."""
        return self.status == 200  # noqa: PLR2004 - HTTP's own word for it

    @property
    def body(self) -> dict[str, Any]:
        """The body as JSON."""
        found = json.loads(self.raw or b"{}")
        return found if isinstance(found, dict) else {}


Handler = Callable[[Call], Answer]


def done(body: Body) -> Answer:
    """A call that worked."""
    return _answer(200, json.dumps(body).encode(), ())


def refused(code: str, message: str, *, status: int = 400, **fields: object) -> Answer:
    """A call that did not work, as the SDK reads it."""
    body = {"__type": code, "message": message, "Message": message, **fields}
    return _answer(status, json.dumps(body).encode(), [("x-amzn-errortype", code)])


def _answer(status: int, raw: bytes, headers: Iterable[tuple[str, str]]) -> Answer:
    always = [("Content-Type", "application/x-amz-json-1.0"), ("x-amzn-RequestId", str(uuid4()))]
    return Answer(status, [*always, *headers], raw)


def through(app: "WSGIApplication") -> Handler:
    """Calls carried to a WSGI application."""

    def handle(call: Call) -> Answer:
        environ = {
            **call.environ,
            "wsgi.input": BytesIO(call.raw),
            "CONTENT_LENGTH": str(len(call.raw)),
        }
        chunks, status, headers = run_wsgi_app(app, environ, buffered=True)
        return Answer(int(status.split()[0]), list(headers), b"".join(chunks))

    return handle
