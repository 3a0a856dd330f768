"""The way into an EKS cluster: where it is by DescribeCluster, who we are by a presigned call."""

import base64
import time
from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING, Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError
from botocore.model import ServiceId
from botocore.signers import RequestSigner

from chalicelib.domain.errors import Temporary
from chalicelib.gateways import aws
from chalicelib.gateways.kubernetes_http import Access

if TYPE_CHECKING:
    from botocore.session import Session

CLUSTER_LASTS = 15 * 60
"""Seconds after which endpoint and authority are asked for again; they hardly ever change."""

TOKEN_LASTS = 10 * 60
"""Seconds after which a token is made anew. EKS takes one for 15 minutes from its signature."""

_PREFIX = "k8s-aws-v1."
_SIGNED_FOR = 60
"""`X-Amz-Expires`, as EKS's own clients sign; the 15 minutes do not depend on it."""


class EksAccess:
    """An `AccessProvider`: asked before every request, it asks AWS only for what has run out."""

    def __init__(
        self,
        cluster_name: str,
        *,
        session: "Session | None" = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._name = cluster_name
        self._session = session or aws.session(of_our_data=True)
        self._clock = clock
        self._lock = Lock()
        self._client: Any = None
        self._where: tuple[str, str] = ("", "")
        self._where_until = 0.0
        self._token = ""
        self._token_until = 0.0

    def __call__(self) -> Access:
        """Server, authority and a token that is good for minutes.

        Raises:
            Temporary: AWS does not tell. It concerns every tenant, and heals for all of them.
        """
        with self._lock:
            now = self._clock()
            try:
                if now >= self._where_until:
                    self._where = self._described()
                    self._where_until = now + CLUSTER_LASTS
                if now >= self._token_until:
                    self._token = self._signed()
                    self._token_until = now + TOKEN_LASTS
            except (BotoCoreError, ClientError) as e:
                raise Temporary(f"EKS cluster {self._name} cannot be reached: {e}") from e
            server, ca = self._where
            return Access(server, ca, self._token)

    def _described(self) -> tuple[str, str]:
        if self._client is None:
            config = Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 3})
            self._client = self._session.create_client("eks", config=config)
        cluster = self._client.describe_cluster(name=self._name)["cluster"]
        endpoint = cluster.get("endpoint")
        authority = (cluster.get("certificateAuthority") or {}).get("data")
        if not endpoint or not authority:
            raise Temporary(f"EKS cluster {self._name} is {cluster.get('status')}: no endpoint yet")
        return endpoint.rstrip("/"), base64.b64decode(authority).decode()

    def _signed(self) -> str:
        region = self._session.get_config_variable("region")
        in_china = self._session.get_partition_for_region(region) == "aws-cn"
        host = f"sts.{region}.amazonaws.com{'.cn' if in_china else ''}"
        credentials = self._session.get_credentials()
        if credentials is None:
            raise NoCredentialsError
        signer = RequestSigner(
            ServiceId("STS"),
            region,
            "sts",
            "v4",
            credentials,
            self._session.get_component("event_emitter"),
        )
        url = signer.generate_presigned_url(
            {
                "method": "GET",
                "url": f"https://{host}/?Action=GetCallerIdentity&Version=2011-06-15",
                "body": {},
                "headers": {"x-k8s-aws-id": self._name},
                "context": {},
            },
            operation_name="GetCallerIdentity",
            expires_in=_SIGNED_FOR,
            region_name=region,
        )
        return _PREFIX + base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")
