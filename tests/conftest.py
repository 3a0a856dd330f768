"""What holds for every test: no module begins with what another has left in this process."""

import boto3
import pytest

from chalicelib import wiring
from chalicelib.gateways import aws


def forget():
    """Let the next call wire everything anew, from the environment as it is then."""
    for factory in vars(wiring).values():
        if hasattr(factory, "cache_clear"):
            factory.cache_clear()
    aws.session.cache_clear()
    boto3.DEFAULT_SESSION = None


@pytest.fixture(scope="module", autouse=True)
def nothing_from_another_module():
    """Settings and clients are kept for as long as a process lives: not over modules.

    And what a module's tests put into `wiring` is out of it again when it is over.
    """
    before = dict(vars(wiring))
    forget()
    yield
    forget()
    left = [name for name, value in vars(wiring).items() if before.get(name) is not value]
    assert not left, f"wiring is not as it was: {', '.join(left)}"
