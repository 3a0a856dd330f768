"""The static pages, as they are served."""

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


class Pages:
    """Files of a folder at clean addresses; a page is read when it is asked for."""

    def __init__(self, root: Path, product: Product) -> None:
        self._root = root
        self._names = {
            "{{product.name}}": html.escape(product.name),
            "{{product.support_email}}": html.escape(product.support_email),
        }

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
            self._read(file), found.status, SECURITY, content_type=_content_type(file)
        )
        response.headers["Cache-Control"] = "no-cache"
        response.add_etag()
        return response.make_conditional(request.environ)

    def _read(self, file: Path) -> bytes:
        if file.suffix != ".html":
            return file.read_bytes()
        text = file.read_text("utf-8")
        for placeholder, value in self._names.items():
            text = text.replace(placeholder, value)
        return text.encode()


def _content_type(file: Path) -> str:
    guessed = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    return _TYPES.get(file.suffix, guessed)
