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
        file = self._root / str(found.file)
        response = Response(
            rendered(file, self._product), found.status, SECURITY, content_type=content_type(file)
        )
        response.headers["Cache-Control"] = "no-cache"
        response.add_etag()
        return _compressed(response, request).make_conditional(request.environ)


def rendered(file: Path, product: Product) -> bytes:
    """What is served of a file: a page with the product's name and address, else the file."""
    if file.suffix != ".html":
        return file.read_bytes()
    text = file.read_text("utf-8")
    for placeholder, value in (
        ("{{product.name}}", product.name),
        ("{{product.support_email}}", product.support_email),
    ):
        text = text.replace(placeholder, html.escape(value))
    return text.encode()


def content_type(file: Path) -> str:
    """The type that a file is sent with."""
    guessed = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    return _TYPES.get(file.suffix, guessed)


def _compressed(response: Response, request: Request) -> Response:
    """As the CDN sends it to whoever takes gzip."""
    response.vary.add("Accept-Encoding")
    if "gzip" in request.accept_encodings and len(response.data) >= COMPRESSED_FROM:
        response.set_data(gzip.compress(response.data, mtime=0))
        response.headers["Content-Encoding"] = "gzip"
        etag, _ = response.get_etag()
        response.set_etag(str(etag), weak=True)
    return response
