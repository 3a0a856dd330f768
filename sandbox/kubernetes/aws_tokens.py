"""EKS's bearer tokens, checked as its authenticator and STS do between them.

A token is a presigned GetCallerIdentity. The authenticator looks at its form and calls it; STS
looks at the signature. Here both is done at once, by Signature Version 4 as AWS documents it.
"""

import hashlib
import hmac
from base64 import urlsafe_b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qsl, quote, urlsplit

from sandbox.kubernetes.authorization import User

PREFIX = "k8s-aws-v1."
GOOD_FOR = 15 * 60
"""Seconds from the signature."""

_LONGEST = 900
_PARAMETERS = {
    "action", "version", "x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-expires",
    "x-amz-security-token", "x-amz-signature", "x-amz-signedheaders", "x-amz-user-agent",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Authenticator:
    """Knows the cluster's name, the keys that there are, and whose they are.

    Attributes:
        keys: secret key and user, by access key id.
    """

    cluster: str
    keys: Mapping[str, tuple[str, User]]
    clock: Callable[[], float]

    def __call__(self, token: str) -> User | None:
        """Whose token it is; None if it is not one, or not a good one."""
        if not token.startswith(PREFIX):
            return None
        text = token.removeprefix(PREFIX)
        try:
            url = urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
        except ValueError:
            return None
        return self._caller(url) if "=" not in text else None

    def _caller(self, url: str) -> User | None:
        parts = urlsplit(url)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        lowered = {name.lower(): value for name, value in query.items()}
        if not self._well_formed(parts.scheme, parts.netloc, parts.path, lowered):
            return None
        key, day, region, *rest = lowered["x-amz-credential"].split("/")
        known = self.keys.get(key)
        if known is None or rest != ["sts", "aws4_request"] or f".{region}." not in parts.netloc:
            return None
        signed = _signature(query, parts.netloc, self.cluster, (known[0], day, region))
        return known[1] if hmac.compare_digest(signed, lowered["x-amz-signature"]) else None

    def _well_formed(self, scheme: str, host: str, path: str, query: Mapping[str, str]) -> bool:
        signed_headers = set(query.get("x-amz-signedheaders", "").split(";"))
        expires = query.get("x-amz-expires", "")
        return (
            scheme == "https"
            and host.startswith("sts.")
            and host.endswith((".amazonaws.com", ".amazonaws.com.cn"))
            and path == "/"
            and query.keys() <= _PARAMETERS
            and query.get("action") == "GetCallerIdentity"
            and query.get("version") == "2011-06-15"
            and query.get("x-amz-algorithm") == "AWS4-HMAC-SHA256"
            and signed_headers == {"host", "x-k8s-aws-id"}
            and expires.isdecimal()
            and 0 < int(expires) <= _LONGEST
            and self._fresh(query.get("x-amz-date", ""))
            and query.get("x-amz-credential", "").count("/") == 4  # noqa: PLR2004 - its parts
        )

    def _fresh(self, date: str) -> bool:
        try:
            signed = datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
        except ValueError:
            return False
        return -GOOD_FOR <= self.clock() - signed < GOOD_FOR


def _signature(
    query: Mapping[str, str], host: str, cluster: str, scope: tuple[str, str, str]
) -> str:
    """What the URL's signature has to be, for a secret key, a day and a region."""
    secret, day, region = scope
    listed = "&".join(
        f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}"
        for name, value in sorted(query.items())
        if name != "X-Amz-Signature"
    )
    headers = f"host:{host}\nx-k8s-aws-id:{cluster}\n"
    nothing = hashlib.sha256(b"").hexdigest()
    request = f"GET\n/\n{listed}\n{headers}\nhost;x-k8s-aws-id\n{nothing}"
    where = f"{day}/{region}/sts/aws4_request"
    digest = hashlib.sha256(request.encode()).hexdigest()
    text = f"AWS4-HMAC-SHA256\n{query['X-Amz-Date']}\n{where}\n{digest}"
    key = f"AWS4{secret}".encode()
    for part in (day, region, "sts", "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
