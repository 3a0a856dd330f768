"""AWS clients, made for a cold start: botocore itself, and of its data only what is called here.

boto3 would add its own import, and give the same clients. `chalicelib/aws` is botocore's own data,
cut down by `python -m ops.aws_models`; a service that is not in it is read from botocore as ever.
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
def session(*, of_our_data: bool = False) -> Session:
    """One for all clients of a kind: they share the credentials and the data once read."""
    made = Session()
    if of_our_data:
        loader = Loader(extra_search_paths=[str(DATA)], include_default_search_paths=False)
        made.register_component("data_loader", loader)
    return made


def client(service: str, *, read_timeout: float = 5, attempts: int = 4, **more: Any) -> Any:  # noqa: ANN401 - each service has its own type
    """A client that gives up in time: 2 s to connect, `read_timeout` s for an answer."""
    ours = session(of_our_data=(DATA / service).is_dir())
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
