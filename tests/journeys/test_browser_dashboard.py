"""The dashboard: each state in words, and what can be done about it."""

import re

import pytest
from playwright.sync_api import expect

from chalicelib.domain.status import DISPUTED, UNDER_WAY
from tests.journeys.scenes import DELAYED, FAILED, NONE, SESSION, STATUSES, freeze, refused
from tests.journeys.shop import until

pytestmark = pytest.mark.browser

STATUS, PORTAL = "/api/subscriptions/status", "/api/subscriptions/create-portal-session"
BILLING, STOP, SEE, UPGRADE, HELP = (
    "Manage billing", "Stop the free plan", "See the plans", "Upgrade", "Contact support",
)  # fmt: skip


@pytest.mark.parametrize(
    ("name", "headline", "detail", "date", "ways"),
    [
        ("ready", "Your workspace is ready", "Everything is up and running.", "Renews on December 25, 2026", [BILLING]),
        ("ending", "Your workspace is ready", "It runs until December 25, 2026, and then your subscription ends. You can carry on under “Manage billing”.", "Ends on December 25, 2026", [BILLING]),
        ("no longer sold", "Your workspace is ready", "Everything is up and running.", "Renews on December 25, 2026", [BILLING]),
        ("free", "Your workspace is ready", "Everything is up and running.", "Trial ends on December 25, 2026", [UPGRADE, STOP]),
        ("provisioning", "Setting up your subscription…", "This usually takes a few seconds.", None, [BILLING]),
        ("delayed", "Setting up your subscription…", DELAYED, "Renews on December 25, 2026", [BILLING]),
        ("updating", "Updating your workspace…", "Your workspace keeps running meanwhile.", "Renews on December 25, 2026", [BILLING]),
        ("failed", "Your workspace could not be set up", FAILED, "Renews on December 25, 2026", [BILLING, HELP]),
        ("held", "Your workspace is suspended", "Your data is kept. Please contact support, and we will sort it out.", "Renews on December 25, 2026", [BILLING, HELP]),
        ("disputed", "Your workspace is suspended", DISPUTED, "Renews on December 25, 2026", [BILLING, HELP]),
        ("disputed at once", "Your workspace is suspended", DISPUTED, "Renews on December 25, 2026", [BILLING, HELP]),
        ("first payment at the bank", "You have no subscription yet", UNDER_WAY, None, [SEE]),
        ("bought again at the bank", "Your subscription has ended", UNDER_WAY, None, [SEE, BILLING]),
        ("past_due", "Your last payment failed", "Please update your payment method by December 2, 2026 to keep your workspace running.", "Act by December 2, 2026", [BILLING, HELP]),
        ("unpaid", "Your workspace is suspended", "Your payment failed. Update your payment method, and it starts again. Your data is kept.", None, [BILLING, HELP]),
        ("paused", "Your workspace is suspended", "Your subscription is paused. Resume it, and it starts again. Your data is kept.", None, [BILLING, HELP]),
        ("canceled", "Your subscription has ended", "Your data is kept until December 25, 2026. Subscribe again before then to carry on where you left off.", "Data kept until December 25, 2026", [SEE, BILLING]),
        ("deleting", "Your workspace is being removed", "This usually takes less than a minute.", None, [SEE, BILLING]),
        ("gone", "Your subscription has ended", "Subscribe again anytime to get a new workspace.", None, [SEE, BILLING]),
        ("none", "You have no subscription yet", "Choose a plan, and your workspace is ready moments later.", None, [SEE]),
    ],
)  # fmt: skip
def test_each_state_in_words(visit, name, headline, detail, date, ways):
    """What it is, why, the one date that matters, and what can be done."""
    page = visit("/dashboard", status=STATUSES[name], timezone_id="UTC")
    expect(page.get_by_test_id("status")).to_have_text(headline)
    expect(page.get_by_test_id("detail")).to_have_text(detail)
    shown = page.get_by_test_id("renewal")
    if date:
        label = page.get_by_test_id("date-label").text_content()
        assert f"{label} {shown.text_content()}" == date
    else:
        expect(shown).to_be_hidden()
    pressed = page.locator("#card .actions > :visible").all()
    assert [one.text_content() for one in pressed] == ways
    under_way = name in {"provisioning", "delayed", "updating", "deleting"}
    assert page.get_by_test_id("progress").is_visible() is under_way
    namespace = STATUSES[name]["tenant"]["namespace"]
    assert page.get_by_test_id("namespace").is_visible() is (namespace is not None)


