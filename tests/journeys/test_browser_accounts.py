"""Sign-up, login, reset: forms that a person and a password manager get along with."""

import json
import re

import pytest
from playwright.sync_api import expect

from tests.journeys.scenes import NONE, SESSION, STATUSES, refused
from tests.journeys.shop import PASSWORD, Customer, until

pytestmark = pytest.mark.browser

OFFLINE = "Failed to connect. Please check your internet and try again."
GENERAL = "Something went wrong. Please try again."
NO_ADDRESS, BAD_ADDRESS = (
    "Enter your e-mail address.",
    "Enter an e-mail address in the form name@example.com.",
)


def fill(page, **values):
    for label, value in values.items():
        page.get_by_label(label.replace("_", " "), exact=True).fill(value)


def submit(page):
    page.locator("main form:visible [type=submit]").first.click()


def address(page, value):
    page.get_by_role("textbox", name="E-mail address").fill(value)


@pytest.mark.parametrize(
    ("path", "typed", "problems"),
    [
        ("/login", {}, {"email": NO_ADDRESS, "password": "Enter your password."}),
        ("/login", {"email": "ada"}, {"email": BAD_ADDRESS, "password": "Enter your password."}),
        ("/signup", {}, {"email": NO_ADDRESS, "password": "Enter a password."}),
        ("/signup", {"email": "a@b.c", "password": "short"}, {"password": "Use at least 8 characters."}),
        ("/password-reset", {}, {"address-email": NO_ADDRESS}),
        ("/password-reset/123456", {}, {"renewal-email": NO_ADDRESS, "renewal-password": "Enter a password."}),
    ],
)  # fmt: skip
def test_mistakes_stand_beside_the_field_and_in_a_summary(visit, path, typed, problems):
    """The summary takes the focus, and each of its links leads to its field; nothing is sent."""
    page = visit(path)
    sent = []
    page.on("request", lambda request: sent.append(request.url) if "/api/" in request.url else None)
    for id_, value in typed.items():
        page.locator(f"#{id_}").type(value)
    submit(page)
    summary = page.get_by_test_id("error")
    expect(summary).to_be_focused()
    assert summary.get_by_role("link").all_text_contents() == list(problems.values())
    for id_, said in problems.items():
        expect(page.locator(f"#{id_}")).to_have_attribute("aria-invalid", "true")
        expect(page.locator(f"#{id_}-error")).to_have_text(said)
        expect(page.locator(f"#{id_}")).to_have_accessible_description(re.compile(re.escape(said)))
        summary.get_by_role("link", name=said).click()
        expect(page.locator(f"#{id_}")).to_be_focused()
    assert sent == []


@pytest.mark.parametrize(
    ("path", "route", "answer", "said", "field"),
    [
        ("/login", "login", (401, refused("invalid_credentials", "Wrong address or password.")), "Wrong address or password.", None),
        ("/login", "login", "offline", OFFLINE, None),
        ("/login", "login", (500, {}), GENERAL, None),
        ("/login", "login", (404, {}), "Accounts are not available on this site at the moment. Please contact support.", None),
        ("/signup", "signup", (400, refused("weak_password", "The password is too weak.")), "The password is too weak.", "password"),
        ("/signup", "signup", "offline", OFFLINE, None),
    ],
)  # fmt: skip
def test_what_the_api_refuses_is_said_where_it_belongs(visit, path, route, answer, said, field):
    """In the summary, and beside the field where it is about one; the button works again."""
    page = visit(path, answers={f"/api/auth/{route}": answer})
    address(page, "ada@example.com")
    fill(page, Password="Correct-horse-9")
    submit(page)
    expect(page.get_by_test_id("error")).to_be_focused()
    expect(page.get_by_test_id("error").get_by_role("listitem")).to_have_text(said)
    invalid = [one.get_attribute("id") for one in page.locator("[aria-invalid]").all()]
    assert invalid == [field] * bool(field)
    expect(page.locator("main form:visible [type=submit]").first).to_be_enabled()


def test_a_form_cannot_be_sent_twice(visit):
    """Its button is off and busy while it works; Enter sends nothing more either."""
    made = []
    page = visit("/login", answers={"/api/auth/login": made.append})
    address(page, "ada@example.com")
    fill(page, Password="Correct-horse-9")
    page.keyboard.press("Enter")
    button = page.get_by_role("main").get_by_role("button", name="Sign in")
    expect(button).to_be_disabled()
    expect(button).to_have_attribute("aria-busy", "true")
    page.keyboard.press("Enter")
    assert len(made) == 1
    made[0].abort()


@pytest.mark.parametrize(
    ("path", "autocompletes"),
    [
        ("/login", ["username", "current-password"]),
        ("/signup", ["username", "new-password"]),
        ("/password-reset/123456", ["username", "one-time-code", "new-password"]),
    ],
)
def test_password_managers_know_the_fields(visit, path, autocompletes):
    """By the standard's names."""
    page = visit(path)
    fields = page.locator("main input:visible")
    assert [one.get_attribute("autocomplete") for one in fields.all()] == autocompletes


