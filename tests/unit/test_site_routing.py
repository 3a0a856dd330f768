"""Which file a path means, in the sandbox; the CDN's function runs through the same table."""

import pytest

from sandbox.site.routing import Route, route
from tests.addresses import CASES, FILES, HIDDEN


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("site")
    (root.parent / "secret.html").write_text("not for you")
    for name in (*FILES, *HIDDEN):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(name)
    return root


@pytest.mark.parametrize(("path", "status", "target"), CASES)
def test_a_path_means_one_file(root, path, status, target):
    """Pages have one address each, and nothing outside of the site is reached."""
    location = target if status == 301 else None
    file = {200: target, 404: "404.html"}.get(status)
    assert route(path, root) == Route(status, file, location)
