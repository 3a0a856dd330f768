"""`/api/auth/*` over the sandbox's Cognito and table: whose an account is, and what ends a session."""

import json
import time
from uuid import uuid4

import pytest
import requests
from chalice.test import Client

import app
from chalicelib import wiring
from tests.conftest import forget
from tests.contract.conftest import Api
from tests.contract.known import SETTINGS

HERS, HIS = "correct horse battery", "the other one's password"
STATUS, START = "/api/subscriptions/status", "/api/subscriptions/start-free"


@pytest.fixture
def api(aws_server, resources, monkeypatch):
    """The real app; accounts, table and queue are the sandbox's."""
    pool = resources.pool_id
    of_this_shop = {
        "AWS_ENDPOINT_URL": aws_server,
        "AWS_DEFAULT_REGION": "us-east-1",
        "JWT_ISSUER": f"https://cognito-idp.us-east-1.amazonaws.com/{pool}",
        "JWT_AUDIENCE": resources.client_id,
        "JWT_JWKS_URL": f"{aws_server}/{pool}/.well-known/jwks.json",
        "JWT_SECRET": "",
        "USER_POOL_CLIENT_ID": resources.client_id,
        "USER_POOL_CLIENT_SECRET": resources.client_secret,
    }
    for name, value in (SETTINGS | of_this_shop).items():
        monkeypatch.setenv(name, value)
    forget()
    with Client(app.app, stage_name="none") as client:
        yield Api(client.http)
    forget()


@pytest.fixture
def email():
    return f"ada-{uuid4().hex[:8]}@example.com"


@pytest.fixture
def codes(aws_server, email):
    """Reads the codes that were mailed, the first one first."""

    def read():
        mails = requests.get(f"{aws_server}/sandbox/mail", {"to": email}, timeout=5).json()
        return [mail["code"] for mail in reversed(mails)]

    return read


@pytest.fixture
def auth(api, email):
    """A call with the address in it; status, and the error's code or the body."""

    def call(verb, **body):
        status, answer = api.call("POST", f"/api/auth/{verb}", {"email": email} | body)
        return status, answer["error"]["code"] if answer and "error" in answer else answer

    return call


@pytest.fixture
def owner(auth, codes):
    """Somebody with an account."""
    auth("signup", password=HERS)
    assert auth("confirm", code=codes()[-1], password=HERS)[0] == 204
    return auth


REFUSED = (401, "invalid_credentials")


def test_who_signs_up_later_and_reads_the_mail_owns_the_account(auth, codes):
    """Whoever signed up first with somebody else's address gets nothing of it."""
    auth("signup", password=HIS)
    auth("signup", password=HERS)
    assert auth("confirm", code=codes()[-1]) == (204, None)
    assert auth("login", password=HIS) == REFUSED
    assert auth("login", password=HERS)[0] == 200


def test_a_code_of_an_earlier_sign_up_confirms_nothing(auth, codes):
    """It went with a password that is not the account's any more."""
    auth("signup", password=HIS)
    auth("signup", password=HERS)
    assert auth("confirm", code=codes()[0]) == (400, "invalid_code")
    assert auth("login", password=HIS) == REFUSED


def test_who_signs_up_in_between_gets_nothing_either(auth, codes):
    """The customer types the code of a mail that somebody else's sign-up has sent: it is their mail."""
    auth("signup", password=HERS)
    auth("signup", password=HIS)
    assert auth("confirm", code=codes()[-1], password=HERS) == (204, None)
    assert auth("login", password=HIS) == REFUSED
    assert auth("login", password=HERS)[0] == 200
    assert auth("password-reset")[0] == 202  # the address is a confirmed one
    assert auth("password-reset/confirm", code=codes()[-1], password=HERS)[0] == 204


def test_signing_up_twice_is_no_harm_to_oneself(auth, codes):
    """Another password the second time: it is the one that counts."""
    auth("signup", password="what was it again")
    auth("signup", password=HERS)
    assert auth("confirm", code=codes()[-1], password=HERS) == (204, None)
    assert auth("login", password=HERS)[0] == 200


def test_a_confirmed_account_stays_as_it_is(owner, codes):
    """Whoever signs up with its address changes nothing and has nothing mailed."""
    before = len(codes())
    assert owner("signup", password=HIS)[0] == 202
    assert owner("confirm", code=codes()[0], password=HIS) == (400, "invalid_code")
    assert len(codes()) == before
    assert owner("login", password=HIS) == REFUSED
    assert owner("login", password=HERS)[0] == 200


def test_nobody_is_told_who_has_an_account(owner, auth, codes, api):
    """Known, not yet confirmed and unknown: each step answers alike, whatever was done before."""
    told = []
    waiting, unknown = (f"{uuid4().hex[:8]}@example.com" for _ in range(2))
    auth("signup", email=waiting, password=HIS)
    for address in (None, waiting, unknown):
        mine = {"email": address} if address else {}
        told.append([
            auth("login", password=HIS, **mine),
            auth("signup", password=HIS, **mine),
            auth("login", password=HIS, **mine),
            auth("confirm", code="000000", **mine),
            auth("confirm", code="000000", password=HIS, **mine),
            auth("resend", **mine),
            auth("password-reset", **mine),
            auth("password-reset/confirm", code="000000", password=HIS, **mine),
            auth("login", password=HIS, **mine),
        ])  # fmt: skip
    assert told[0] == told[1] == told[2]


