"""Pages of a list: `limit`, and `continue` with the token that the page before gave."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence

from sandbox.kubernetes import statuses
from sandbox.kubernetes.kinds import Object
from sandbox.kubernetes.requests import Request


def page(request: Request, found: Sequence[Object], version: int) -> tuple[list[Object], Object]:
    """The objects of one page, and the list's metadata.

    Pages are of the moment they are asked for, in the order of namespace and name.

    Raises:
        Refusal: 400 for a limit or a token that is none.
    """
    given = request.query.get("limit") or "0"
    if not given.isdecimal():
        raise statuses.bad_request(f'strconv.ParseInt: parsing "{given}": invalid syntax')
    limit, after = int(given), _after(request.query.get("continue", ""))
    left = [obj for obj in found if after is None or _place(obj) > after]
    metadata: Object = {"resourceVersion": str(version)}
    if not limit or len(left) <= limit:
        return left, metadata
    token = json.dumps({"v": "meta.k8s.io/v1", "rv": version, "start": _place(left[limit - 1])})
    metadata["continue"] = urlsafe_b64encode(token.encode()).decode().rstrip("=")
    if not (request.query.get("labelSelector") or request.query.get("fieldSelector")):
        metadata["remainingItemCount"] = len(left) - limit
    return left[:limit], metadata


def _place(obj: Object) -> list[str]:
    return [obj["metadata"].get("namespace", ""), obj["metadata"]["name"]]


def _after(token: str) -> list[str] | None:
    if not token:
        return None
    try:
        start = json.loads(urlsafe_b64decode(token + "=" * (-len(token) % 4)))["start"]
        return [str(start[0]), str(start[1])]
    except (ValueError, KeyError, IndexError, TypeError) as e:
        raise statuses.bad_request("continue key is not valid: it was not given here") from e
