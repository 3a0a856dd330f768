"""What a customer does, in a real browser, through every part that there is."""

import re
from uuid import uuid4

import pytest
from playwright.sync_api import expect

from tests.journeys.shop import PASSWORD, Customer

pytestmark = pytest.mark.browser


@pytest.fixture
def newcomer(sandbox):
    """Somebody with an address and no account."""
    customer = Customer(sandbox)
    customer.email = f"grace-{uuid4().hex[:8]}@example.com"
    return customer


def sign_up(page, newcomer):
    page.get_by_role("main").get_by_role(
        "link", name=re.compile("account|sign up", re.IGNORECASE)
    ).click()
    page.wait_for_url(re.compile("/signup"))
    page.get_by_role("textbox", name="E-mail address").fill(newcomer.email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    page.get_by_label("Code").wait_for()
    page.get_by_label("Code").fill(newcomer.code())
    page.get_by_role("button", name="Confirm").click()


def sign_in(page, customer):
    page.goto("/login")
    page.get_by_role("textbox", name="E-mail address").fill(customer.email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/dashboard")


def pay(page, card="4242 4242 4242 4242"):
    page.wait_for_url(re.compile("/c/pay/cs_test_"))
    page.locator("[name=card_number]").fill(card)
    page.locator("[name=exp]").fill("12 / 34")
    page.locator("[name=cvc]").fill("123")
    page.locator("form:has([name=card_number]) [type=submit]").click()


def test_from_the_pricing_page_to_a_namespace(page, newcomer, sandbox):
    """Subscribe, sign up on the way, pay, and watch it come up without a reload."""
    page.goto("/pricing")
    page.get_by_test_id("subscribe-basic").click()
    page.wait_for_url(re.compile(r"/login\?returnTo=/pricing&plan=basic$"))
    sign_up(page, newcomer)
    pay(page)
    page.wait_for_url(re.compile(r"/checkout/success\?session_id=cs_test_"))
    expect(
        page.get_by_text("Payment successful! Your subscription is being activated.")
    ).to_be_visible()
    page.wait_for_url("**/dashboard", timeout=10_000)
    expect(page.get_by_test_id("namespace")).to_have_text(re.compile("^arm-[0-9a-f]{16}$"))
    expect(page.get_by_test_id("plan")).to_have_text("Basic")
    expect(page.get_by_test_id("renewal")).to_have_text(re.compile(r"\d{4}"))
    namespace = page.get_by_test_id("namespace").text_content()
    assert namespace in sandbox.kubectl("get", "namespaces")
    page.goto("/pricing")
    page.get_by_test_id("subscribe-pro").click()
    expect(page.get_by_test_id("error")).to_contain_text(
        "You already have an active subscription. Visit your dashboard."
    )


def test_the_wait_is_shown_and_ends_by_itself(page, customer, sandbox):
    """It says "Setting up your subscription…" while the cluster is away, and is ready when it is back."""
    sandbox.faults("kubernetes", outage=600)
    try:
        customer.buy("pro")
        sign_in(page, customer)
        expect(page.get_by_text("Setting up your subscription…")).to_be_visible()
        expect(page.get_by_test_id("progress")).to_be_visible()
    finally:
        sandbox.faults("kubernetes", outage=0)
    expect(page.get_by_test_id("namespace")).to_be_visible(timeout=40_000)
    expect(page.get_by_test_id("progress")).to_be_hidden(timeout=40_000)


def test_free_is_a_namespace_without_a_payment(page, newcomer):
    """Sign in on the way, start, and it is there."""
    page.goto("/pricing")
    page.get_by_test_id("subscribe-free").click()
    page.wait_for_url(re.compile(r"/login\?returnTo=/pricing&plan=free$"))
    sign_up(page, newcomer)
    page.wait_for_url("**/pricing")
    start = page.get_by_test_id("subscribe-free")
    expect(start).to_be_focused()  # and nothing is spent until it is pressed
    newcomer.token = newcomer.call(
        "POST", "/api/auth/login", {"email": newcomer.email, "password": PASSWORD}
    ).json()["token"]
    assert newcomer.status()["status"] == "none"
    start.click()
    page.wait_for_url("**/dashboard")
    expect(page.get_by_test_id("plan")).to_have_text("Free Trial")
    expect(page.get_by_test_id("namespace")).to_have_text(re.compile("^arm-"))


def test_a_canceled_checkout_costs_nothing(page, customer):
    """Back from Stripe's page without paying."""
    sign_in(page, customer)
    page.goto("/pricing")
    page.get_by_test_id("subscribe-basic").click()
    page.wait_for_url(re.compile("/c/pay/cs_test_"))
    page.get_by_role("link", name=re.compile("back|cancel", re.IGNORECASE)).first.click()
    page.wait_for_url("**/checkout/cancel")
    expect(page.get_by_text("Payment canceled. Try again anytime.")).to_be_visible()
    assert customer.status()["status"] == "none"


@pytest.mark.parametrize(
    "target", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_after_login_nobody_is_sent_elsewhere(page, customer, target):
    """Only paths of this site are followed."""
    page.goto(f"/login?returnTo={target}")
    page.get_by_role("textbox", name="E-mail address").fill(customer.email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/dashboard")
    assert page.url.startswith("http://127.0.0.1")


def test_a_wrong_password_is_said_where_it_is_read(page, customer):
    """In a summary that takes the focus."""
    page.goto("/login")
    page.get_by_role("textbox", name="E-mail address").fill(customer.email)
    page.get_by_label("Password", exact=True).fill("not my password")
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    expect(page.get_by_test_id("error")).to_be_visible()
    expect(page.get_by_test_id("error")).to_be_focused()


def test_a_password_is_reset(page, customer):
    """By the mailed code; then the new one signs in."""
    page.goto("/password-reset")
    page.get_by_role("textbox", name="E-mail address").fill(customer.email)
    page.get_by_role("button", name="Send the code").click()
    page.get_by_label("Code").wait_for()
    page.get_by_label("Code").fill(customer.code())
    page.get_by_label("New password", exact=True).fill("Another-horse-9")
    page.get_by_role("button", name="Set new password").click()
    page.wait_for_url(re.compile(r"/login\?reset=done$"))
    page.get_by_role("textbox", name="E-mail address").fill(customer.email)
    page.get_by_label("Password", exact=True).fill("Another-horse-9")
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/dashboard")


def test_signing_out_reaches_every_tab(page, customer):
    """Tokens are gone from this browser."""
    sign_in(page, customer)
    other = page.context.new_page()
    other.goto("/dashboard")
    page.get_by_test_id("sign-out").click()
    other.wait_for_url(re.compile(r"/login\?returnTo=/dashboard$"))
    assert page.evaluate("localStorage.length") == 0
