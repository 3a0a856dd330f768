"""Which file a path means, as the CDN's routing function has it."""

import pytest

from sandbox.site.routing import Route, route


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("site")
    (root.parent / "secret.html").write_text("not for you")
    for name in (
        "index.html", "pricing.html", "404.html", "password-reset.html", "checkout/success.html",
        "js/types.d.ts", "js/main.js", ".hidden",
    ):  # fmt: skip
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(name)
    return root


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/", Route(200, "index.html")),
        ("/pricing", Route(200, "pricing.html")),
        ("/checkout/success", Route(200, "checkout/success.html")),
        ("/js/main.js", Route(200, "js/main.js")),
        ("/password-reset", Route(200, "password-reset.html")),
        ("/password-reset/123456", Route(200, "password-reset.html")),
        ("/pricing/", Route(301, location="/pricing")),
        ("/pricing.html", Route(301, location="/pricing")),
        ("/index.html", Route(301, location="/")),
        ("//", Route(301, location="/")),
        ("//pricing", Route(301, location="/pricing")),
        ("/nothing", Route(404, "404.html")),
        ("/404", Route(404, "404.html")),
        ("/404.html", Route(404, "404.html")),
        ("/js", Route(404, "404.html")),
        ("/js/types.d.ts", Route(404, "404.html")),
        ("/.hidden", Route(404, "404.html")),
        ("/../secret", Route(404, "404.html")),
        ("/js/../../secret", Route(404, "404.html")),
        ("/..\\secret.html", Route(404, "404.html")),
        ("/pricing\0", Route(404, "404.html")),
        ("//evil.example/pricing", Route(404, "404.html")),
        ("/" + "a" * 5000, Route(404, "404.html")),
        ("/" + "a/" * 3000, Route(404, "404.html")),
    ],
)
def test_a_path_means_one_file(root, path, answer):
    """Pages have one address each, and nothing outside of the site is reached."""
    assert route(path, root) == answer
