"""A world of its own for each test: AWS by moto, Stripe and Kubernetes by the stand-ins."""

import pytest

from chalicelib import wiring
from tests.contract.conftest import api, aws, settings, token  # noqa: F401 - the same fixtures
from tests.contract.stripe.judged import Judged
from tests.life.world import World


@pytest.fixture
def catalogue():
    """What is sold; a test that sells otherwise has a fixture of its own."""
    return wiring.catalogue()


@pytest.fixture
def world(api, aws, catalogue, monkeypatch):  # noqa: F811 - fixtures
    """Everything, at rest, with the catalogue pushed; at its end nothing is pending."""
    made = World(api, aws, catalogue, Judged)
    # By the fixture's own stack: a test that patches the same name is undone before us.
    monkeypatch.setattr(wiring, "catalogue", lambda: catalogue)
    monkeypatch.setattr(wiring, "payments", lambda: made.payments)
    monkeypatch.setattr(wiring, "cluster", made.gateway)
    monkeypatch.setattr(wiring, "clock", lambda: made.now)
    monkeypatch.setattr(wiring, "AUDITED_PER_SECOND", 10**9)
    return made


@pytest.fixture
def ada(world):
    """A customer."""
    return world.customer("ada")


@pytest.fixture
def agreed(world):
    """The three-way check: Stripe's, the record's and the cluster's own word are one."""

    def check():
        world.advance(600 if wiring.audit().run().pending else 0)  # what waits for a back-off
        report = wiring.audit().run()
        assert [f"{f.kind}: {f.text}" for f in report.findings] == []
        assert report.pending == 0

    return check
