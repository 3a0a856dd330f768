"""The pages as they are served: which files, with what names put in, under which headers."""

import html
import mimetypes
from collections.abc import Iterator
from pathlib import Path

from chalicelib.domain.catalogue import Product
from ops.stages import ROOT

FOLDER = ROOT / "static_site"

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
_PICTURES = frozenset({".svg", ".png", ".ico", ".webp"})


def names(folder: Path = FOLDER) -> Iterator[str]:
    """The files that are served, as paths below the site's root; hidden ones and types are not."""
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        hidden = any(part.startswith(".") for part in name.split("/"))
        if path.is_file() and not hidden and not name.endswith(".d.ts"):
            yield name


def content(name: str, product: Product, folder: Path = FOLDER, *, login_url: str = "") -> bytes:
    """A file's content: a page with the product's name, address and logo, else the file itself.

    The logo is part of the page, so that no page waits for it, and stands in `logo.svg` alone.
    A `login_url` is where people sign in when the shop has no user pool of its own.
    """
    path = folder / name
    if path.suffix != ".html":
        return path.read_bytes()
    text = path.read_text("utf-8")
    for placeholder, value in (
        ("{{product.name}}", html.escape(product.name)),
        ("{{product.support_email}}", html.escape(product.support_email)),
        ("{{login_url}}", html.escape(login_url)),
        ("{{logo}}", (folder / "logo.svg").read_text("utf-8").strip()),
    ):
        text = text.replace(placeholder, value)
    return text.encode()


def content_type(name: str) -> str:
    """By the file's name."""
    suffix = Path(name).suffix
    guessed = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return _TYPES.get(suffix, guessed)


def cache_control(name: str) -> str:
    """How long a file is kept: at the CDN until a deploy, in a browser only as long as it is new.

    File names carry no version, so a page and its scripts must come from the same deploy: the
    browser asks each time, and the CDN answers that nothing has changed. Pictures may be late.
    """
    if Path(name).suffix in _PICTURES:
        return "public, max-age=86400"
    return "public, max-age=0, s-maxage=31536000, must-revalidate"