@pytest.mark.parametrize("path", ["/login", "/signup", "/password-reset/123456"])
def test_a_password_can_be_looked_at(visit, path):
    """And hidden again; what is typed stays."""
    page = visit(path)
    field = page.locator("[autocomplete$=password]:visible")
    field.fill("Correct-horse-9")
    page.get_by_role("button", name="Show password").click()
    expect(field).to_have_attribute("type", "text")
    page.get_by_role("button", name="Hide password").click()
    expect(field).to_have_attribute("type", "password")
    expect(field).to_have_value("Correct-horse-9")


def test_signing_up_tells_nobody_who_has_an_account(page, customer, sandbox):
    """Known and new addresses are shown the same, but for the address; so are wrong codes."""
    said = []
    for email in (customer.email, Customer(sandbox).email):
        page.goto("/signup")
        address(page, email)
        fill(page, Password="Correct-horse-9")
        submit(page)
        fill(page, Code="000000")
        submit(page)
        expect(page.get_by_test_id("error")).to_be_focused()
        said.append(page.get_by_role("main").inner_text().replace(email, "…"))
    assert said[0] == said[1]


def test_asking_for_a_reset_tells_nobody_either(page, customer, sandbox):
    """The same words for a known and an unknown address."""
    said = []
    for email in (customer.email, Customer(sandbox).email):
        page.goto("/password-reset")
        address(page, email)
        submit(page)
        page.get_by_label("Code").wait_for()
        said.append(page.get_by_role("main").inner_text())
    assert said[0] == said[1]


def test_a_new_code_can_be_asked_for(visit):
    """Whoever has a code can enter it at the login, too; asking again says so politely."""
    sent = []
    page = visit("/login", answers={
        "/api/auth/resend": (202, {}),
        "/api/auth/confirm": (400, refused("invalid_code", "The code is wrong or too old.")),
    })  # fmt: skip
    page.on("request", lambda r: sent.append(r.post_data_json) if "confirm" in r.url else None)
    page.get_by_role("button", name="Confirm your address").click()
    expect(page.get_by_test_id("error")).to_be_focused()  # whose code, and what password
    address(page, "ada@example.com")
    fill(page, Password="Correct-horse-9")
    page.get_by_role("button", name="Confirm your address").click()
    expect(page.get_by_label("Code")).to_be_focused()
    expect(page.get_by_role("main")).to_contain_text("ada@example.com")
    page.get_by_role("button", name="Send a new code").click()
    expect(page.locator("#resent")).to_have_text(
        "If the address can be used, a new code is on its way."
    )
    fill(page, Code="123456")
    page.get_by_role("button", name="Confirm").click()
    expect(page.locator("#code-input-error")).to_have_text("The code is wrong or too old.")
    assert sent == [{"email": "ada@example.com", "password": "Correct-horse-9", "code": "123456"}]


def test_the_link_in_the_mail_asks_for_the_address(page, customer):
    """The code stands in the address; the address and the new password are asked for."""
    customer.call("POST", "/api/auth/password-reset", {"email": customer.email})
    page.goto(f"/password-reset/{customer.code()}")
    expect(page.get_by_role("textbox", name="E-mail address")).to_be_focused()
    expect(page.get_by_label("Code")).to_have_value(customer.code())
    address(page, customer.email)
    fill(page, New_password="Another-horse-9")
    submit(page)
    page.wait_for_url(re.compile(r"/login\?reset=done$"))
    expect(page.get_by_text("Your password has been changed.")).to_be_visible()


@pytest.mark.parametrize(
    ("target", "arrives"),
    [
        ("/pricing", "/pricing"),
        ("/about%23main", "/about#main"),
        ("https://evil.example", "/dashboard"),
        ("https:evil.example", "/dashboard"),
        ("//evil.example", "/dashboard"),
        ("/%5Cevil.example", "/dashboard"),
        ("/%09/evil.example", "/dashboard"),
        ("/.//evil.example", "//evil.example"),  # a path of this site, and followed as one
        ("javascript:alert(1)", "/dashboard"),
        ("", "/dashboard"),
    ],
)
def test_only_this_sites_paths_are_followed(visit, sandbox, target, arrives):
    """Whoever is signed in already is led on at once, and never elsewhere."""
    page = visit(f"/login?returnTo={target}", status=STATUSES["ready"])
    page.wait_for_url(sandbox.url("site", arrives))


@pytest.mark.parametrize("path", ["/", "/pricing", "/about", "/contact", "/nothing-here"])
def test_the_navigation_knows_who_is_signed_in(visit, path):
    """Sign in and Get started, or Dashboard and Sign out; one page is marked as the current one."""
    for status, names in (
        (None, ["Pricing", "Sign in", "Get started"]),
        (NONE, ["Pricing", "Dashboard", "Sign out"]),
    ):
        page = visit(path, status=status)
        nav = page.get_by_role("navigation", name="Main")
        expect(nav.locator("> :visible")).to_have_text(names)
        marked = nav.locator("[aria-current]").all_text_contents()
        assert marked == (["Pricing"] if path == "/pricing" else [])


