"""What an API server's refusal means: will it ever work, soon, or right after something short?"""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from chalicelib.domain.errors import Changed, DomainError, Permanent, Temporary, Waiting
from chalicelib.gateways.kubernetes_http import Answer

_PERMANENT = {
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.METHOD_NOT_ALLOWED,
    HTTPStatus.CONFLICT,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
}

_TOO_LARGE = re.compile(r"request is too large|message larger than max", re.IGNORECASE)
"""What the store behind an API server says of an object that it will never take."""


class OthersFields(Permanent):
    """An apply would change fields that somebody else has set."""


_SECRET = re.compile(r"\w+ Secret ")
_LONGEST_REASON = 40
"""Characters; Kubernetes' own are single words."""


def error(what: str, answer: Answer) -> DomainError:
    """The error to raise for an answer that is none of those hoped for.

    Args:
        what: verb, kind and name. Of a Secret nothing is quoted: a refusal may hold its value.
        answer: what the API server said.
    """
    body = answer.body
    message = str(body.get("message", ""))
    said = (
        f"{what}: HTTP {answer.status} {_withheld(body) if _SECRET.match(what) else message[:300]}"
    )
    causes = {c.get("reason") for c in (body.get("details") or {}).get("causes") or []}
    if "NamespaceTerminating" in causes or "status unknown for quota" in message:
        return Waiting(said)  # the quota is new, and its controller has not counted yet
    if _is_too_large(answer):
        return Permanent(said)
    if exceeds_quota(answer):
        return Temporary(said)  # the tenant has filled it, and may make room
    if answer.status == HTTPStatus.CONFLICT:
        return OthersFields(said) if "FieldManagerConflict" in causes else Changed(said)
    if answer.status == HTTPStatus.INTERNAL_SERVER_ERROR and body.get("kind") == "Status":
        # A refused apply (a bad quantity, an unknown field) comes as a 500 without a reason, and
        # so does a store behind the API server that elects a new leader.
        passing = body.get("reason") or answer.tells_of_passing_trouble
        return Temporary(said) if passing else Permanent(said)
    return Permanent(said) if answer.status in _PERMANENT else Temporary(said)


def exceeds_quota(answer: Answer) -> bool:
    """Whether an object was refused because the tenant has filled a quota."""
    message = str(answer.body.get("message", ""))
    return answer.status == HTTPStatus.FORBIDDEN and "exceeded quota" in message


def _is_too_large(answer: Answer) -> bool:
    """Whether an object is larger than will ever be stored; etcd says so as it says of outages."""
    if answer.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return True
    message = str(answer.body.get("message", ""))
    return answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR and bool(_TOO_LARGE.search(message))


def scaled_by_others(answer: Answer) -> bool:
    """Whether all that an apply would change is a size that an autoscaler, say, has set."""
    if answer.status != HTTPStatus.CONFLICT:
        return False
    causes = (answer.body.get("details") or {}).get("causes") or []
    return bool(causes) and all(
        cause.get("field") == ".spec.replicas"
        and 'subresource "scale"' in str(cause.get("message"))
        for cause in causes
    )


def _withheld(body: Mapping[str, Any]) -> str:
    reason = str(body.get("reason") or "")
    word = f"{reason}, " if reason.isalpha() and len(reason) <= _LONGEST_REASON else ""
    return (
        f"{word}details withheld, since they may hold its value: apply it by hand with "
        "`kubectl apply --server-side --dry-run=server`, or look into the API server's log"
    )


def conflicting_fields(answer: Answer) -> list[str]:
    """The fields of a refused apply that somebody else has set, as `.spec.replicas`."""
    if answer.status != HTTPStatus.CONFLICT:
        return []
    causes = (answer.body.get("details") or {}).get("causes") or []
    return [
        str(cause.get("field")) for cause in causes if cause.get("reason") == "FieldManagerConflict"
    ]


def is_held_by_finalizers(namespace: Mapping[str, Any]) -> bool:
    """Whether a namespace that goes says that finalizers hold what is in it."""
    conditions = (namespace.get("status") or {}).get("conditions") or []
    return any(
        c.get("type") == "NamespaceFinalizersRemaining" and c.get("status") == "True"
        for c in conditions
    )


def why_stuck(namespace: Mapping[str, Any]) -> str:
    """Why a namespace does not go, in the words of its conditions; empty if nothing is wrong."""
    conditions = namespace.get("status", {}).get("conditions") or []
    reasons = [
        f"{c.get('reason')}: {str(c.get('message'))[:200]}"
        for c in conditions
        if c.get("status") == "True"
    ]
    return f" ({'; '.join(reasons)})" if reasons else ""
