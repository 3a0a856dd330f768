"""The user pool's gateway against the sandbox's Cognito, on a socket; the codes are real ones."""

from uuid import uuid4

import pytest
import requests
from botocore.config import Config
from botocore.stub import Stubber

from chalicelib.domain.errors import (
    AccountExists,
    InvalidCode,
    InvalidCredentials,
    NotConfirmed,
    Temporary,
    Unauthenticated,
    WeakPassword,
)
from chalicelib.gateways.user_pool import UserPool

PASSWORD = "correct horse battery"


@pytest.fixture
def pool(aws_server, session, resources):
    config = Config(retries={"total_max_attempts": 1})
    client = session.client("cognito-idp", endpoint_url=aws_server, config=config)
    return UserPool(resources.client_id, client)


@pytest.fixture
def email():
    return f"ada-{uuid4().hex[:8]}@example.com"


@pytest.fixture
def code(aws_server, email):
    """Reads the newest code that was mailed."""
    return lambda: requests.get(f"{aws_server}/sandbox/mail", {"to": email}, timeout=5).json()[0][
        "code"
    ]


@pytest.fixture
def confirmed(pool, email, code):
    pool.sign_up(email, PASSWORD)
    pool.confirm(email, code())
    return pool


def test_an_account_is_made_confirmed_and_used(pool, email, code):
    """Only in this order, and only with the code that was mailed."""
    pool.sign_up(email, PASSWORD)
    with pytest.raises(NotConfirmed):
        pool.log_in(email, PASSWORD)
    with pytest.raises(InvalidCode):
        pool.confirm(email, "no code")
    pool.confirm(email, code())
    tokens = pool.log_in(email, PASSWORD)
    assert tokens.keys() == {"token", "refreshToken", "expiresIn"}
    assert pool.refresh(tokens["refreshToken"]).keys() == {"token", "expiresIn"}


def test_a_code_works_once(confirmed, email, code):
    """And confirming twice tells nothing."""
    with pytest.raises(InvalidCode):
        confirmed.confirm(email, code())


def test_the_newest_code_counts(pool, email, code):
    """One that was asked for again makes the older one worthless."""
    pool.sign_up(email, PASSWORD)
    old = code()
    pool.resend(email)
    if code() != old:
        with pytest.raises(InvalidCode):
            pool.confirm(email, old)
    pool.confirm(email, code())


def test_guessing_a_code_ends(pool, email, code):
    """After ten wrong ones even the right one is worthless."""
    pool.sign_up(email, PASSWORD)
    right = code()
    for n in range(11):
        with pytest.raises(InvalidCode):
            pool.confirm(email, f"guess {n}")
    with pytest.raises(InvalidCode):
        pool.confirm(email, right)


def test_an_address_has_one_account(confirmed, email):
    """The service hides this; the gateway must tell it."""
    with pytest.raises(AccountExists):
        confirmed.sign_up(email, PASSWORD)


def test_a_short_password_is_refused(pool, email):
    """By the pool's own policy."""
    with pytest.raises(WeakPassword):
        pool.sign_up(email, "short")


def test_a_weak_password_tells_nobody_who_has_an_account(confirmed, pool, email):
    """It is weak for a known address and for an unknown one alike."""
    for address in (email, "nobody@example.com"):
        with pytest.raises(WeakPassword):
            pool.sign_up(address, "short")
        with pytest.raises(WeakPassword):
            pool.reset_password(address, "123456", "short")


def test_a_wrong_password_and_an_unknown_address_are_told_alike(confirmed, email):
    """Nobody learns from it who has an account."""
    with pytest.raises(InvalidCredentials):
        confirmed.log_in(email, "wrong horse battery")
    with pytest.raises(InvalidCredentials):
        confirmed.log_in("nobody@example.com", PASSWORD)


def test_a_forgotten_password_is_replaced(confirmed, email, code):
    """By the mailed code, once, and by a good enough password."""
    confirmed.forgot_password(email)
    with pytest.raises(WeakPassword):
        confirmed.reset_password(email, code(), "short")
    confirmed.reset_password(email, code(), "another horse battery")
    confirmed.log_in(email, "another horse battery")
    with pytest.raises(InvalidCredentials):
        confirmed.log_in(email, PASSWORD)


def test_nothing_is_told_of_an_address_without_an_account(pool):
    """Asking for a code is always fine."""
    pool.resend("nobody@example.com")
    pool.forgot_password("nobody@example.com")
    with pytest.raises(InvalidCode):
        pool.reset_password("nobody@example.com", "123456", PASSWORD)


@pytest.fixture
def refusing(session):
    """A pool that refuses one call as Cognito does, and moto cannot."""
    client = session.client("cognito-idp", region_name="eu-central-1")
    with Stubber(client) as stub:

        def refuse(call, code):
            stub.add_client_error(call, code)
            return UserPool("client", client)

        yield refuse


def test_a_reset_tells_nobody_who_has_yet_to_confirm(refusing, email):
    """Cognito has an error of its own for such an account; it is told as a wrong code is."""
    with pytest.raises(InvalidCode):
        refusing("confirm_forgot_password", "UserNotConfirmedException").reset_password(
            email, "123456", PASSWORD
        )


@pytest.mark.parametrize(
    "code", ["InternalErrorException", "ThrottlingException", "UnexpectedLambdaException"]
)
def test_a_fault_of_the_pools_own_is_temporary(refusing, email, code):
    """Also one of the function that writes its mails: it may work a moment later."""
    with pytest.raises(Temporary):
        refusing("forgot_password", code).forgot_password(email)


@pytest.mark.parametrize("junk", ["x", "a.b.c", "é"])
def test_a_refresh_token_that_is_none_signs_nobody_in(pool, junk):
    """The pages then ask for the password again."""
    with pytest.raises(Unauthenticated):
        pool.refresh(junk)


def test_a_pool_that_is_away_is_temporary(aws_server, pool, email):
    """Nobody is told that their password is wrong because of it."""
    faults = {"outage": 60, "services": ["cognito-idp"]}
    requests.post(f"{aws_server}/sandbox/faults", json=faults, timeout=5)
    try:
        with pytest.raises(Temporary):
            pool.log_in(email, PASSWORD)
    finally:
        requests.post(f"{aws_server}/sandbox/faults", json=faults | {"outage": 0}, timeout=5)
