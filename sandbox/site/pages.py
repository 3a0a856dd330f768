"""The static pages, as they are served."""

import gzip
from pathlib import Path

from werkzeug.wrappers import Request, Response

from chalicelib.domain.catalogue import Product
from ops import pages
from sandbox.site.headers import SECURITY
from sandbox.site.routing import route

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
        response = Response(
            pages.content(name, self._product, self._root),
            found.status,
            SECURITY,
            content_type=pages.content_type(name),
        )
        response.headers["Cache-Control"] = "no-cache"
        response.add_etag()
        return _compressed(response, request).make_conditional(request.environ)


def _compressed(response: Response, request: Request) -> Response:
    """As the CDN sends it to whoever takes gzip."""
    response.vary.add("Accept-Encoding")
    if request.accept_encodings.quality("gzip") and len(response.data) >= COMPRESSED_FROM:
        response.set_data(gzip.compress(response.data, mtime=0))
        response.headers["Content-Encoding"] = "gzip"
        etag, _ = response.get_etag()
        response.set_etag(str(etag), weak=True)
    return response