def test_contact_is_an_address_and_nothing_else(visit):
    """The product's own; no form, no third party."""
    page = visit("/contact")
    link = page.get_by_role("main").locator("[href^=mailto]")
    assert link.get_attribute("href") == "mailto:support@arm-engine.io"
    expect(page.locator("form")).to_have_count(0)


def test_signing_out_forgets_and_leads_to_the_start(visit):
    """Nothing is left, and going back shows nothing of the account."""
    page = visit("/about", status=STATUSES["ready"])
    page.goto("/dashboard")
    expect(page.get_by_test_id("namespace")).to_be_visible()
    page.get_by_test_id("sign-out").click()
    page.wait_for_url(re.compile(r"/$"))
    assert page.evaluate("localStorage.length + sessionStorage.length") == 0
    page.go_back()
    page.wait_for_url(re.compile(r"/login\?returnTo=/dashboard$"))


def test_signing_out_ends_the_session_at_the_pool(page, customer):
    """A copy of the refresh token that somebody made before is good for nothing afterwards."""
    page.goto("/login")
    address(page, customer.email)
    fill(page, Password=PASSWORD)
    submit(page)
    page.wait_for_url("**/dashboard")
    held = page.evaluate("JSON.parse(localStorage.session).refreshToken")
    copy = {"refreshToken": held}
    assert customer.call("POST", "/api/auth/refresh", copy).status_code == 200
    page.get_by_test_id("sign-out").click()
    page.wait_for_url(re.compile(r"/$"))
    until(
        lambda: customer.call("POST", "/api/auth/refresh", copy).status_code == 401,
        "the pool to know",
    )


def test_a_link_spends_nobodys_free_month(visit):
    """Whoever is signed in by a link to Free still has to press its button."""
    asked = []
    page = visit("/login?returnTo=/pricing&plan=free", answers={
        "/api/auth/login": (200, {"token": "a.b.c", "refreshToken": "r", "expiresIn": 3600}),
        "/api/subscriptions/start-free": asked.append,
        "/api/subscriptions/status": (200, NONE),
    })  # fmt: skip
    expect(page.locator("#why")).to_have_text("Right after, one click starts your Free plan.")
    address(page, "ada@example.com")
    fill(page, Password="Correct-horse-9")
    with page.expect_response("**/api/subscriptions/status"):
        submit(page)
    page.wait_for_url(re.compile(r"/pricing$"))
    expect(page.get_by_test_id("subscribe-free")).to_be_focused()
    assert asked == []


def test_a_browser_that_keeps_nothing_is_told_so(visit):
    """The pages work without storage; signing in says why it cannot last."""
    page = visit(answers={
        "/api/auth/login": (200, {"token": "a.b.c", "refreshToken": "r", "expiresIn": 3600}),
    })  # fmt: skip
    page.add_init_script("""for (const name of ['localStorage', 'sessionStorage'])
        Object.defineProperty(window, name, { get() { throw new DOMException('no', 'SecurityError'); } });
    """)
    for path in ("/", "/pricing", "/pricing?plan=basic"):
        page.goto(path)
        nav = page.get_by_role("navigation", name="Main")
        expect(nav.get_by_role("link", name="Sign in")).to_be_visible()
    page.goto("/login")
    address(page, "ada@example.com")
    fill(page, Password="Correct-horse-9")
    submit(page)
    expect(page.get_by_test_id("error")).to_contain_text("This browser keeps nothing for this site")


def test_what_safari_16_lacks_is_not_needed(visit):
    """Mistakes are told and paths are followed without `URL.canParse` and `checkVisibility`."""
    page = visit()
    page.add_init_script("delete URL.canParse; delete Element.prototype.checkVisibility;")
    page.goto("/password-reset")
    submit(page)
    summary = page.get_by_test_id("error")
    expect(summary.get_by_role("link")).to_have_text([NO_ADDRESS])
    page.evaluate(f"localStorage.session = JSON.stringify({json.dumps(SESSION)})")
    page.goto("/login?returnTo=/about")
    page.wait_for_url(re.compile(r"/about$"))


@pytest.mark.parametrize("path", ["/login", "/signup", "/password-reset"])
def test_accounts_that_are_elsewhere_are_gone_to(page, path):
    """A shop without a user pool sends people to its LOGIN_URL, with what they came for."""

    def with_login_url(route):
        served = route.fetch()
        meta = '<meta name="login-url" content="'
        assert meta + '"' in served.text()
        route.fulfill(
            response=served, body=served.text().replace(meta, meta + "https://id.example/in")
        )

    page.route(re.compile(rf"127\.0\.0\.1:\d+{path}\?"), with_login_url)
    page.route(re.compile("https://id\\.example/"), lambda route: route.fulfill(body="There."))
    page.goto(f"{path}?returnTo=/pricing&plan=basic")
    page.wait_for_url("https://id.example/in?returnTo=/pricing&plan=basic")
