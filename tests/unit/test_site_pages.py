"""The static pages, as the sandbox serves them in the CDN's place."""

import gzip
from pathlib import Path

import pytest
from werkzeug.test import Client
from werkzeug.wrappers import Request

from chalicelib import wiring
from sandbox.site.headers import SECURITY
from sandbox.site.pages import Pages

SITE = Path(__file__).parents[2] / "static_site"


@pytest.fixture
def client():
    """Asks as a browser would."""
    return Client(Request.application(Pages(SITE, wiring.catalogue().product)))


def test_a_page_is_compressed_for_whoever_takes_it(client):
    """The same bytes in the end; caches are told that there are two forms."""
    plain = client.get("/pricing")
    packed = client.get("/pricing", headers={"Accept-Encoding": "gzip, br"})
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain.data
    assert len(packed.data) < len(plain.data) / 2
    assert "Accept-Encoding" in plain.headers["Vary"]
    assert "Accept-Encoding" in packed.headers["Vary"]


def test_small_files_are_left_as_they_are(client):
    """As the CDN leaves them."""
    answer = client.get("/logo.svg", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in answer.headers
    assert answer.data == (SITE / "logo.svg").read_bytes()


@pytest.mark.parametrize("encoding", ["", "gzip"])
def test_what_a_browser_has_is_not_sent_again(client, encoding):
    """304 for the same tag, without a body."""
    first = client.get("/css/site.css", headers={"Accept-Encoding": encoding})
    again = client.get(
        "/css/site.css",
        headers={"Accept-Encoding": encoding, "If-None-Match": first.headers["ETag"]},
    )
    assert (again.status_code, again.data) == (304, b"")


@pytest.mark.parametrize(
    ("path", "status"), [("/", 200), ("/nothing", 404), ("/pricing/", 301), ("/css/site.css", 200)]
)
def test_every_answer_carries_the_security_headers(client, path, status):
    """Pages, redirects and files alike."""
    answer = client.get(path)
    assert answer.status_code == status
    assert dict(answer.headers).items() >= SECURITY.items()


def test_the_product_is_filled_in(client):
    """Name, address and logo, as text: what is in plans.toml cannot become markup."""
    text = client.get("/contact").text
    product = wiring.catalogue().product
    assert "{{" not in text
    assert f"Contact · {product.name}" in text
    assert f"mailto:{product.support_email}" in text
    assert (SITE / "logo.svg").read_text().strip() in text
