"""What unit tests share: the shipped catalogue, and records made to order."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import chalicelib
from chalicelib.domain import catalogue_file
from chalicelib.domain.catalogue import Catalogue
from chalicelib.domain.record import Record, User
from chalicelib.domain.subscription import Subscription

NOW = 1_800_000_000
DAY = 24 * 3600


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    """The catalogue as it ships."""
    text = (Path(chalicelib.__file__).parent / "plans.toml").read_text("utf-8")
    return catalogue_file.parse(text)


@pytest.fixture
def record() -> Callable[..., Record]:
    """A maker of records: a customer who has not done anything yet, but for what is given."""
    user = User(issuer="https://issuer.example", subject="u-1", email="ada@example.com")

    def make(**facts: Any) -> Record:
        return Record(tenant_id=user.tenant_id, user=user, **facts)

    return make


@pytest.fixture
def subscription() -> Callable[..., Subscription]:
    """A maker of subscriptions: an active one for Basic, but for what is given."""

    def make(**facts: Any) -> Subscription:
        usual = {
            "id": "sub_1",
            "status": "active",
            "created": NOW - DAY,
            "product_id": "arm-engine-dev-basic",
            "current_period_end": NOW + 29 * DAY,
        }
        return Subscription(**(usual | facts))

    return make
