"""The same journey in the other engines: Firefox by WebDriver BiDi, WebKit by WebDriver."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.journeys.shop import PASSWORD, Customer

pytestmark = pytest.mark.browser

HERE = Path(__file__).parent
PUPPETEER = HERE.parents[1] / "node_modules" / "puppeteer-core"


def needed(found, what):
    """Skip loudly without it; in CI it has to be there."""
    if found:
        return found
    if os.environ.get("CI"):
        raise AssertionError(f"{what} is needed in CI")
    return pytest.skip(f"NO SECOND BROWSER: {what} is not here")


def test_the_journey_in_firefox(sandbox, tmp_path):
    """From the pricing page to a namespace, and signed out again."""
    firefox = needed(shutil.which("firefox-esr") or shutil.which("firefox"), "Firefox")
    node = needed(shutil.which("node"), "Node")
    needed(PUPPETEER.is_dir(), "puppeteer-core (npm ci)")
    done = subprocess.run(
        [node, HERE / "firefox.mjs", sandbox.ready["site"], firefox, PASSWORD],
        check=False, capture_output=True, text=True, timeout=120,
        env=os.environ | {"HOME": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() in sandbox.kubectl("get", "namespaces")


@pytest.fixture
def screen():
    """WebKitGTK wants a display; where there is none, a virtual one."""
    if os.environ.get("DISPLAY"):
        yield os.environ["DISPLAY"]
        return
    if not shutil.which("Xvfb"):
        pytest.skip("NO WEBKIT: no display, and Xvfb is not here")
    started = subprocess.Popen(
        ["Xvfb", "-displayfd", "1", "-nolisten", "tcp"],  # noqa: S607 - as the machine has it
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    with started:
        yield f":{started.stdout.readline().strip()}"
        started.terminate()


@pytest.mark.filterwarnings("ignore:setting remote_server_addr:DeprecationWarning")  # its own
def test_the_journey_in_webkit(sandbox, screen, monkeypatch):
    """The same where WebKitGTK's driver is installed (Debian: webkit2gtk-driver)."""
    driver_path = shutil.which("WebKitWebDriver")
    if not driver_path:
        pytest.skip("NO WEBKIT: WebKitWebDriver is not here")
    from selenium import webdriver  # noqa: PLC0415 - slow to import
    from selenium.webdriver.common.by import By  # noqa: PLC0415
    from selenium.webdriver.support.ui import WebDriverWait  # noqa: PLC0415

    monkeypatch.setenv("DISPLAY", screen)
    newcomer = Customer(sandbox)
    options = webdriver.WebKitGTKOptions()
    options.binary_location = str(mini_browser())
    options.add_argument("--automation")
    driver = webdriver.WebKitGTK(
        options=options, service=webdriver.WebKitGTKService(executable_path=driver_path)
    )
    wait = WebDriverWait(driver, 30)

    def arrives(pattern):
        wait.until(lambda d: re.search(pattern, d.current_url))

    def find(selector):
        return wait.until(
            lambda d: next(
                (e for e in d.find_elements(By.CSS_SELECTOR, selector) if e.is_displayed()), None
            )
        )

    try:
        driver.get(sandbox.url("site", "/pricing"))
        find("[data-testid=subscribe-basic]").click()
        arrives(r"/login\?returnTo=/pricing&plan=basic$")
        find("main a[href*='/signup']").click()
        arrives("/signup")
        find("#email").send_keys(newcomer.email)
        find("#password").send_keys(PASSWORD)
        find("#credentials [type=submit]").click()
        find("#code-input").send_keys(newcomer.code())
        find("#code [type=submit]").click()
        arrives("/c/pay/cs_test_")
        find("[name=card_number]").send_keys("4242 4242 4242 4242")
        find("[name=exp]").send_keys("12/34")
        find("[name=cvc]").send_keys("123")
        find("form:has([name=card_number]) [type=submit]").click()
        arrives("/dashboard$")
        assert find("#namespace").text in sandbox.kubectl("get", "namespaces")
    finally:
        driver.quit()


def mini_browser():
    """The browser that the driver starts; Debian keeps it out of the PATH."""
    return next(Path("/usr/lib").glob("*/webkit2gtk-4.*/MiniBrowser"))
