"""Deploy and destroy, killed after every call that changes something, and run again."""

import os

import pytest

from ops import trimming
from ops.deploying import code
from tests.deployment import dying
from tests.deployment.dying import Calls, Died, Place, StripeHere

EVERY = bool(os.environ.get("EVERY_CALL"))
"""Every step, and every call (`make test-aws`: minutes); else the functions' part, and what makes."""


@pytest.fixture(scope="module")
def stripe_here(tmp_path_factory):
    """Stripe, empty whenever it is asked to be."""
    here = StripeHere(tmp_path_factory.mktemp("stripe"))
    yield here
    here.stop()


@pytest.fixture
def place(shop, aws, stripe_here, as_moto_knows, monkeypatch):
    """Nothing is there yet."""
    assert as_moto_knows is None
    monkeypatch.setattr(code, "chalice", dying.chalice)
    monkeypatch.setattr(trimming, "prepare", lambda *_: None)
    made = Place(shop, stripe_here, aws.url)
    made.anew()
    return made


@pytest.fixture
def clones(clone):
    """Somebody's, and a colleague's."""
    return clone(), clone()


def deadly(made):
    """After which calls to die; of several of a kind in a row the first and the last."""
    found = dying.ends(made)
    return found if EVERY else dying.makers(made, found)


def test_a_deploy_that_dies_after_any_call_is_finished_by_a_colleague(place, clones):
    """From another clone, which has never deployed: as if nobody had died."""
    mine, colleagues = clones
    calls = place.deploy(mine, every=EVERY).made
    whole = place.world()
    for number in deadly(calls):
        place.anew()
        with pytest.raises(Died):
            place.deploy(mine, Calls(deadly=number), every=EVERY)
        place.deploy(colleagues, every=EVERY)
        assert place.world() == whole, f"died after {calls[number - 1]}, call {number}"


def test_a_destroy_that_dies_after_any_call_is_finished_by_a_colleague(place, clones):
    """With the data: nothing is left, and it is said only then."""
    mine, colleagues = clones
    nothing = place.world()
    place.deploy(mine, every=EVERY)
    made, lines = place.destroy(mine)
    assert lines[-1] == "nothing of arm-engine-dev is left in AWS"
    assert without_plans(place.world()) == nothing
    for number in dying.ends(made.made) if EVERY else removals(made.made):
        place.anew()
        place.deploy(mine, every=EVERY)
        with pytest.raises(Died):
            place.destroy(mine, Calls(deadly=number))
        _, lines = place.destroy(colleagues)
        assert lines[-1] == "nothing of arm-engine-dev is left in AWS"
        assert without_plans(place.world()) == nothing, f"died after {made.made[number - 1]}"


def removals(made):
    """A function, and what comes last."""
    return [made.index("lambda DeleteFunction") + 1, len(made) - 1]


def without_plans(world):
    """Prices at Stripe stay: one that was sold by cannot be removed."""
    return world | {"prices": []}
