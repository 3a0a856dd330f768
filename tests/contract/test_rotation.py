"""Settings and secrets in SSM: they change while a container lives, and nothing is refused."""

import time
from collections import Counter

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError

from chalicelib import wiring
from chalicelib.domain.errors import Misconfigured, Temporary
from chalicelib.gateways import parameters
from chalicelib.gateways.stripe_api import StripeApi
from tests.contract.known import ISSUER, JWT_SECRET, SETTINGS, TENANT
from tests.serving import part

PATH = "/arm-engine/dev"
IN_SSM = {
    "site_url": "https://shop.example",
    "jwt_issuer": ISSUER,
    "jwt_audience": "client",
    "jwt_secret": JWT_SECRET,
    "stripe_secret_key": "sk_test_old",
    "stripe_webhook_secret": "whsec_old",
}


class Ssm:
    """What stands in SSM, and how often a container has asked."""

    def __init__(self):
        self._client = boto3.client("ssm")
        self.fetches = 0
        wiring._parameters()._client.meta.events.register("before-call", self._count)

    def _count(self, **_):
        self.fetches += 1

    def put(self, **values):
        """Store these."""
        for name, value in values.items():
            self._client.put_parameter(
                Name=f"{PATH}/{name}", Value=value, Type="SecureString", Overwrite=True
            )

    def break_off(self, monkeypatch):
        """SSM does not answer any more."""
        away = EndpointConnectionError(endpoint_url="https://ssm")

        def fail(*_):
            raise away

        monkeypatch.setattr(parameters.Parameters, "_fetch", fail)

    def delete(self, name):
        """Remove one."""
        self._client.delete_parameter(Name=f"{PATH}/{name}")


@pytest.fixture
def stored(aws, settings):
    """A deployment whose environment has names only; the rest stands below its path."""
    for name in SETTINGS:
        if not name.startswith("AWS_") and name not in {"STAGE", "TABLE_NAME", "QUEUE_NAME"}:
            settings.delenv(name)
    settings.setenv("PARAMETERS_PATH", PATH)
    for name in ("_settings", "_parameters", "tokens"):
        getattr(wiring, name).cache_clear()
    stored = Ssm()
    stored.put(**IN_SSM)
    return stored


@pytest.fixture
def later(monkeypatch):
    """Lets seconds pass on the clock that fetches go by."""
    passed = [0.0]
    real = time.monotonic
    monkeypatch.setattr(parameters.time, "monotonic", lambda: real() + passed[0])
    return lambda seconds: passed.__setitem__(0, passed[0] + seconds)


def event(n, kind="customer.subscription.updated"):
    obj = {"object": "subscription", "id": "sub_1", "customer": "cus_1"}
    obj["metadata"] = {"tenant_id": TENANT, "deployment": "arm-engine-dev"}
    return {
        "id": f"evt_{n}", "object": "event", "type": kind, "created": 1_800_000_000,
        "livemode": False, "api_version": "2026-10-28.endive", "data": {"object": obj},
    }  # fmt: skip


def test_what_the_environment_lacks_is_in_ssm(stored, api, token):
    """Address, issuer and secrets come by one fetch per container; the environment goes first."""
    assert api.call("GET", "/api/subscriptions/status", token=token())[0] == 200
    assert api.event(event(1), "whsec_old")[0] == 200
    assert wiring.settings().success_url.startswith("https://shop.example/checkout/success?")
    assert stored.fetches == 1


def test_secrets_are_not_kept_among_the_settings(stored):
    """They would outlive their rotation there."""
    assert wiring.settings().stripe_secret_key is None
    assert wiring.settings().stripe_webhook_secrets == ()
    assert wiring.stripe_secret_key() == "sk_test_old"


def test_a_new_address_is_taken_up_without_a_deploy(stored, later):
    """A domain was added: containers that live know it when the time to live has passed."""
    assert wiring.settings().site_url == "https://shop.example"
    stored.put(site_url="https://www.shop.example")
    later(parameters.TIME_TO_LIVE + 1)
    assert wiring.settings().site_url == "https://www.shop.example"
    assert wiring.settings().cancel_url == "https://www.shop.example/checkout/cancel"


