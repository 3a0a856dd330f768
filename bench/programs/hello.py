"""The least that Chalice can be: one route, one answer."""

import os

from chalice.app import Chalice

app = Chalice(app_name="hello")
EVENT = {
    "requestContext": {"resourcePath": "/", "httpMethod": "GET", "requestId": "r"},
    "headers": {}, "multiValueHeaders": {}, "pathParameters": {}, "stageVariables": None,
    "multiValueQueryStringParameters": None, "body": None, "isBase64Encoded": False,
}  # fmt: skip


@app.route("/")
def index() -> dict[str, str]:
    """Say so."""
    return {"hello": "world"}


ok = app(EVENT, None)["statusCode"] == 200  # noqa: PLR2004 - HTTP's own word for it
os._exit(0 if ok else 1)
