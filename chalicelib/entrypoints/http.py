"""Between HTTP and the domain: bodies in, errors out, and who is signed in."""

import functools
import json
import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from chalice.app import Blueprint, Request, Response

from chalicelib import correlation, wiring
from chalicelib.domain import errors
from chalicelib.domain.texts import is_storable
from chalicelib.entrypoints.logs import say

if TYPE_CHECKING:
    from chalicelib.domain.record import User

MAX_BODY = 256 * 1024
"""Bytes; Stripe's largest events are far below it."""

ANY_TYPE = ["*/*"]
"""Bodies are judged by what they are, not by what they are called; a GET has none to judge."""

_STATUS: Mapping[str, int] = {
    errors.Unauthenticated.code: 401,
    errors.InvalidCredentials.code: 401,
    errors.NotFound.code: 404,
    errors.AlreadySubscribed.code: 409,
    errors.PaymentProcessing.code: 409,
    errors.TenantBeingRemoved.code: 409,
    errors.WorkspaceHeld.code: 409,
    errors.PaymentDisputed.code: 409,
    errors.OtherCurrency.code: 409,
    errors.FreeUsed.code: 409,
    errors.FreeFull.code: 409,
    errors.NothingToStop.code: 409,
    errors.NoCustomer.code: 409,
    errors.TooLarge.code: 413,
    errors.UnsupportedMediaType.code: 415,
    errors.TooManyRequests.code: 429,
    errors.WebhookDisabled.code: 503,
    errors.UpstreamUnavailable.code: 503,
}
_CHALICES: Mapping[int, str] = {
    404: "not_found",
    405: "method_not_allowed",
    415: errors.UnsupportedMediaType.code,
}
_BAD_REQUEST = 400
_BAD_GATEWAY = 502
_SERVER_ERROR = 500
Headers = dict[str, str | list[str]]
_NO_STORE: Headers = {"Cache-Control": "no-store"}


def answers(blueprint: Blueprint) -> Callable[[Callable[..., Any]], Callable[..., Response]]:
    """Turn what a view returns, or raises, into an answer in the contract's form."""

    def decorate(view: Callable[..., Any]) -> Callable[..., Response]:
        @functools.wraps(view)
        def wrapped(**path: str) -> Response:
            request_id = request_id_of(blueprint.current_request)
            with correlation.about(request_id=request_id):
                return _answer(view, path, request_id)

        return wrapped

    return decorate


def _answer(view: Callable[..., Any], path: Mapping[str, str], request_id: str) -> Response:
    try:
        answer = view(**path)
    except errors.Refusal as e:
        return _refused(e, request_id)
    except errors.Temporary as e:
        say("unavailable", level=logging.WARNING, reason=str(e))
        return _refused(errors.UpstreamUnavailable(), request_id)
    except (errors.Permanent, errors.Misconfigured) as e:
        say("broken", level=logging.ERROR, reason=str(e))
        return _refused(errors.UpstreamUnavailable(), request_id, status=_BAD_GATEWAY)
    except Exception:  # noqa: BLE001 - the last resort, logged whole
        # A bug must not show its insides, nor pass in silence.
        say("bug", level=logging.ERROR, exc_info=True)
        return error(_SERVER_ERROR, "internal_error", "Something went wrong.", request_id)
    return answer if isinstance(answer, Response) else Response(answer, headers=_NO_STORE)


def error(status: int, code: str, message: str, request_id: str) -> Response:
    """An error in the contract's form; the message can be shown to a customer."""
    body = {"error": {"code": code, "message": message, "requestId": request_id}}
    return Response(body, status_code=status, headers=_NO_STORE)


def _refused(refusal: errors.Refusal, request_id: str, status: int | None = None) -> Response:
    status = status or _STATUS.get(refusal.code, _BAD_REQUEST)
    say("refused", code=refusal.code, status=status)
    answer = error(status, refusal.code, str(refusal), request_id)
    if isinstance(refusal, errors.TooManyRequests) and refusal.retry_after is not None:
        answer.headers["Retry-After"] = str(refusal.retry_after)
    return answer


