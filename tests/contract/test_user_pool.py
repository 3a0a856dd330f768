"""The user pool's gateway against the sandbox's Cognito, on a socket; the codes are real ones."""

from uuid import uuid4

import jwt
import pytest
import requests
from botocore.config import Config
from botocore.stub import Stubber

from chalicelib.domain.errors import (
    AccountExists,
    InvalidCode,
    InvalidCredentials,
    Permanent,
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
    return UserPool(
        resources.client_id,
        pool_id=resources.pool_id,
        client_secret=resources.client_secret,
        client=client,
    )


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
    with pytest.raises(InvalidCredentials):
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
            return UserPool("client", pool_id="pool", client=client)

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


class TestWhoseAnAddressIs:
    """An address that nobody has confirmed is nobody's; a code goes with a password."""

    OTHER = "the other one's password"

    def test_an_account_that_nobody_confirmed_makes_way(self, pool, email, code):
        """It is gone with its password and its code; a confirmed one is not."""
        pool.sign_up(email, self.OTHER)
        old = code()
        assert pool.withdraw(email)
        with pytest.raises(InvalidCode):
            pool.confirm(email, old)
        assert pool.withdraw(email)  # by now it is nobody's: the address is free
        pool.sign_up(email, PASSWORD)
        pool.confirm(email, code())
        assert not pool.withdraw(email)
        pool.log_in(email, PASSWORD)

    def test_an_account_is_made_anew(self, confirmed, email):
        """Another subject, another password, and no session of the one before is left."""
        before = confirmed.log_in(email, PASSWORD)
        gone = confirmed.make_anew(email, self.OTHER)
        with pytest.raises(Unauthenticated):
            confirmed.refresh(before["refreshToken"])
        with pytest.raises(InvalidCredentials):
            confirmed.log_in(email, PASSWORD)
        now = confirmed.log_in(email, self.OTHER)
        subjects = [jwt.decode(tokens["token"], options={"verify_signature": False})["sub"]
                    for tokens in (before, now)]  # fmt: skip
        assert gone == subjects[0] != subjects[1]

    def test_who_may_have_signed_up_is_not_told_by_a_login(self, pool, email):
        """Right or wrong, the password of an account that is not confirmed opens nothing."""
        pool.sign_up(email, PASSWORD)
        for password in (PASSWORD, self.OTHER):
            with pytest.raises(InvalidCredentials):
                pool.log_in(email, password)


class TestSessions:
    """A refresh token is good until it is taken back."""

    def test_signing_out_takes_it_back(self, confirmed, email):
        """That one, and no other; twice is fine, and so is one that never was."""
        one, other = (confirmed.log_in(email, PASSWORD)["refreshToken"] for _ in range(2))
        confirmed.log_out(one)
        confirmed.log_out(one)
        confirmed.log_out("never was")
        with pytest.raises(Unauthenticated):
            confirmed.refresh(one)
        confirmed.refresh(other)

    def test_all_of_an_account_are_taken_back(self, confirmed, email):
        """Wherever somebody logged in; nobody has any where there is no account."""
        held = [confirmed.log_in(email, PASSWORD)["refreshToken"] for _ in range(2)]
        assert confirmed.log_out_everywhere(email)
        for refresh_token in held:
            with pytest.raises(Unauthenticated):
                confirmed.refresh(refresh_token)
        assert confirmed.log_out_everywhere("nobody@example.com") is None


class TestTheClientsSecret:
    """Only our API may call the pool in the client's name."""

    @pytest.mark.parametrize("secret", [None, "guessed by somebody else"])
    def test_nobody_gets_past_without_it(self, session, aws_server, resources, email, secret):
        """Not to sign up, not to try passwords, not to have mails sent, not to renew or revoke."""
        client = session.client("cognito-idp", endpoint_url=aws_server)
        stranger = UserPool(
            resources.client_id, pool_id=resources.pool_id, client_secret=secret, client=client
        )
        with pytest.raises(Permanent, match="sign_up: NotAuthorizedException"):
            stranger.sign_up(email, PASSWORD)
        with pytest.raises(InvalidCredentials):
            stranger.log_in(email, PASSWORD)
        with pytest.raises(Unauthenticated):
            stranger.refresh("any")
        stranger.resend(email)
        stranger.forgot_password(email)
        mails = requests.get(f"{aws_server}/sandbox/mail", {"to": email}, timeout=5).json()
        assert mails == []

    def test_a_client_without_one_is_spoken_to_as_before(self, session, email):
        """A pool from elsewhere may have none: nothing is proven then."""
        client = session.client("cognito-idp", region_name="eu-central-1")
        with Stubber(client) as stub:
            stub.add_response("forgot_password", {}, {"ClientId": "client", "Username": email})
            stub.add_response("revoke_token", {}, {"ClientId": "client", "Token": "t"})
            pool = UserPool("client", pool_id="pool", client=client)
            pool.forgot_password(email)
            pool.log_out("t")


@pytest.mark.parametrize("code", ["LimitExceededException", "TooManyFailedAttemptsException"])
def test_too_many_codes_tell_nobody_who_has_an_account(refusing, email, code):
    """Only somebody whom the pool knows runs into a limit of their own: a code is wrong for both."""
    with pytest.raises(InvalidCode):
        refusing("confirm_forgot_password", code).reset_password(email, "123456", PASSWORD)
    with pytest.raises(InvalidCode):
        refusing("confirm_sign_up", code).confirm(email, "123456")
