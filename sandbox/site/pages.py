"""The static pages, as they are served."""

from pathlib import Path

from werkzeug.wrappers import Request, Response

from chalicelib.domain.catalogue import Product
from ops import pages
from sandbox.site.headers import SECURITY
from sandbox.site.routing import route


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
        return response.make_conditional(request.environ)