def accepted(body: Any) -> Response:  # noqa: ANN401 - any JSON
    """202: it is under way."""
    return Response(body, status_code=202, headers=_NO_STORE)


def done() -> Response:
    """204: it is done, and there is nothing to say."""
    return Response("", status_code=204, headers={"Content-Type": "text/plain", **_NO_STORE})


def request_id_of(request: Request) -> str:
    """API Gateway's id of a request."""
    context = request.context or {}
    return str(context.get("requestId") or uuid4())


def raw_body(request: Request) -> bytes:
    """The exact bytes.

    Raises:
        InvalidRequest: it is said to be base64 and is not, or cannot be bytes at all.
        TooLarge: more than 256 KiB.
    """
    try:
        raw = request.raw_body or b""
        body = raw.encode() if isinstance(raw, str) else raw
    except ValueError as e:
        raise errors.InvalidRequest("The body cannot be read.") from e
    if len(body) > MAX_BODY:
        raise errors.TooLarge
    return body


def texts(request: Request, *names: str) -> list[str]:
    """The body's fields: a JSON object with exactly these, all of them texts that say something.

    Raises:
        InvalidRequest: it is anything else; the message names the field.
        TooLarge: more than 256 KiB.
    """
    body = some_texts(request, *names)
    return [body[name] for name in names]


def some_texts(request: Request, *names: str, optional: tuple[str, ...] = ()) -> dict[str, str]:
    """The same where some fields may be left out."""
    try:
        body = json.loads(raw_body(request).decode())
    except (ValueError, RecursionError) as e:
        raise errors.InvalidRequest("The body must be JSON.") from e
    if not isinstance(body, dict):
        raise errors.InvalidRequest("The body must be a JSON object.")
    known = (*names, *optional)
    for name in (*names, *(one for one in optional if one in body)):
        value = body.get(name)
        if not isinstance(value, str) or not value.strip() or not is_storable(value):
            raise errors.InvalidRequest(f"The field {name} must be a text.")
    if not body.keys() <= set(known):
        raise errors.InvalidRequest(f"Only these fields are known: {', '.join(known)}.")
    return body


def json_only(request: Request) -> Request:
    """The request, if its body says that it is JSON.

    A page of another site can have a browser send `text/plain`, a form or nothing said at all
    without asking first; JSON it cannot. Where no token protects a route, this does.

    Raises:
        UnsupportedMediaType: it says anything else, or nothing.
    """
    said = str(request.headers.get("content-type", "")).partition(";")[0]
    if said.strip().lower() != "application/json":
        raise errors.UnsupportedMediaType
    return request


def signed_in(request: Request) -> "User":
    """Who asks, by the bearer token.

    Raises:
        Unauthenticated: there is none, or it does not hold.
        Temporary: it cannot be told.
    """
    scheme, _, token = str(request.headers.get("authorization", "")).partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise errors.Unauthenticated
    user = wiring.tokens().user(token.strip())
    correlation.learn(tenant=user.tenant_id)
    return user


def in_contract_form(request: Request, get_response: Callable[[Request], Response]) -> Response:
    """What Chalice itself answers (an unknown method, a bug in between) takes our form too."""
    response = get_response(request)
    body = response.body
    if response.status_code < _BAD_REQUEST or (isinstance(body, dict) and "error" in body):
        return response
    code = _CHALICES.get(response.status_code, "internal_error")
    message = "This is not how this address is used."
    if response.status_code >= _SERVER_ERROR:
        message = "Something went wrong."
    shaped = error(response.status_code, code, message, request_id_of(request))
    return Response(
        shaped.body, status_code=response.status_code, headers={**response.headers, **_NO_STORE}
    )