def test_every_state_has_its_words():
    """No status of the scenes is missing above."""
    (marks,) = [m for m in test_each_state_in_words.pytestmark if m.name == "parametrize"]
    assert {case[0] for case in marks.args[1]} == set(STATUSES)


def test_it_looks_again_with_back_off_until_it_is_ready(visit):
    """Half a second, then ever longer; once it is ready, never again."""
    asked, answers = [], {"now": STATUSES["provisioning"]}

    def answer(route):
        asked.append(route)
        route.fulfill(json=answers["now"])

    page = visit(status=NONE, answers={STATUS: answer})
    freeze(page)
    page.goto("/dashboard")
    for count, wait in enumerate([500, 650, 845, 1098], start=1):
        until(lambda count=count: page.evaluate("1") and len(asked) == count, "a look")
        expect(page.get_by_test_id("progress")).to_be_visible()
        page.clock.run_for(wait - 50)
        assert len(asked) == count
        if count == 4:
            answers["now"] = STATUSES["ready"]
        page.clock.run_for(100)
    expect(page.get_by_test_id("status")).to_have_text("Your workspace is ready")
    expect(page.get_by_test_id("progress")).to_be_hidden()
    page.clock.run_for(600_000)
    assert len(asked) == 5


def test_nobody_asks_for_a_tab_that_is_not_looked_at(visit):
    """Hidden, it is quiet; shown again, it looks at once."""
    asked = []

    def answer(route):
        asked.append(route)
        route.fulfill(json=STATUSES["provisioning"])

    page = visit(status=NONE, answers={STATUS: answer})
    page.add_init_script(
        "window.away = false; Object.defineProperty(document, 'hidden', { get: () => window.away })"
    )
    freeze(page)
    page.goto("/dashboard")
    expect(page.get_by_test_id("progress")).to_be_visible()
    page.evaluate("window.away = true")
    page.clock.run_for(600_000)
    assert len(asked) == 1
    page.evaluate("window.away = false; document.dispatchEvent(new Event('visibilitychange'))")
    until(lambda: page.evaluate("1") and len(asked) == 2, "a look")


def test_without_a_connection_it_says_so_and_can_be_asked_again(visit):
    """An alert with a button, which helps once the connection is back."""
    answers = ["offline", STATUSES["ready"]]

    def answer(route):
        now = answers.pop(0)
        route.abort() if now == "offline" else route.fulfill(json=now)

    page = visit(status=NONE, answers={STATUS: answer})
    freeze(page)
    page.goto("/dashboard")
    expect(page.get_by_role("alert")).to_have_text(
        "Failed to connect. Please check your internet and try again."
    )
    expect(page.get_by_test_id("status")).to_have_text("Your subscription cannot be shown yet")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_test_id("status")).to_have_text("Your workspace is ready")
    expect(page.get_by_test_id("error")).to_be_hidden()


