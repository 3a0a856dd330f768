"""Deploy and destroy, killed after every call that changes something, and run again."""

import json
import os

import pytest

from ops import trimming
from ops.deploying import code
from ops.stages import ROOT
from tests.deployment import dying
from tests.deployment.dying import Calls, Died, Place, StripeHere

EVERY = bool(os.environ.get("EVERY_CALL"))
"""Every step, and every call (`make test-aws`: minutes); else the functions' part, and what makes."""

ELSEWHERE = "us-west-2"


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


UNDER_ANOTHER_NAME = {
    "s3:ListObjectsV2": "s3:ListBucket", "s3:DeleteObjects": "s3:DeleteObject",
}  # fmt: skip
"""What an operation's right is called, where it is not as the operation."""

VERBS = {
    "Get": "GET",
    "Create": "POST",
    "Import": "POST",
    "Put": "PUT",
    "Update": "PATCH",
    "Delete": "DELETE",
}


def right(service, operation):
    """The action that IAM asks for."""
    if service == "apigateway":
        return next(f"apigateway:{v}" for name, v in VERBS.items() if operation.startswith(name))
    name = f"{service}:{operation}"
    return UNDER_ANOTHER_NAME.get(name, name)


def test_a_deployer_may_do_what_a_deploy_and_a_destroy_call(place, clones):
    """Recorded from both, whole; CloudFormation's own calls come on top of these."""
    policy = json.loads((ROOT / "infra/deployer-policy.json").read_text())
    allowed = {action for statement in policy["Statement"] for action in statement["Action"]}
    asked = place.deploy(clones[0]).asked | place.deploy(clones[1]).asked
    asked |= place.destroy(clones[1])[0].asked
    assert {right(*call) for call in asked} - allowed == set()
    assert not [action for action in allowed if "*" in action]


def without_plans(world):
    """Prices at Stripe stay: one that was sold by cannot be removed."""
    return world | {"prices": []}


def test_a_deploy_that_died_survives_a_tidying_up_in_another_region(place, clones):
    """Whatever was made before it died: the destroy there takes nothing, the deploy here ends."""
    mine, colleagues = clones
    calls = place.deploy(mine, every=EVERY).made
    whole = place.world()
    for number in deadly(calls) if EVERY else deadly(calls)[-1:]:
        place.anew()
        with pytest.raises(Died):
            place.deploy(mine, Calls(deadly=number), every=EVERY)
        place.destroy(colleagues, region=ELSEWHERE)
        place.deploy(mine, every=EVERY)
        assert place.world() == whole, f"died after {calls[number - 1]}, call {number}"
    place.destroy(colleagues, region=ELSEWHERE)
    assert place.world() == whole, "a live shop stands, whatever is tidied up elsewhere"
