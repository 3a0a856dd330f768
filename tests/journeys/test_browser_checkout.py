"""The pricing page, and the two pages that Stripe sends a customer back to."""

import re

import pytest
from playwright.sync_api import expect

from tests.journeys.scenes import CHECKOUT, NONE, STATUSES, freeze, refused, status

pytestmark = pytest.mark.browser

PLANS = "/api/subscriptions/plans"
AGAIN, RELOAD = "Try again", "Refresh"


@pytest.mark.parametrize(
    ("answer", "said", "link", "remedy"),
    [
        ("offline", "Failed to connect. Please check your internet and try again.", None, AGAIN),
        ((400, refused("unknown_plan")), "Invalid plan selected. Please refresh and try again.", None, RELOAD),
        ((409, refused("already_subscribed")), "You already have an active subscription. Visit your dashboard.", "/dashboard", None),
        ((409, refused("payment_processing", "Your payment is being processed.")), "Your payment is being processed. Go to your dashboard", "/dashboard", None),
        ((200, {"sessionId": "cs_test_a", "checkoutUrl": "javascript:alert(1)"}), "Failed to redirect to checkout. Please try again or contact support.", "/contact", AGAIN),
        ((200, {"sessionId": "cs_test_a", "checkoutUrl": "http://stripe.example/pay"}), "Failed to redirect to checkout. Please try again or contact support.", "/contact", AGAIN),
        ((502, refused("upstream_unavailable")), "Failed to start checkout. Please try again.", None, AGAIN),
        ((500, {}), "Failed to start checkout. Please try again.", None, AGAIN),
    ],
)  # fmt: skip
def test_a_refusal_is_said_beside_the_button(visit, answer, said, link, remedy):
    """In the issue's words, as an alert in the plan's card, with a link and a remedy that help."""
    page = visit("/pricing", status=NONE, answers={CHECKOUT: answer})
    page.get_by_test_id("subscribe-basic").click()
    alert = page.locator("article", has_text="Basic").get_by_role("alert")
    expect(alert.locator("p")).to_have_text(said)
    assert [a.get_attribute("href") for a in alert.get_by_role("link").all()] == [link] * bool(link)
    assert [b.text_content() for b in alert.get_by_role("button").all()] == [remedy] * bool(remedy)
    expect(page.get_by_test_id("subscribe-basic")).to_be_enabled()
    expect(page.get_by_test_id("subscribe-basic")).to_be_focused()


@pytest.mark.parametrize(
    ("answer", "logged"),
    [
        ((409, refused("already_subscribed")), r"already_subscribed .*409.*req-7"),
        ((503, refused("upstream_unavailable")), r"upstream_unavailable .*503.*req-7"),
        ("offline", "no_connection"),
        ((200, {"sessionId": "cs_test_a", "checkoutUrl": "//x"}), "redirect_failed"),
    ],
)
def test_a_refusal_is_logged_with_the_requests_id(visit, answer, logged):
    """Whoever asks for help can read the id from the console."""
    page = visit("/pricing", status=NONE, answers={CHECKOUT: answer})
    lines = []
    page.on("console", lambda message: lines.append(message.text))
    page.get_by_test_id("subscribe-pro").click()
    expect(page.get_by_test_id("error")).not_to_be_empty()
    assert [line for line in lines if re.search(logged, line)]


def test_trying_again_goes_on(visit, sandbox):
    """The remedy presses the button once more, and leads to where the API says."""
    target = sandbox.url("site", "/checkout/cancel")
    answers = [
        (503, refused("upstream_unavailable")),
        (200, {"sessionId": "cs_test_a", "checkoutUrl": target}),
    ]
    page = visit("/pricing", status=NONE, answers={
        CHECKOUT: lambda route: route.fulfill(status=answers[0][0], json=answers.pop(0)[1])
    })  # fmt: skip
    page.get_by_test_id("subscribe-basic").click()
    page.get_by_role("button", name=AGAIN).click()
    page.wait_for_url(target)
    assert answers == []


def test_a_button_that_works_cannot_be_pressed_twice(visit):
    """It says "Processing…" meanwhile, and one request is made."""
    made = []
    page = visit("/pricing", status=NONE, answers={CHECKOUT: made.append})
    button = page.get_by_test_id("subscribe-basic")
    button.dblclick()
    expect(button).to_have_text("Processing…")
    expect(button).to_be_disabled()
    button.dispatch_event("click")
    assert len(made) == 1
    made[0].abort()


def test_an_expired_session_leads_to_login_and_back(visit):
    """With the plan, so that the purchase goes on; nothing is left of the session."""
    page = visit("/pricing", status=NONE, answers={
        CHECKOUT: (401, refused("unauthenticated")),
        "/api/auth/refresh": (401, refused("unauthenticated")),
    })  # fmt: skip
    page.get_by_test_id("subscribe-pro").click()
    page.wait_for_url(re.compile(r"/login\?returnTo=/pricing&plan=pro$"))
    assert page.evaluate("localStorage.length") == 0


def test_an_address_alone_buys_nothing(visit):
    """A link with a plan in it only points to the button, for whoever is signed in, too."""
    made = []
    page = visit("/pricing?plan=pro", status=NONE, answers={CHECKOUT: made.append})
    expect(page.get_by_test_id("subscribe-pro")).to_be_focused()
    assert page.url.endswith("/pricing")
    assert made == []


def test_free_is_had_once(visit):
    """The API's own words, with the way to the dashboard."""
    said = "You have had the free plan already."
    page = visit("/pricing", status=NONE, answers={
        "/api/subscriptions/start-free": (409, refused("free_used", said))
    })  # fmt: skip
    page.get_by_test_id("subscribe-free").click()
    expect(page.get_by_test_id("error")).to_contain_text(said)