def test_billing_opens_stripes_portal(visit, sandbox):
    """Once it is pressed it cannot be pressed again."""
    target = sandbox.url("site", "/about")
    page = visit(
        "/dashboard", status=STATUSES["ready"], answers={PORTAL: (200, {"portalUrl": target})}
    )
    page.get_by_test_id("manage-billing").click()
    page.wait_for_url(target)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("offline", "Failed to connect. Please check your internet and try again."),
        ((503, refused("upstream_unavailable", "Please try again in a moment.")), "Please try again in a moment."),
        ((200, {"portalUrl": "javascript:alert(1)"}), "Something went wrong. Please try again."),
    ],
)  # fmt: skip
def test_a_portal_that_cannot_be_opened(visit, answer, said):
    """It says why; the button can be pressed again, and "Try again" presses it."""
    page = visit("/dashboard", status=STATUSES["ready"], answers={PORTAL: answer})
    page.get_by_test_id("manage-billing").click()
    expect(page.get_by_test_id("error")).to_have_text(said)
    expect(page.get_by_test_id("manage-billing")).to_be_enabled()
    with page.expect_request(f"**{PORTAL}"):
        page.get_by_role("button", name="Try again").click()


def test_free_is_stopped_only_on_a_second_word(visit):
    """A dialog asks first; "Keep it" and Escape change nothing."""
    made = []

    def stopped(route):
        made.append(route.request.method)
        route.fulfill(status=202, json=STATUSES["canceled"] | {"planId": "free"})

    page = visit(
        "/dashboard", status=STATUSES["free"], answers={"/api/subscriptions/stop-free": stopped}
    )
    dialog = page.get_by_role("dialog")
    for leave in (
        dialog.get_by_role("button", name="Keep it").click,
        lambda: page.keyboard.press("Escape"),
    ):
        page.get_by_test_id("stop-free").click()
        expect(dialog).to_be_visible()
        leave()
        expect(dialog).to_be_hidden()
        expect(page.get_by_test_id("stop-free")).to_be_focused()
    assert made == []
    page.get_by_test_id("stop-free").click()
    page.get_by_test_id("stop-free-yes").click()
    expect(page.get_by_test_id("status")).to_have_text("Your subscription has ended")
    assert made == ["POST"]


def test_a_token_is_renewed_silently_once_for_all_tabs(visit):
    """Two tabs find it run out; one renews, both go on with the new one."""
    renewed, bearers = [], []

    def renew(route):
        renewed.append(route.request.post_data_json)
        route.fulfill(json={"token": "new.token.x", "expiresIn": 3600})

    def answer(route):
        bearers.append(route.request.headers["authorization"])
        route.fulfill(json=STATUSES["ready"])

    first = visit("/about", status=NONE)
    context = first.context
    context.route("**/api/auth/refresh", renew)
    context.route(f"**{STATUS}", answer)
    first.evaluate(
        "old => localStorage.setItem('session', JSON.stringify(old))", SESSION | {"expiresAt": 1}
    )
    tabs = [context.new_page(), context.new_page()]
    for tab in tabs:
        tab.goto("/dashboard", wait_until="commit")
    for tab in tabs:
        expect(tab.get_by_test_id("status")).to_have_text("Your workspace is ready")
    assert renewed == [{"refreshToken": "r"}]
    assert set(bearers) == {"Bearer new.token.x"}


def test_an_expired_session_leads_to_login_and_back(page, customer, sandbox):
    """The refresh token refused: to the login page, and after it to the dashboard again."""
    page.goto("/about")
    page.evaluate("dead => localStorage.setItem('session', JSON.stringify(dead))", SESSION)
    page.goto("/dashboard")
    page.wait_for_url(re.compile(r"/login\?returnTo=/dashboard$"))
    assert page.evaluate("localStorage.length") == 0
    expect(page.locator("#why")).to_have_text("Please sign in, and we take you back there.")
    page.get_by_role("textbox", name="E-mail address").fill(customer.email)
    page.get_by_label("Password", exact=True).fill("correct horse battery")
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/dashboard")
    expect(page.get_by_test_id("status")).to_have_text("You have no subscription yet")


def test_the_namespace_is_copied(visit):
    """For the terminal that it goes to."""
    page = visit(
        "/dashboard", status=STATUSES["ready"], permissions=["clipboard-read", "clipboard-write"]
    )
    page.get_by_role("button", name="Copy the namespace").click()
    expect(page.locator("#copy")).to_have_text("Copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == STATUSES["ready"]["tenant"]["namespace"]
