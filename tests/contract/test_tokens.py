"""Who is let in: exactly the holder of a good ID token, by an algorithm of our choice."""

import base64
import hashlib
import hmac
import http.server
import json
import threading
import time
from contextlib import contextmanager

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from chalicelib.domain.errors import Temporary, Unauthenticated
from chalicelib.gateways.tokens import Tokens
from tests.contract.known import ISSUER, JWT_SECRET

HOUR = 3600


@pytest.fixture(scope="module")
def keys():
    """A pool's key pair, and a stranger's."""
    return [rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2)]


@contextmanager
def issuer(body):
    """An issuer on a socket that answers so; its address, and what was fetched."""
    fetched = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            fetched.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/jwks.json", fetched
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def jwks(keys):
    """The pool's public keys on a socket; counts how often they are fetched."""
    jwk = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(keys[0].public_key()))
    with issuer(
        json.dumps({"keys": [jwk | {"kid": "k-1", "use": "sig", "alg": "RS256"}]})
    ) as found:
        yield found


def claims(**given):
    usual = {
        "sub": "u-1", "iss": ISSUER, "aud": "client", "exp": time.time() + 600, "token_use": "id",
        "email": "ada@example.com",
    }  # fmt: skip
    return {k: v for k, v in (usual | given).items() if v is not None}


def rs256(key, kid="k-1", **given):
    return jwt.encode(claims(**given), key, "RS256", headers={"kid": kid})


@pytest.fixture
def by_jwks(jwks):
    return Tokens(issuer=ISSUER, audience="client", jwks_url=jwks[0])


@pytest.fixture
def by_secret():
    return Tokens(issuer=ISSUER, audience="client", secret=JWT_SECRET)


def test_a_good_token_says_who_it_is(by_jwks, keys):
    """Subject, issuer and address, from the token alone."""
    user = by_jwks.user(rs256(keys[0]))
    assert (user.subject, user.issuer, user.email) == ("u-1", ISSUER, "ada@example.com")


def test_a_shared_secret_does_too(by_secret, token):
    """By setting; there `token_use` may be absent."""
    assert by_secret.user(token(token_use=None)).subject == "u-1"


