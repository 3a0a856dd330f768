"""The static pages, as they are served."""

import gzip
import html
import mimetypes
from pathlib import Path

from werkzeug.wrappers import Request, Response

from chalicelib.domain.catalogue import Product
from sandbox.site.headers import SECURITY
from sandbox.site.routing import route

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
COMPRESSED_FROM = 1000
"""Bytes; the CDN leaves anything smaller as it is."""


class Pages:
    """Files of a folder at clean addresses; a page is read when it is asked for."""

    def __init__(self, root: Path, product: Product) -> None:
        self._root = root
        self._product = product

    def __call__(self, request: Request) -> Response:
        """Answer one request."""
        if request.method not in {"GET", "HEAD"}:
            return Response("Pages are read only.\n", 405, {**SECURITY, "Allow": "GET, HEAD"})
        found = route(request.path, self._root)
        if found.location:
            query = request.query_string.decode("latin-1")
            location = f"{found.location}?{query}" if query else found.location
            return Response("", found.status, {**SECURITY, "Location": location})
        name = str(found.file)
        body = rendered(self._root, name, self._product)
        response = Response(body, found.status, SECURITY, content_type=content_type(name))
        response.headers["Cache-Control"] = "no-cache"
        response.add_etag()
        return _compressed(response, request).make_conditional(request.environ)


def rendered(root: Path, name: str, product: Product) -> bytes:
    """What is served of a file: a page with the product's name, address and logo, else the file.

    The logo is part of the page, so that no page waits for it, and stands in `logo.svg` alone.
    """
    file = root / name
    if file.suffix != ".html":
        return file.read_bytes()
    text = file.read_text("utf-8")
    for placeholder, value in (
        ("{{product.name}}", html.escape(product.name)),
        ("{{product.support_email}}", html.escape(product.support_email)),
        ("{{logo}}", (root / "logo.svg").read_text("utf-8").strip()),
    ):
        text = text.replace(placeholder, value)
    return text.encode()


def content_type(name: str) -> str:
    """The type that a file is sent with."""
    guessed = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return _TYPES.get(Path(name).suffix, guessed)


def _compressed(response: Response, request: Request) -> Response:
    """As the CDN sends it to whoever takes gzip."""
    response.vary.add("Accept-Encoding")
    if request.accept_encodings.quality("gzip") and len(response.data) >= COMPRESSED_FROM:
        response.set_data(gzip.compress(response.data, mtime=0))
        response.headers["Content-Encoding"] = "gzip"
        etag, _ = response.get_etag()
        response.set_etag(str(etag), weak=True)
    return response
