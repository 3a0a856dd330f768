"""An account that is deleted in the user pool, while what it bought goes on."""

import json

import boto3
import pytest
from botocore.stub import Stubber
from click.testing import CliRunner

from chalicelib import wiring
from chalicelib.domain.errors import Permanent, Temporary
from chalicelib.gateways.pool_subjects import PoolSubjects
from chalicelib.services.departed import DepartedPayers
from ops.cli import ops
from ops.commands import common
from ops.operating.finding import NotFound, find
from tests.contract.known import ISSUER
from tests.life.operating import accounts, desk  # noqa: F401 - fixtures

EMAIL = "ada@example.com"


@pytest.fixture
def gone(world, accounts):  # noqa: F811 - a fixture
    """What the audit asks: who pays and has no account."""
    pool = PoolSubjects(accounts.pool_id, accounts.cognito)

    def look(*customers):
        payers = DepartedPayers(pool=pool, issuer=ISSUER)
        return {d.tenant_id: d.text for d in payers.among(c.record for c in customers)}

    return look


def test_who_is_charged_and_cannot_sign_in_is_told(world, accounts, gone):  # noqa: F811
    """By the subscription's id and status; whoever has an account, or pays nothing, is not."""
    ada = world.customer(accounts.add(EMAIL), email=EMAIL)
    eve = world.customer(accounts.add("eve@example.com"))
    free = world.customer(accounts.add("free@example.com"))
    ada.buy()
    eve.buy()
    free.call("POST", "start-free")
    assert gone(ada, eve, free) == {}
    accounts.delete(EMAIL)
    accounts.delete("free@example.com")
    (told,) = gone(ada, eve, free).items()
    assert told[0] == ada.tenant_id
    assert f"{ada.subscription['id']} is active, and the account it belongs to is gone" in told[1]
    ada.portal("cancel")
    assert "to end with its period" in gone(ada)[ada.tenant_id]


def test_another_issuers_people_are_not_looked_for(world, accounts):  # noqa: F811
    """They are in no pool of ours."""
    ada = world.customer("ada")
    ada.buy()
    pool = PoolSubjects(accounts.pool_id, accounts.cognito)
    elsewhere = DepartedPayers(pool=pool, issuer="https://elsewhere.example")
    assert list(elsewhere.among([ada.record])) == []


def test_a_pool_of_several_pages_is_read_to_its_end(world, accounts, gone):  # noqa: F811
    """Cognito lists sixty accounts at once."""
    ada = world.customer(accounts.add(EMAIL))
    ada.buy()
    for n in range(70):
        accounts.add(f"guest{n}@example.com")
    pool = PoolSubjects(accounts.pool_id, accounts.cognito)
    assert len(list(pool.subjects())) == 71
    assert gone(ada) == {}


def test_who_signs_up_while_the_list_is_read_is_not_gone(world, accounts):  # noqa: F811
    """The list lacks them, so they are asked for once more."""
    ada = world.customer(accounts.add(EMAIL))
    ada.buy()

    class Late(PoolSubjects):
        def subjects(self):
            """As it was a moment before."""
            return iter(())

    pool = Late(accounts.pool_id, accounts.cognito)
    assert list(DepartedPayers(pool=pool, issuer=ISSUER).among([ada.record])) == []


@pytest.mark.parametrize(
    ("code", "error"),
    [("TooManyRequestsException", Temporary), ("AccessDeniedException", Permanent),
     ("InternalErrorException", Temporary)],
)  # fmt: skip
def test_a_pool_that_does_not_answer_concludes_nothing(code, error):
    """Nobody is called gone for it."""
    client = boto3.client("cognito-idp", "eu-central-1", aws_access_key_id="x",
                          aws_secret_access_key="x")  # fmt: skip
    with Stubber(client) as stub:
        stub.add_client_error("list_users", code)
        with pytest.raises(error, match=code):
            list(PoolSubjects("pool_1", client).subjects())


def test_an_address_shows_every_account_it_has_had(
    world, accounts, desk, monkeypatch  # noqa: F811
):  # fmt: skip
    """The one that is there first, then the one that is gone and still paid for."""
    old = world.customer(accounts.add(EMAIL), email=EMAIL)
    old.buy()
    accounts.delete(EMAIL)
    new = world.customer(accounts.add(EMAIL), email=EMAIL)
    new.call("POST", "start-free")
    world.settle()
    monkeypatch.setattr(common, "_desk", lambda *_: desk)
    shown = CliRunner().invoke(ops, ["tenants", "show", EMAIL, "--json"])
    there, left = json.loads(shown.output)
    assert (there["tenantId"], there["plan"]) == (new.tenant_id, "free")
    assert (left["tenantId"], left["plan"], left["account"]) == (old.tenant_id, "basic", "gone")
    assert there["account"] != "gone"
    told = CliRunner().invoke(ops, ["tenants", "show", EMAIL]).output
    assert old.tenant_id in told
    assert new.tenant_id in told
    alone = CliRunner().invoke(ops, ["tenants", "show", old.tenant_id, "--json"])
    assert json.loads(alone.output)["tenantId"] == old.tenant_id
    with pytest.raises(NotFound, match="is several tenants: say which of"):
        find(desk, EMAIL)


def test_the_audit_tells_of_them(world, accounts, monkeypatch):  # noqa: F811
    """Billing goes on, and nobody can end it: a person has to know."""
    ada = world.customer(accounts.add(EMAIL), email=EMAIL)
    ada.buy()
    pool = PoolSubjects(accounts.pool_id, accounts.cognito)
    payers = DepartedPayers(pool=pool, issuer=ISSUER)
    monkeypatch.setattr(wiring, "departed_payers", lambda: payers)
    assert wiring.audit().run().findings == ()
    accounts.delete(EMAIL)
    (found,) = wiring.audit().run(mend=True).findings
    assert (found.kind, found.tenant_id) == ("account is gone", ada.tenant_id)
    assert not found.can_be_mended
