"""Which file a path means: the rules that the CDN's routing function has."""

from dataclasses import dataclass
from pathlib import Path

NOT_FOUND = "404.html"


@dataclass(frozen=True, slots=True)
class Route:
    """What to answer: a file below the root, or the address that a page really has."""

    status: int
    file: str | None = None
    location: str | None = None


def route(path: str, root: Path) -> Route:
    """Resolve a decoded path.

    `/pricing` is `pricing.html`. `/pricing/` and `/pricing.html` lead to `/pricing`, so that a
    page has one address. Anything below `/password-reset/` is that page: the code is read there.
    """
    name = path.strip("/")
    if name.startswith("password-reset/"):
        return Route(200, "password-reset.html")
    page = name.removesuffix(".html") or "index"
    if page != "404" and _is_file(root, f"{page}.html"):
        address = "/" if page == "index" else f"/{page}"
        return Route(200, f"{page}.html") if path == address else Route(301, location=address)
    if path == f"/{name}" and name != NOT_FOUND and _is_file(root, name):
        return Route(200, name)
    return Route(404, NOT_FOUND)


def _is_file(root: Path, name: str) -> bool:
    """Whether it is a file of the site; hidden ones and types are not served."""
    if "\0" in name or "\\" in name or name.endswith(".d.ts"):
        return False
    if any(part.startswith(".") or not part for part in name.split("/")):
        return False
    found = (root / name).resolve()
    try:
        return found.is_relative_to(root.resolve()) and found.is_file()
    except OSError:
        return False  # a name longer than any file's
