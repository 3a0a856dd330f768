"""AWS clients, made for a cold start: botocore itself, and of its data only what is called here.

boto3 would add its own import, resources and a second parse of everything, and give the same
clients. `chalicelib/aws` is botocore's own data, cut down by `python -m ops.aws_models`; what is
not in it (a service, a paginator, an endpoint's rules) is read from botocore as ever.
"""

from functools import cache
from pathlib import Path
from typing import Any

from botocore.config import Config
from botocore.loaders import Loader
from botocore.session import Session

DATA = Path(__file__).parents[1] / "aws"
ROOTS = DATA / "roots.pem"
"""The authority that signs for AWS: a TLS context with a hundred others takes longer to fill than
the handshake. `AWS_CA_BUNDLE` goes before it, for a proxy, or a partition with other certificates.
"""


@cache
def session() -> Session:
    """One for all clients: they share the credentials and the data once read."""
    made = Session()
    made.register_component("data_loader", Loader(extra_search_paths=[str(DATA)]))
    return made


def client(service: str, *, read_timeout: float = 5, attempts: int = 4, **more: Any) -> Any:  # noqa: ANN401 - each service has its own type
    """A client that gives up in time: 2 s to connect, `read_timeout` s for an answer."""
    ours = session()
    return ours.create_client(
        service,
        verify=ours.get_config_variable("ca_bundle") or str(ROOTS),
        config=Config(
            connect_timeout=2,
            read_timeout=read_timeout,
            retries={"mode": "standard", "total_max_attempts": attempts},
            **more,
        ),
    )
