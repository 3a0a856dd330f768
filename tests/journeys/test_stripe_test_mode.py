"""The demo with a real account in test mode; here "Stripe" is the stand-in, at another address."""

import os
import subprocess
import sys

import pytest
import stripe

from sandbox import outside
from sandbox.outside import StripeAccount, UnusableError, stripe_account
from tests.journeys.conftest import ROOT, await_ready, start
from tests.journeys.operator import Operator
from tests.journeys.shop import Customer, Sandbox, until
from tests.serving import part

KEY = "sk_test_sandbox"
MONTH = 32 * 86_400


def run(*arguments, module="sandbox", **env):
    """A program that ends by itself: its exit code, and what it said."""
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments], cwd=ROOT, env=os.environ | env,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout


@pytest.mark.slow
def test_the_demo_sells_at_an_account_in_test_mode(tmp_path):
    """Its own names there, customers on test clocks, a month that passes; the screen says all."""
    ready_file = tmp_path / "ready.json"
    with part("stripe", "--key", KEY, "--clock-file", tmp_path / "clock") as url:
        env = os.environ | {"ARM_STRIPE_TEST_KEY": KEY, "ARM_STRIPE_API_BASE": url}
        process = start(ready_file, "--port", "0", env=env)
        try:
            await_ready(process, ready_file)
            sandbox = Sandbox(process, ready_file)
            stage = sandbox.ready["stage"]
            client = stripe.StripeClient(KEY, base_addresses={"api": url})
            names = [p.id for p in client.v1.products.list().data]
            assert names
            assert all(name.startswith(f"arm-engine-{stage}-") for name in names)
            assert stage.startswith("demo")
            diff = Operator(ready_file).start("plans", "diff", "--json")
            assert diff.communicate(timeout=60)[0].strip() == "[]"
            ada = Customer(sandbox).sign_in()
            assert ada.pay(ada.checkout().json()["checkoutUrl"]).status_code == 303
            ada.becomes("active", patience=60)
            (customer,) = client.v1.test_helpers.test_clocks.list().data
            assert customer.name == f"arm-engine-{stage}"
            first = ada.status()["currentPeriodEnd"]
            moved = sandbox.ask("POST", "worker", "/advance", json={"seconds": MONTH})
            assert moved.json()["customers"] == 1
            until(lambda: ada.status()["currentPeriodEnd"] > first, "the renewal", 60)
        finally:
            process.terminate()
            said, _ = process.communicate(timeout=60)
    assert process.returncode == 0, said
    assert "the real one, in test mode" in said
    assert f"arm-engine-{stage}-" in said
    assert "none are delivered" in said


def test_what_cannot_be_reached_is_told_in_one_line():
    """Before anything is started."""
    code, said = run(
        "--port", "0", ARM_STRIPE_TEST_KEY=KEY, ARM_STRIPE_API_BASE="http://127.0.0.1:9"
    )
    assert (code, said.count("\n")) == (2, 1)
    assert "http://127.0.0.1:9 cannot be reached from here" in said


def test_a_key_that_stripe_does_not_take_is_told_in_one_line(tmp_path):
    """And what it may be."""
    with part("stripe", "--key", KEY, "--clock-file", tmp_path / "clock") as url:
        account = StripeAccount("sk_test_other", base=url)
        with pytest.raises(UnusableError, match="Stripe does not accept the key") as refused:
            account.refuse_unreachable()
        StripeAccount(KEY, base=url).refuse_unreachable()
    assert "sk_test_other" not in str(refused.value)


@pytest.mark.parametrize("key", ["sk_live_1", "rk_live_1", "pk_test_1"])
def test_a_key_that_could_move_money_is_refused(key):
    """By either way to name it."""
    with pytest.raises(UnusableError, match="must be a test key"):
        stripe_account({"ARM_STRIPE_TEST_KEY": key})
    with pytest.raises(UnusableError, match="must be a test key"):
        stripe_account(outside.asked_for({"STRIPE_SECRET_KEY": key}))


def test_the_key_of_other_programs_is_taken_only_when_a_person_says_so():
    """STRIPE_SECRET_KEY in the environment alone changes nothing."""
    assert stripe_account({"STRIPE_SECRET_KEY": KEY}) is None
    assert stripe_account(outside.asked_for({"STRIPE_SECRET_KEY": KEY})).key == KEY
    code, said = run("--port", "0", "--stripe", ARM_STRIPE_TEST_KEY="", STRIPE_SECRET_KEY="")
    assert (code, said.count("\n")) == (2, 1)
    assert "--stripe needs a test key" in said


def test_without_a_key_the_tests_say_what_they_need():
    """`make test-stripe`, in one line."""
    code, said = run("stripe", module="sandbox.outside", ARM_STRIPE_TEST_KEY="")
    assert (code, said.count("\n")) == (2, 1)
    assert "ARM_STRIPE_TEST_KEY=sk_test_… make test-stripe" in said


def test_a_demo_has_names_of_its_own_for_each_person(monkeypatch):
    """No stage of the shop's, and no colleague's on the same account."""
    mine = StripeAccount(KEY).stage
    monkeypatch.setattr(outside.getpass, "getuser", lambda: "somebody-else")
    assert StripeAccount(KEY).stage != mine
    assert mine not in {"dev", "staging", "prod"}
