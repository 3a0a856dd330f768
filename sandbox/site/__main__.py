"""`python -m sandbox.site --port N --api URL --aws URL`."""

import argparse
from pathlib import Path

from werkzeug.wrappers import Request, Response

from chalicelib import wiring
from sandbox import wsgi
from sandbox.site.mailbox import MailPages
from sandbox.site.pages import Pages
from sandbox.site.proxy import Proxy

ROOT = Path(__file__).parents[2] / "static_site"


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(prog="sandbox.site")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--api", required=True, help="where /api/* goes")
    parser.add_argument("--aws", required=True, help="where the mailbox is")
    given = parser.parse_args()
    api, mail = Proxy(given.api), MailPages(given.aws)
    pages = Pages(ROOT, wiring.catalogue().product)

    @Request.application
    def site(request: Request) -> Response:
        if request.path.startswith("/api/"):
            return api(request)
        if request.path == "/sandbox" or request.path.startswith("/sandbox/"):
            return mail(request)
        return pages(request)

    wsgi.serve("site", given.port, site)


if __name__ == "__main__":
    main()