@pytest.mark.parametrize("password", ["12345678", "Password1", "arm engine"])
def test_a_password_that_is_guessed_first_is_refused(auth, codes, password):
    """At sign-up, with a code, and when it is set anew; nothing is mailed."""
    for verb, more in (("signup", {}), ("confirm", {"code": "1"}),
                       ("password-reset/confirm", {"code": "1"})):  # fmt: skip
        assert auth(verb, password=password, **more) == (400, "weak_password")
    assert codes() == []


def status_of(api, token):
    return api.call("GET", STATUS, token=token)[0]


def test_signing_out_revokes_the_session(owner, api):
    """Its refresh token is good for nothing afterwards; again, and with junk, is fine."""
    held = owner("login", password=HERS)[1]
    for token in (held["refreshToken"], held["refreshToken"], "junk"):
        assert api.call("POST", "/api/auth/logout", {"refreshToken": token}) == (204, None)
    answer = api.call("POST", "/api/auth/refresh", {"refreshToken": held["refreshToken"]})
    assert answer[0] == 401


@pytest.mark.parametrize("has_bought", [True, False])
def test_a_reset_ends_every_session(owner, api, codes, has_bought):
    """Refresh tokens and ID tokens of before open nothing; a new log-in opens everything."""
    held = owner("login", password=HERS)[1]
    if has_bought:
        assert api.call("POST", START, token=held["token"])[0] == 202
    assert status_of(api, held["token"]) == 200
    time.sleep(1.1)  # a token says the second of its log-in
    owner("password-reset")
    assert owner("password-reset/confirm", code=codes()[-1], password=HIS)[0] == 204
    answer = api.call("POST", "/api/auth/refresh", {"refreshToken": held["refreshToken"]})
    assert answer[0] == 401
    for method, path, body in (
        ("GET", STATUS, None), ("POST", START, None),
        ("POST", "/api/subscriptions/stop-free", None),
        ("POST", "/api/subscriptions/create-portal-session", None),
        ("POST", "/api/subscriptions/create-checkout-session", {"planId": "basic"}),
    ):  # fmt: skip
        assert api.call(method, path, body, token=held["token"])[0] == 401, path
    now = owner("login", password=HIS)[1]
    assert status_of(api, now["token"]) == 200


def test_ending_sessions_leaves_the_record_alone(owner, api, codes):
    """Whoever had started Free still has it, and what is under way stays under way."""
    held = owner("login", password=HERS)[1]["token"]
    tenant = wiring.tokens().user(held).tenant_id
    api.call("POST", START, token=held)
    before = wiring.records().read(tenant)
    owner("password-reset")
    owner("password-reset/confirm", code=codes()[-1], password=HIS)
    after = wiring.records().read(tenant)
    assert after.not_before is not None
    assert (after.free, after.nudged, after.version, after.due_at) == (
        before.free, before.nudged, before.version, before.due_at,
    )  # fmt: skip


def test_no_call_is_made_to_know_who_is_signed_out(owner, api, aws_server):
    """One read answers the status, as ever."""
    held = owner("login", password=HERS)[1]["token"]
    api.call("POST", START, token=held)
    before = requests.get(f"{aws_server}/sandbox/requests", timeout=5).json()
    status_of(api, held)
    after = requests.get(f"{aws_server}/sandbox/requests", timeout=5).json()
    assert after["dynamodb"]["GetItem"] == before["dynamodb"]["GetItem"] + 1
    assert after["cognito-idp"] == before["cognito-idp"]


@pytest.mark.parametrize(
    "said",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "",
     "text/plain; application/json", "application/jsonp", None],
)  # fmt: skip
@pytest.mark.parametrize("path", [path for path in app.app.routes if path.startswith("/api/auth/")])
def test_another_sites_page_cannot_post_here(api, path, said):
    """What a browser sends without asking first is refused, whatever is in it."""
    headers = {} if said is None else {"Content-Type": said}
    body = {"email": "a@example.com", "password": HERS, "code": "1", "refreshToken": "x"}
    answer = api._http.request("POST", path, headers=headers, body=json.dumps(body).encode())
    assert answer.status_code == 415
    assert json.loads(answer.body)["error"]["code"] == "unsupported_media_type"


@pytest.mark.parametrize("said", ["application/json", "Application/JSON; charset=utf-8"])
def test_json_is_taken_however_it_is_written(auth, api, email, said):
    """By upper case and with its character set, too."""
    body = json.dumps({"email": email}).encode()
    answer = api.call("POST", "/api/auth/resend", body, {"Content-Type": said})
    assert answer[0] == 202


def test_a_forgotten_tenants_token_opens_nothing(owner, api):
    """Record or none: neither a look nor a purchase, and no record is made of it anew."""
    held = owner("login", password=HERS)[1]["token"]
    tenant = wiring.tokens().user(held).tenant_id
    wiring.sessions().forget(tenant, int(time.time()) + 60)
    assert status_of(api, held) == 401
    assert api.call("POST", START, token=held)[0] == 401
    assert wiring.records().read(tenant) is None
    assert tenant not in {record.tenant_id for record in wiring.records().all()}
    assert wiring.records().nudge(tenant, int(time.time())) == "unknown"
