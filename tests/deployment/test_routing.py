"""The CDN's routing function, run: the same answers as the sandbox's, from another language."""

import json
from urllib.parse import quote

import pytest
import quickjs

from chalicelib import wiring
from ops import pages, templates
from sandbox.site.headers import SECURITY
from tests.addresses import CASES, FILES

PRODUCT = wiring.catalogue().product
NOT_FOUND = "<p>Nothing here: “404”</p>"


class Function:
    """The function in a JavaScript engine, called as CloudFront calls it."""

    def __init__(self, text):
        self._context = quickjs.Context()
        self._context.eval(text)

    def __call__(self, uri, query=None):
        """What CloudFront is told to do."""
        event = {
            "version": "1.0",
            "context": {"eventType": "viewer-request"},
            "viewer": {"ip": "192.0.2.1"},
            "request": {
                "method": "GET", "uri": uri, "querystring": query or {}, "headers": {}, "cookies": {},
            },
        }  # fmt: skip
        return json.loads(self._context.eval(f"JSON.stringify(handler({json.dumps(event)}))"))


@pytest.fixture(scope="module")
def function():
    """For the table's site."""
    return Function(templates.routing_of(list(FILES), NOT_FOUND, SECURITY))


@pytest.fixture(scope="module")
def deployed():
    """For the pages as they are: what `ops deploy` sends to CloudFront."""
    return Function(templates.routing(PRODUCT))


@pytest.mark.parametrize(("path", "status", "target"), CASES)
def test_a_path_means_one_file(function, path, status, target):
    """As in the sandbox, path by path."""
    answer = function(quote(path, safe="/.\\"))
    if status == 200:
        assert answer["uri"] == f"/{target}"
        assert "statusCode" not in answer, "it is a request that goes on to the bucket"
        return
    assert answer["statusCode"] == status
    if status == 301:
        assert answer["headers"]["location"] == {"value": target}
    else:
        assert answer["body"] == {"encoding": "text", "data": NOT_FOUND}
        assert answer["headers"]["content-type"]["value"] == "text/html; charset=utf-8"


def test_what_the_function_answers_itself_has_the_headers(function):
    """The CDN's policy is for what comes from the bucket."""
    for uri in ("/nothing", "/pricing/"):
        sent = {name: held["value"] for name, held in function(uri)["headers"].items()}
        assert {name.lower(): value for name, value in SECURITY.items()}.items() <= sent.items()


def test_a_malformed_address_is_no_page(function):
    """Percent signs that mean nothing are answered, not thrown at CloudFront."""
    assert function("/%E0%A4%A")["statusCode"] == 404


def test_a_redirect_keeps_the_query(function):
    """All of it, in the encoding in which it came."""
    query = {
        "plan": {"value": "basic"},
        "returnTo": {"value": "%2Fpricing%3Fa%3Db"},
        "x": {"value": "1", "multiValue": [{"value": "1"}, {"value": "2"}]},
        "flag": {"value": ""},
    }
    location = function("/pricing/", query)["headers"]["location"]["value"]
    assert location == "/pricing?plan=basic&returnTo=%2Fpricing%3Fa%3Db&x=1&x=2&flag"


def test_every_page_that_ships_has_its_address(deployed):
    """And the types beside the scripts have none."""
    for name in pages.names():
        page = name.removesuffix(".html")
        address = {"index": "/"}.get(page, f"/{page}")
        if name != "404.html":
            assert deployed(address)["uri"] == f"/{name}"
    assert deployed("/js/types.d.ts")["statusCode"] == 404
    assert PRODUCT.name in deployed("/nothing")["body"]["data"]


def test_the_function_is_small_enough():
    """CloudFront takes ten kilobytes; the list of pages and the 404 page are in it."""
    assert len(templates.routing(PRODUCT).encode()) < templates.MOST_OF_A_FUNCTION