WRONG = {
    "expired": {"exp": time.time() - HOUR},
    "never expires": {"exp": None},
    "another issuer": {"iss": "https://evil.example"},
    "no issuer": {"iss": None},
    "another audience": {"aud": "somebody-else"},
    "no audience": {"aud": None},
    "an access token": {"token_use": "access"},
    "no subject": {"sub": None},
    "an empty subject": {"sub": ""},
    "a subject that is no text": {"sub": 7},
    "not yet valid": {"nbf": time.time() + HOUR},
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_a_wrong_claim_is_refused(by_jwks, by_secret, keys, token, wrong):
    """By either algorithm."""
    with pytest.raises(Unauthenticated):
        by_jwks.user(rs256(keys[0], **wrong))
    with pytest.raises((Unauthenticated, TypeError)):
        by_secret.user(token(**wrong))


def test_with_a_pool_the_use_must_be_said(by_jwks, keys):
    """An access token has no audience to check; only a token that says it is an ID token will do."""
    with pytest.raises(Unauthenticated):
        by_jwks.user(rs256(keys[0], token_use=None))


def test_a_strangers_key_is_refused(by_jwks, keys):
    """Signed by somebody, but not by the pool."""
    with pytest.raises(Unauthenticated):
        by_jwks.user(rs256(keys[1]))


def part(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def test_no_algorithm_is_no_signature(by_jwks, by_secret):
    """`alg: none`, in any spelling, lets nobody in."""
    for alg in ("none", "None", "NONE"):
        forged = f"{part({'alg': alg, 'typ': 'JWT', 'kid': 'k-1'})}.{part(claims())}."
        for tokens in (by_jwks, by_secret):
            with pytest.raises(Unauthenticated):
                tokens.user(forged)


def test_the_public_key_is_not_taken_for_a_secret(by_jwks, keys):
    """The classic swap: HS256, signed with the public key that everybody has."""
    pem = (
        keys[0]
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    signed = f"{part({'alg': 'HS256', 'typ': 'JWT', 'kid': 'k-1'})}.{part(claims())}"
    mac = hmac.new(pem, signed.encode(), hashlib.sha256).digest()
    forged = f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"
    with pytest.raises(Unauthenticated):
        by_jwks.user(forged)


@pytest.mark.parametrize("junk", ["", "a", "a.b.c", "....", "é.é.é", "x" * 9000])
def test_junk_is_refused(by_jwks, by_secret, junk):
    """Whatever is sent as a token."""
    for tokens in (by_jwks, by_secret):
        with pytest.raises(Unauthenticated):
            tokens.user(junk)


def test_made_up_key_ids_do_not_make_us_fetch(by_jwks, jwks, keys):
    """A flood of unknown keys is not passed on to the issuer."""
    by_jwks.user(rs256(keys[0]))
    before = len(jwks[1])
    for n in range(20):
        with pytest.raises(Unauthenticated):
            by_jwks.user(rs256(keys[0], kid=f"made-up-{n}"))
    assert len(jwks[1]) == before


def rotating(keys):
    """An issuer on a socket whose keys can be changed: its address, its keys, and what was asked."""
    published = []

    class Body:
        def encode(self):
            return json.dumps({"keys": published}).encode()

        def __len__(self):
            return len(self.encode())

    def publish(number):
        jwk = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(keys[number].public_key()))
        published.append(jwk | {"kid": f"k-{number}", "use": "sig", "alg": "RS256"})

    publish(0)
    return issuer(Body()), publish


@pytest.mark.parametrize("says_when", [False, True])
def test_a_key_that_was_just_rotated_is_looked_for(keys, says_when):
    """Seconds after the keys were fetched, a token of a new one lets its holder in."""
    serving, publish = rotating(keys)
    with serving as (url, fetched):
        tokens = Tokens(issuer=ISSUER, audience="client", jwks_url=url)
        tokens.user(rs256(keys[0], kid="k-0"))
        publish(1)
        made = time.time() + 1 if says_when else None
        assert tokens.user(rs256(keys[1], kid="k-1", iat=made)).subject == "u-1"
        assert len(fetched) == 2


def test_a_valid_token_is_never_told_that_it_is_not(keys):
    """Somebody makes up keys while one is rotated: its holder reads to try again, not to log in."""
    serving, publish = rotating(keys)
    with serving as (url, fetched):
        tokens = Tokens(issuer=ISSUER, audience="client", jwks_url=url)
        tokens.user(rs256(keys[0], kid="k-0"))
        with pytest.raises(Unauthenticated):
            tokens.user(rs256(keys[1], kid="made-up"))
        publish(1)
        with pytest.raises(Temporary):
            tokens.user(rs256(keys[1], kid="k-1"))
        assert len(fetched) == 2


def test_strangers_keys_make_us_ask_once_and_no_more(keys):
    """Whatever they are called, and whenever their tokens say that they were made."""
    serving, _ = rotating(keys)
    with serving as (url, fetched):
        tokens = Tokens(issuer=ISSUER, audience="client", jwks_url=url)
        for n in range(10):
            with pytest.raises((Unauthenticated, Temporary)):
                tokens.user(rs256(keys[1], kid=f"made-up-{n}", iat=time.time() + n))
            with pytest.raises(Unauthenticated):
                tokens.user(rs256(keys[1], kid=f"made-up-{n}", iat=time.time() - HOUR))
        assert len(fetched) == 2


def test_keys_that_cannot_be_fetched_are_an_outage(keys):
    """Nobody is told to log in again because the issuer is away."""
    tokens = Tokens(issuer=ISSUER, audience="client", jwks_url="http://127.0.0.1:9/jwks.json")
    with pytest.raises(Temporary):
        tokens.user(rs256(keys[0]))


@pytest.mark.parametrize("body", ["<html>busy</html>", "", '{"keys":[]}', '{"message":"x"}', "[]"])
def test_keys_that_cannot_be_read_are_an_outage(keys, body):
    """The issuer answers 200 with something else: whose token it is cannot be told."""
    with issuer(body) as (url, _):
        tokens = Tokens(issuer=ISSUER, audience="client", jwks_url=url)
        with pytest.raises(Temporary):
            tokens.user(rs256(keys[0]))


@pytest.mark.parametrize("control", ["\x1b[2J", "\x9b31m", "\r", "\n", "\x00", "\x7f", "\u202e"])
def test_an_address_with_control_characters_is_none(by_secret, control):
    """No address has any; an operator's terminal, a mail's head or a log would act on them."""
    said = claims(email=f"ada{control}@example.com")
    user = by_secret.user(jwt.encode(said, JWT_SECRET, "HS256"))
    assert (user.subject, user.email) == ("u-1", None)


@pytest.mark.parametrize(
    ("said", "since"),
    [({"auth_time": 7, "iat": 9}, 7), ({"iat": 9}, 9), ({}, None), ({"auth_time": "7"}, None),
     ({"auth_time": True, "iat": 9.5}, 9)],
)  # fmt: skip
def test_a_token_says_since_when_somebody_is_signed_in(by_secret, said, since):
    """By the log-in where it is told apart from the token's making; else it may be any time."""
    assert by_secret.user(jwt.encode(claims(**said), JWT_SECRET, "HS256")).since == since


def test_what_cannot_be_stored_is_not_taken_from_a_token(by_secret):
    """Half of a surrogate pair: nobody's name, and no address to write to."""
    with pytest.raises(Unauthenticated):
        by_secret.user(jwt.encode(claims(sub="u\ud800"), JWT_SECRET, "HS256"))
    assert by_secret.user(jwt.encode(claims(email="a\ud800@x"), JWT_SECRET, "HS256")).email is None


@pytest.mark.parametrize("verified", [True, "true"])
def test_an_address_that_is_verified_is_believed(by_jwks, keys, verified):
    """Cognito says so by a boolean or by its text; one that says nothing of it is believed, too."""
    assert by_jwks.user(rs256(keys[0], email_verified=verified)).email == "ada@example.com"


@pytest.mark.parametrize("verified", [False, "false", "", "True ", 1, 0, [], {}])
def test_an_address_that_is_not_verified_is_nobodys(by_jwks, keys, verified):
    """It may be somebody else's; whose token it is, is certain all the same."""
    user = by_jwks.user(rs256(keys[0], email_verified=verified))
    assert (user.subject, user.email) == ("u-1", None)


def test_not_said_is_not_null(by_secret):
    """A claim that is there and says nothing is not a yes."""
    said = claims() | {"email_verified": None}
    assert by_secret.user(jwt.encode(said, JWT_SECRET, "HS256")).email is None
