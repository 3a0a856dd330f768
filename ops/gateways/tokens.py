"""Short-lived tokens of a tenant's service account, by the API server's own TokenRequest."""

from dataclasses import dataclass
from http import HTTPStatus

from chalicelib.domain.errors import Permanent, Temporary
from chalicelib.gateways.kubernetes_http import KubernetesHttp


@dataclass(frozen=True, slots=True)
class ServiceAccountToken:
    """A token; `expires` is the API server's own time, in RFC 3339: it may give less than asked."""

    token: str
    expires: str


def request_token(
    http: KubernetesHttp, namespace: str, account: str, seconds: int
) -> ServiceAccountToken:
    """A token of that account, bound to nothing but its time.

    Raises:
        Permanent: there is no such account, or whoever asks may not (they need `create` on
            `serviceaccounts/token`, which the worker does not have).
        Temporary: no answer.
    """
    answer = http.request(
        "POST",
        f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token",
        body={
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"expirationSeconds": seconds},
        },
    )
    if answer.status != HTTPStatus.CREATED:
        said = f"{namespace}: no token: HTTP {answer.status} {answer.body.get('message', '')}"
        lasting = HTTPStatus.BAD_REQUEST <= answer.status < HTTPStatus.INTERNAL_SERVER_ERROR
        raise (Permanent if lasting else Temporary)(said)
    status = answer.body["status"]
    return ServiceAccountToken(str(status["token"]), str(status["expirationTimestamp"]))