def test_no_webhook_is_refused_while_the_secret_is_rotated(stored, api):
    """In the very second in which it changes, in a container that has just fetched the old one."""
    assert api.event(event(1), "whsec_old")[0] == 200
    stored.put(stripe_webhook_secret="whsec_new, whsec_old")
    assert api.event(event(2), "whsec_new")[0] == 200
    assert api.event(event(3), "whsec_old")[0] == 200
    stored.put(stripe_webhook_secret="whsec_new")
    assert api.event(event(4), "whsec_new")[0] == 200
    assert stored.fetches == 2


def test_a_secret_that_was_replaced_at_once_is_found_too(stored, api):
    """Nobody kept the old one beside it: the first event with the new one makes us look."""
    assert api.event(event(1), "whsec_old")[0] == 200
    stored.put(stripe_webhook_secret="whsec_new")
    assert api.event(event(2), "whsec_new")[0] == 200
    assert api.event(event(3), "whsec_old")[0] == 400


def test_a_secret_that_was_stored_late_is_found(stored, api):
    """The first deploy: the endpoint exists seconds before its secret does."""
    stored.delete("stripe_webhook_secret")
    assert api.event(event(1), "whsec_first")[0] == 503
    stored.put(stripe_webhook_secret="whsec_first")
    parameters_again_allowed()
    assert api.event(event(1), "whsec_first")[0] == 200


def parameters_again_allowed():
    wiring._parameters()._again_at = None


def test_wrong_signatures_do_not_make_us_hammer_ssm(stored, api, later):
    """Whoever sends them causes one fetch in a few seconds, and learns nothing."""
    answers = [api.event(event(n), "whsec_guess")[0] for n in range(50)]
    assert answers == [400] * 50
    assert stored.fetches == 2
    later(parameters.AGAIN)
    api.event(event(51), "whsec_guess")
    assert stored.fetches == 3


def test_the_last_known_secret_serves_while_ssm_is_away(stored, api, later, monkeypatch):
    """Only a container that never fetched has to say that it cannot answer."""
    assert api.event(event(1), "whsec_old")[0] == 200
    stored.break_off(monkeypatch)
    later(parameters.TIME_TO_LIVE + 1)
    assert api.event(event(2), "whsec_old")[0] == 200
    assert api.event(event(3), "whsec_wrong")[0] == 400
    wiring._parameters()._fetched_at = None
    assert api.event(event(4), "whsec_old")[0] == 503
    with pytest.raises(Temporary, match="SSM does not answer"):
        wiring.settings()


def test_a_key_of_the_other_mode_is_not_used(stored, later):
    """A live key pasted into a test stage sells nothing."""
    stored.put(stripe_secret_key="sk_live_oops")
    wiring._parameters.cache_clear()
    with pytest.raises(Misconfigured, match="a live key, but STRIPE_MODE is test") as raised:
        wiring.payments()
    assert "oops" not in str(raised.value)


@pytest.fixture(scope="module")
def stripe_stand_in(tmp_path_factory):
    """One that knows only the new key."""
    clock = tmp_path_factory.mktemp("stripe") / "clock"
    with part("stripe", "--key", "sk_test_new", "--clock-file", clock) as url:
        yield url


def test_a_rolled_stripe_key_is_taken_up_at_the_first_refusal(stored, settings, stripe_stand_in):
    """The old one was revoked at once, and the call that finds out still succeeds."""
    settings.setenv("STRIPE_API_BASE", stripe_stand_in)
    wiring._payments.cache_clear()
    old = wiring.payments()
    stored.put(stripe_secret_key="sk_test_new")
    customer = old.create_customer(email=None, metadata={}, idempotency_key="once")
    assert customer.startswith("cus_")
    assert wiring.payments() is not old, "the next one has the new key from the start"


def test_a_key_that_is_simply_wrong_is_asked_for_once(stripe_stand_in):
    """The same refused key is not tried twice."""
    asked = Counter()

    def fresh_key():
        asked["times"] += 1
        return "sk_test_wrong"

    api = StripeApi("sk_test_wrong", api_base=stripe_stand_in, fresh_key=fresh_key)
    with pytest.raises(Temporary, match="does not accept the key"):
        api.subscriptions("cus_1")
    assert asked["times"] == 1
