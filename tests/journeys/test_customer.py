"""A customer's way, over HTTP, through every part that there is."""

import re
from concurrent.futures import ThreadPoolExecutor

import requests

from tests.journeys.shop import DECLINES, Customer, until


def test_who_pays_owns_a_namespace(sandbox, customer):
    """From the button to a namespace with the plan's quota, and Stripe knows whose it is."""
    session_id = customer.buy("basic")
    status = customer.becomes("active")
    assert (status["planId"], status["active"]) == ("basic", True)
    assert status["tenant"]["state"] == "ready"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", status["currentPeriodEnd"])
    namespace = status["tenant"]["namespace"]
    assert session_id.startswith("cs_test_")
    assert namespace in sandbox.kubectl("get", "namespaces")
    seen = sandbox.kubectl("get", "resourcequota,networkpolicy", "-A")
    assert seen.count(namespace) >= 5


def test_who_paid_cannot_pay_again(customer):
    """A second subscription is not sold."""
    customer.buy("basic")
    customer.becomes("active")
    for plan in ("basic", "pro"):
        answer = customer.checkout(plan)
        assert answer.status_code == 409
        assert answer.json()["error"]["code"] == "already_subscribed"


def test_free_needs_no_payment(sandbox, customer):
    """Sign in, start, and the namespace is there with Free's quota; then upgrade to Basic."""
    answer = customer.call("POST", "/api/subscriptions/start-free")
    assert (answer.status_code, answer.json()["planId"]) == (202, "free")
    status = customer.becomes("active")
    namespace = status["tenant"]["namespace"]
    assert "pods: 0/5" in sandbox.kubectl("get", "resourcequota", "-n", namespace)
    customer.buy("basic")
    until(lambda: customer.status()["planId"] == "basic", "the plan that was paid for")
    assert customer.status()["status"] in {"active", "provisioning"}
    until(
        lambda: "pods: 0/40" in sandbox.kubectl("get", "resourcequota", "-n", namespace),
        "the quota that was paid for",
    )


def test_a_double_click_opens_one_checkout(customer):
    """Eight requests at once, one session, and one subscription in the end."""
    with ThreadPoolExecutor(8) as clicks:
        answers = list(clicks.map(lambda _: customer.checkout("basic"), range(8)))
    sessions = {a.json()["sessionId"] for a in answers if a.status_code == 200}
    assert len(sessions) == 1
    assert {a.status_code for a in answers} <= {200, 409}
    customer.pay(answers[0].json()["checkoutUrl"])
    customer.becomes("active")


def test_a_declined_card_costs_nothing(customer):
    """The page says so, nothing is provisioned, and another card still pays."""
    url = customer.checkout("basic").json()["checkoutUrl"]
    declined = customer.pay(url, DECLINES)
    assert declined.status_code in {200, 402}
    assert "declined" in declined.text
    assert customer.status()["status"] == "none"
    assert customer.pay(url).status_code == 303
    customer.becomes("active")


def test_changing_ones_mind_leaves_one_checkout_open(customer):
    """The first plan's session cannot be paid any more once another plan is chosen."""
    first = customer.checkout("basic").json()
    second = customer.checkout("pro").json()
    assert first["sessionId"] != second["sessionId"]
    assert requests.get(first["checkoutUrl"], timeout=5).status_code == 410
    assert customer.checkout("pro").json()["sessionId"] == second["sessionId"]
    customer.pay(second["checkoutUrl"])
    assert customer.becomes("active")["planId"] == "pro"


def test_two_customers_have_nothing_to_do_with_each_other(sandbox):
    """Each has a namespace of their own."""
    ada, eve = Customer(sandbox).sign_in(), Customer(sandbox).sign_in()
    ada.buy("basic")
    namespace = ada.becomes("active")["tenant"]["namespace"]
    assert eve.status()["status"] == "none"
    eve.buy("pro")
    assert eve.becomes("active")["tenant"]["namespace"] != namespace


def test_an_account_is_confirmed_only_by_its_code(sandbox):
    """A guessed code confirms nothing, and nobody logs in before."""
    stranger = Customer(sandbox)
    account = {"email": stranger.email, "password": "correct horse battery"}
    stranger.call("POST", "/api/auth/signup", account)
    early = stranger.call("POST", "/api/auth/login", account)
    assert (early.status_code, early.json()["error"]["code"]) == (401, "invalid_credentials")
    wrong = "000000" if stranger.code() != "000000" else "000001"
    guessed = stranger.call("POST", "/api/auth/confirm", {"email": stranger.email, "code": wrong})
    assert (guessed.status_code, guessed.json()["error"]["code"]) == (400, "invalid_code")


def test_a_password_is_reset_by_a_mailed_code(customer):
    """The old one is worthless afterwards, the new one works."""
    new = "another horse battery"
    asked = customer.call("POST", "/api/auth/password-reset", {"email": customer.email})
    assert asked.status_code == 202
    reset = {"email": customer.email, "code": customer.code(), "password": new}
    assert customer.call("POST", "/api/auth/password-reset/confirm", reset).status_code == 204
    old = {"email": customer.email, "password": "correct horse battery"}
    assert customer.call("POST", "/api/auth/login", old).status_code == 401
    assert customer.call("POST", "/api/auth/login", old | {"password": new}).status_code == 200


def test_nobody_learns_who_has_an_account(sandbox, customer):
    """The same answers, whether or not an address is known."""
    stranger = Customer(sandbox)
    for path, more in (
        ("signup", {"password": "correct horse battery"}),
        ("resend", {}),
        ("password-reset", {}),
        ("login", {"password": "a wrong password"}),
    ):
        known = customer.call("POST", f"/api/auth/{path}", {"email": customer.email, **more})
        unknown = stranger.call("POST", f"/api/auth/{path}", {"email": stranger.email, **more})
        said = [
            (a.status_code, {**a.json(), "error": a.json().get("error", {}).get("code")})
            for a in (known, unknown)
        ]
        assert said[0] == said[1], path
