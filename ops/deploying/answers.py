"""What API Gateway itself answers, in the contract's form: our functions never see these."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from chalicelib.domain import errors


@dataclass(frozen=True, slots=True)
class Answer:
    """A refusal's words; None: whatever status API Gateway has for it."""

    refusal: type[errors.Refusal]
    status: int | None = None


ANSWERS: Mapping[str, Answer] = {
    "DEFAULT_4XX": Answer(errors.InvalidRequest),
    "DEFAULT_5XX": Answer(errors.UpstreamUnavailable),
    # Its 403 for an address, or a method, that there is none of.
    "MISSING_AUTHENTICATION_TOKEN": Answer(errors.NotFound, 404),
    "REQUEST_TOO_LARGE": Answer(errors.TooLarge, 413),
    "THROTTLED": Answer(errors.TooManyRequests, 429),
}
"""By API Gateway's name of a kind."""


def missing(there: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What has to be put, of what API Gateway says it has; pure."""
    found = {response["responseType"]: response for response in there}
    return [
        wanted
        for kind, answer in ANSWERS.items()
        if _differs(wanted := _response(kind, answer), found.get(kind, {}))
    ]


def _response(kind: str, answer: Answer) -> dict[str, Any]:
    error = {
        "code": answer.refusal.code,
        "message": str(answer.refusal()),
        "requestId": "$context.requestId",
    }
    response = {
        "responseType": kind,
        "responseParameters": {"gatewayresponse.header.Cache-Control": "'no-store'"},
        "responseTemplates": {"application/json": json.dumps({"error": error})},
    }
    return response | ({"statusCode": str(answer.status)} if answer.status else {})


def _differs(wanted: Mapping[str, Any], there: Mapping[str, Any]) -> bool:
    return any(there.get(key) != value for key, value in wanted.items())
