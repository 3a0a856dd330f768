"""Every page and state, for everybody: by axe, by keyboard, on a phone, without motion."""

import re
from uuid import uuid4

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.journeys.scenes import SCENES
from tests.journeys.shop import PASSWORD, Customer

pytestmark = pytest.mark.browser

WIDTHS = {320: 640, 1280: 900}
"""CSS pixels: a small phone, upright, and a laptop."""

TARGET = 44
"""CSS pixels: the least width and height of what is pressed (WCAG 2.2, 2.5.5)."""

SMALL = """least => [...document.querySelectorAll('a, button, input, summary')]
    .filter(one => one.checkVisibility() && !one.closest('.skip, p:not(.actions), li:not(nav *)'))
    .map(one => [one.textContent.trim() || one.id, one.getBoundingClientRect()])
    .filter(([, box]) => box.width < least || box.height < least)
    .map(([name, box]) => `${name}: ${box.width} x ${box.height}`)"""
"""What is smaller, links in running text aside, as the criterion has it."""


@pytest.fixture(params=SCENES)
def scene(request, visit):
    """A page that has been brought into its state, without motion."""
    wanted = SCENES[request.param]
    page = visit(wanted.path, status=wanted.status, answers=wanted.answers, reduced_motion="reduce")
    if wanted.act:
        wanted.act(page)
    return page


def test_everybody_can_use_it(scene):
    """Axe finds nothing, light and dark, wide and narrow; it fits a phone, and a thumb hits it."""
    found = {}
    for width, height in WIDTHS.items():
        scene.set_viewport_size({"width": width, "height": height})
        assert scene.evaluate("document.documentElement.scrollWidth") <= width
        assert scene.evaluate(SMALL, TARGET) == []
        for scheme in ("light", "dark"):
            scene.emulate_media(color_scheme=scheme)
            result = Axe().run(scene)
            assert result.response["passes"]
            if result.violations_count:
                found[width, scheme] = result.generate_report()
    assert found == {}


@pytest.mark.parametrize("name", ["pricing, processing", "dashboard, provisioning", "success"])
def test_nothing_moves_for_who_wants_no_motion(visit, name):
    """Where there is motion otherwise, there is none with prefers-reduced-motion."""
    scene = SCENES[name]
    count = "document.getAnimations().filter(one => one.playState === 'running').length"
    for motion in ("no-preference", "reduce"):
        page = visit(scene.path, status=scene.status, answers=scene.answers, reduced_motion=motion)
        if scene.act:
            scene.act(page)
        running = page.evaluate(count)
        assert (running > 0) is (motion == "no-preference")


def tab_to(page, name):
    """Press Tab until that is in focus; the outline is there to be seen."""
    for _ in range(40):
        page.keyboard.press("Tab")
        focused = page.evaluate(
            """() => {
                const one = document.activeElement;
                const label = one.labels?.[0]?.textContent ?? one.getAttribute('aria-label');
                return [label ?? one.textContent.trim(), getComputedStyle(one).outlineStyle];
            }"""
        )
        if focused[0] == name:
            assert focused[1] != "none"
            return
    raise AssertionError(f"Tab never came to {name}; last: {focused[0]}")


def test_a_keyboard_is_enough(page, sandbox):
    """From the pricing page through sign-up and payment to the dashboard without a mouse."""
    newcomer = Customer(sandbox)
    newcomer.email = f"grace-{uuid4().hex[:8]}@example.com"
    press, write = page.keyboard.press, page.keyboard.type
    page.goto("/pricing")
    press("Tab")
    press("Enter")  # the skip link
    tab_to(page, "Subscribe to Basic")
    press("Enter")
    page.wait_for_url(re.compile(r"/login\?returnTo=/pricing&plan=basic$"))
    tab_to(page, "Create an account")
    press("Enter")
    page.wait_for_url(re.compile("/signup"))
    tab_to(page, "E-mail address")
    write(newcomer.email)
    tab_to(page, "Password")
    write(PASSWORD)
    press("Enter")
    expect(page.get_by_label("Code")).to_be_focused()
    write(newcomer.code())
    press("Enter")
    page.wait_for_url(re.compile("/c/pay/cs_test_"))
    tab_to(page, "Card number")
    write("4242424242424242")
    press("Tab")
    write("12/34")
    press("Tab")
    write("123")
    press("Enter")
    page.wait_for_url("**/dashboard")
    expect(page.get_by_test_id("namespace")).to_have_text(re.compile("^arm-"))
    tab_to(page, "Manage billing")
    press("Enter")
    page.wait_for_url(lambda url: url.startswith(sandbox.ready["stripe"]))
