"""Every page in every state that a customer can see it in, with the API's answers for it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from chalicelib.domain.status import DISPUTED, UNDER_WAY

SESSION = {"token": "a.b.c", "refreshToken": "r", "expiresAt": 4102444800000}
"""A session as the pages keep it, good until 2100; the API would refuse it."""

FAILED = (
    "We could not set up your workspace. Our team has been told and will put it right; "
    "you need not pay again."
)
DELAYED = (
    "This takes longer than usual: a system we depend on is not answering. "
    "Nothing is lost; we keep trying, and it goes on by itself."
)


def status(tenant=None, **changes):
    """An answer of the status route: a Basic that runs, but for what is said."""
    return {
        "active": True,
        "planId": "basic",
        "status": "active",
        "currentPeriodEnd": "2026-12-25T10:00:00Z",
        "cancelAtPeriodEnd": False,
        "paymentProblem": None,
        "dataKeptUntil": None,
        "tenant": {
            "namespace": "arm-7f3c9a1e52d04b6a",
            "state": "ready",
            "message": None,
            "updatedAt": "2026-11-25T10:00:00Z",
        }
        | (tenant or {}),
    } | changes


NONE = status(
    {"namespace": None, "state": "none", "updatedAt": None},
    active=False, planId=None, status="none", currentPeriodEnd=None,
)  # fmt: skip

STATUSES = {
    "ready": status(planId="pro"),
    "ending": status(cancelAtPeriodEnd=True),
    "no longer sold": status(planId=None),
    "free": status(planId="free", cancelAtPeriodEnd=True),
    "provisioning": status({"state": "pending"}, active=False, status="provisioning", currentPeriodEnd=None),
    "delayed": status({"state": "pending", "message": DELAYED}, active=False, status="provisioning"),
    "updating": status({"state": "pending"}),
    "failed": status({"state": "failed", "message": FAILED}, active=False, status="provisioning"),
    "held": status({"state": "suspended"}, active=False),
    "disputed": status({"state": "suspended", "message": DISPUTED}, active=False),
    "disputed at once": status({"state": "none", "message": DISPUTED}, active=False, status="provisioning"),
    "first payment at the bank": NONE | {"tenant": NONE["tenant"] | {"message": UNDER_WAY}},
    "bought again at the bank": status({"state": "suspended", "message": UNDER_WAY}, active=False, status="canceled", currentPeriodEnd=None),
    "past_due": status(status="past_due", paymentProblem={"actBy": "2026-12-02T10:00:00Z"}),
    "unpaid": status({"state": "suspended"}, active=False, status="past_due", paymentProblem={"actBy": "2026-11-22T10:00:00Z"}),
    "paused": status({"state": "suspended"}, active=False, status="past_due"),
    "canceled": status({"state": "suspended"}, active=False, status="canceled", currentPeriodEnd=None, dataKeptUntil="2026-12-25T10:00:00Z"),
    "deleting": status({"state": "deleting"}, active=False, status="canceled", currentPeriodEnd=None),
    "gone": status({"state": "none", "namespace": None}, active=False, status="canceled", currentPeriodEnd=None),
    "none": NONE,
}  # fmt: skip


def freeze(page):
    """Let time pass on the page only by `page.clock.run_for`."""
    page.clock.install(time=datetime(2026, 11, 25, 10, 0, 0, tzinfo=UTC))
    page.clock.pause_at(datetime(2026, 11, 25, 10, 0, 1, tzinfo=UTC))


def refused(code, message="Not this time.", request_id="req-7"):
    """An error as the API answers it."""
    return {"error": {"code": code, "message": message, "requestId": request_id}}


@dataclass(frozen=True)
class Scene:
    """A page; `status` signs somebody in; `act` brings the page into its state."""

    path: str
    status: dict[str, Any] | None = None
    answers: dict[str, Any] = field(default_factory=dict)
    act: Callable[[Any], None] | None = None


def _submit(page):
    page.locator("main form:visible [type=submit]").first.click()
    page.get_by_test_id("error").wait_for()


def _sign_up(page):
    page.get_by_role("textbox", name="E-mail address").fill("ada@example.com")
    page.get_by_label("Password", exact=True).fill("Correct-horse-9")
    page.get_by_role("button", name="Create account").click()
    page.get_by_label("Code").wait_for()


def _ask_for_reset(page):
    page.get_by_role("textbox", name="E-mail address").fill("ada@example.com")
    page.get_by_role("button", name="Send the code").click()
    page.get_by_label("Code").wait_for()


def _subscribe(page):
    page.get_by_test_id("subscribe-basic").click()
    page.locator("#notice p").wait_for()


def _open_all(page):
    for summary in page.locator("summary").all():
        summary.click()


CHECKOUT = "/api/subscriptions/create-checkout-session"

SCENES = {
    "start": Scene("/"),
    "about": Scene("/about"),
    "pricing": Scene("/pricing", act=_open_all),
    "pricing, signed in": Scene(
        "/pricing", STATUSES["ready"],
        act=lambda page: page.get_by_text("Your current plan").wait_for(),
    ),
    "pricing, refused": Scene(
        "/pricing", NONE, {CHECKOUT: (409, refused("already_subscribed"))}, _subscribe
    ),
    "pricing, offline": Scene("/pricing", NONE, {CHECKOUT: "offline"}, _subscribe),
    "pricing, processing": Scene(
        "/pricing", NONE, {CHECKOUT: "never"},
        lambda page: page.get_by_test_id("subscribe-pro").click(),
    ),
    "contact": Scene("/contact"),
    "signup": Scene("/signup"),
    "signup, mistakes": Scene("/signup", act=_submit),
    "signup, code": Scene("/signup", answers={"/api/auth/signup": (202, {})}, act=_sign_up),
    "login": Scene("/login"),
    "login, on the way to pay": Scene("/login?returnTo=/pricing&plan=basic"),
    "login, mistakes": Scene("/login", act=_submit),
    "login, new password": Scene("/login?reset=done"),
    "reset": Scene("/password-reset"),
    "reset, sent": Scene(
        "/password-reset", answers={"/api/auth/password-reset": (202, {})}, act=_ask_for_reset
    ),
    "reset, from the mail": Scene("/password-reset/123456"),
    "reset, mistakes": Scene("/password-reset/123456", act=_submit),
    "success": Scene("/checkout/success?session_id=cs_test_a1"),
    "success, malformed": Scene("/checkout/success"),
    "cancel": Scene("/checkout/cancel"),
    "not found": Scene("/nothing-here"),
    "dashboard, loading": Scene("/dashboard", NONE, {"/api/subscriptions/status": "never"}),
    "dashboard, offline": Scene(
        "/dashboard", NONE, {"/api/subscriptions/status": "offline"},
        lambda page: page.get_by_test_id("error").wait_for(),
    ),
    "dashboard, stopping": Scene(
        "/dashboard", STATUSES["free"], act=lambda page: page.get_by_test_id("stop-free").click()
    ),
} | {
    f"dashboard, {name}": Scene(
        "/dashboard", status,
        act=lambda page: page.locator("#card:not([aria-busy])").wait_for(),
    )
    for name, status in STATUSES.items()
}  # fmt: skip
