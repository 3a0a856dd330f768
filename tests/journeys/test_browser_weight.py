"""What a page costs on its way to a customer: counts, no times."""

import pytest

from tests.journeys.scenes import SCENES

pytestmark = pytest.mark.browser

BYTES = 40_000
"""Over the wire, headers included, from an empty cache."""

REQUESTS = 7
"""The page, its style, scripts and icon, and what it asks the API on arrival."""

SHIFTS = """window.shifts = [];
new PerformanceObserver(list => window.shifts.push(...list.getEntries().map(one => one.value)))
    .observe({ type: 'layout-shift', buffered: true });"""

ONE_LOOK = "Object.defineProperty(document, 'hidden', { get: () => true })"
"""The dashboard looks again only while it is seen; that is no part of loading it."""

LOADED = [name for name, scene in SCENES.items() if scene.act is None or "dashboard" in name]


@pytest.mark.parametrize("width", [412, 1280])
@pytest.mark.parametrize("name", LOADED)
def test_a_page_is_light_and_stands_still(visit, sandbox, name, width):
    """Few bytes, few requests, all to this site, and nothing moves while it loads."""
    scene = SCENES[name]
    page = visit(
        status=scene.status, answers=scene.answers, viewport={"width": width, "height": 823}
    )
    asked, sizes = [], []
    page.on("request", lambda request: asked.append(request.url))
    network = page.context.new_cdp_session(page)
    network.send("Network.enable")
    network.on("Network.loadingFinished", lambda done: sizes.append(done["encodedDataLength"]))
    page.add_init_script(SHIFTS)
    page.add_init_script(ONE_LOOK)
    page.goto(scene.path)
    if "dashboard" in name and "loading" not in name:
        page.locator("#card .facts, #error").first.wait_for(state="attached")
        page.locator("#status:not(:text('Loading'))").wait_for()
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    moved = page.evaluate("window.shifts")
    assert len(asked) <= REQUESTS, asked
    assert sum(sizes) < BYTES
    assert {url.startswith(sandbox.url("site", "/")) for url in asked} == {True}
    if "offline" not in name:  # an alert comes above what it is about
        assert moved == []