@pytest.mark.parametrize("name", ["ready", "free", "past_due", "provisioning"])
def test_your_current_plan_says_so(visit, name):
    """Its button says it and cannot be pressed; the others can."""
    page = visit("/pricing", status=STATUSES[name])
    current = page.get_by_role("button", name="Your current plan")
    expect(current).to_be_disabled()
    assert current.get_attribute("value") == STATUSES[name]["planId"]
    assert page.locator("#plans button:enabled").count() == 2


@pytest.mark.parametrize("name", ["none", "canceled"])
def test_a_plan_that_has_ended_can_be_had_again(visit, name):
    """No card is the current one."""
    with_status = visit("/pricing", status=STATUSES[name])
    with_status.wait_for_load_state("networkidle")
    assert with_status.locator("#plans button:enabled").count() == 3


def test_without_scripts_the_plans_can_be_read(visit):
    """Cards, prices and the popular one stand in the page; a button leads to the login."""
    page = visit("/pricing", java_script_enabled=False)
    expect(page.get_by_role("article")).to_have_count(3)
    expect(page.locator(".plan.popular")).to_contain_text("Pro")
    expect(page.locator(".plan.popular")).to_contain_text("Most popular")
    page.get_by_test_id("subscribe-basic").click()
    page.wait_for_url(re.compile(r"/login\?returnTo=%2Fpricing&plan=basic$"))


def test_the_cards_follow_what_is_sold(visit, sandbox):
    """Where the API sells something else, the cards are drawn anew; else they stay as they are."""
    sold = [
        {"id": "basic", "name": "Basic", "price": 3900, "priceDisplay": "$39", "interval": "month", "features": ["<b>Bold</b>"]},
        {"id": "team", "name": "Team", "price": 90000, "priceDisplay": "$900", "interval": "year", "features": ["All"], "popular": True},
    ]  # fmt: skip
    page = visit("/pricing", answers={PLANS: (200, sold)})
    expect(page.get_by_role("article")).to_have_count(2)
    expect(page.locator(".plan.popular")).to_contain_text("$900 per year")
    expect(page.get_by_text("<b>Bold</b>")).to_be_visible()
    page.get_by_test_id("subscribe-team").click()
    page.wait_for_url(re.compile("plan=team$"))
    same = visit()
    loaded = []
    same.on("request", lambda request: loaded.append(request.url))
    same.goto("/pricing")
    same.wait_for_load_state("networkidle")
    assert sandbox.url("site", PLANS) in loaded
    assert not [url for url in loaded if url.endswith("cards.js")]


def test_without_an_answer_the_cards_stay(visit):
    """The API away: the page sells what stands in it."""
    page = visit("/pricing", answers={PLANS: "offline"})
    expect(page.get_by_role("article")).to_have_count(3)


def test_success_says_so_and_leads_on(visit):
    """At once the payment, after two seconds the redirect, after three the dashboard."""
    page = visit()
    freeze(page)
    page.goto("/checkout/success?session_id=cs_test_a1B2")
    expect(page.get_by_test_id("status")).to_have_text(
        "Payment successful! Your subscription is being activated."
    )
    page.clock.run_for(1900)
    expect(page.locator("#next")).to_have_text("")
    page.clock.run_for(200)
    expect(page.locator("#next")).to_have_text("Redirecting to dashboard…")
    assert "/checkout/success" in page.url
    assert page.evaluate("localStorage.length") == 0  # nobody is signed in by an address
    page.clock.run_for(1000)
    page.wait_for_url(re.compile(r"/login\?returnTo=/dashboard$"))


@pytest.mark.parametrize(
    "query", ["", "?session_id=", "?session_id=cs_test_", "?session_id=cs_test_a%3Cb", "?session_id=javascript:alert(1)"]
)  # fmt: skip
def test_success_without_a_session_says_so(visit, query):
    """Nobody is told that they paid because of an address; two links lead on."""
    page = visit(f"/checkout/success{query}")
    expect(page.get_by_test_id("error")).to_have_text(
        "Invalid payment session. If you completed payment, check your dashboard."
    )
    links = page.get_by_role("main").get_by_role("link")
    assert [a.get_attribute("href") for a in links.all()] == ["/dashboard", "/pricing"]


def test_after_paying_the_payment_is_waited_for(visit):
    """The dashboard does not say "no subscription" while Stripe's word is on its way."""
    page = visit("/checkout/success?session_id=cs_test_a1", status=NONE)
    page.wait_for_url("**/dashboard")
    expect(page.get_by_test_id("status")).to_have_text("Setting up your subscription…")
    expect(page.get_by_test_id("stages").locator("[aria-current]")).to_have_text("Payment")


def test_cancel_says_that_nothing_was_charged(visit):
    """And leads back to the plans."""
    page = visit("/checkout/cancel")
    expect(page.get_by_test_id("status")).to_have_text("Payment canceled. Try again anytime.")
    expect(page.get_by_text("Nothing has been charged.")).to_be_visible()
    page.get_by_role("link", name="Back to pricing").click()
    page.wait_for_url("**/pricing")


def test_an_upgrade_from_free_starts_a_checkout(visit, sandbox):
    """Free never blocks a paid plan."""
    target = sandbox.url("site", "/about")
    page = visit("/dashboard", status=status(planId="free"), answers={
        CHECKOUT: (200, {"sessionId": "cs_test_a", "checkoutUrl": target})
    })  # fmt: skip
    page.get_by_role("link", name="Upgrade").click()
    page.get_by_test_id("subscribe-pro").click()
    page.wait_for_url(target)
