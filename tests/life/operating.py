"""An operator's desk in the world of the tests, with the worker working while they look on."""

import boto3
import pytest

from ops.desk import Desk
from ops.gateways.billing import Billing
from ops.gateways.pool import Pool
from ops.operating import following
from sandbox.stripe.transport import InMemory
from tests.contract.known import ISSUER


@pytest.fixture
def accounts(aws):
    """A user pool with nobody in it."""
    cognito = boto3.client("cognito-idp")
    made = cognito.create_user_pool(PoolName="pool", UsernameAttributes=["email"])
    return Accounts(cognito, made["UserPool"]["Id"])


class Accounts:
    """The user pool, as the person at its console has it."""

    def __init__(self, cognito, pool_id):
        self.cognito, self.pool_id = cognito, pool_id

    def add(self, email):
        """Somebody signs up; what their tokens call them."""
        made = self.cognito.admin_create_user(
            UserPoolId=self.pool_id, Username=email,
            UserAttributes=[{"Name": "email", "Value": email}], MessageAction="SUPPRESS",
        )  # fmt: skip
        return next(a["Value"] for a in made["User"]["Attributes"] if a["Name"] == "sub")

    def delete(self, email):
        """Somebody deletes them there."""
        self.cognito.admin_delete_user(UserPoolId=self.pool_id, Username=email)

    def emails(self):
        """Who is left."""
        users = self.cognito.list_users(UserPoolId=self.pool_id)["Users"]
        return {a["Value"] for user in users for a in user["Attributes"] if a["Name"] == "email"}


@pytest.fixture
def desk(world, accounts, monkeypatch):
    """The operator's, in the same world; while one looks on, the worker works."""
    made = Desk()
    billing = Billing("sk_test_1", api_base=None, http_client=InMemory(world.stripe))
    made.__dict__ |= {"billing": billing, "pool": Pool(accounts.pool_id, accounts.cognito)}
    monkeypatch.setattr(Desk, "issuer", ISSUER)
    monkeypatch.setattr(following.time, "sleep", lambda _: world.settle())
    monkeypatch.setenv("OPS_OPERATOR", "grace")
    return made
