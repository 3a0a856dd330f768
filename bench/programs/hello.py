"""The least that Chalice can be: one route, one answer."""

import os

from chalice.app import Chalice

app = Chalice(app_name="hello")


@app.route("/")
def index():
    return {"hello": "world"}


EVENT = {
    "requestContext": {"resourcePath": "/", "httpMethod": "GET", "requestId": "r"},
    "headers": {}, "multiValueHeaders": {}, "pathParameters": {}, "stageVariables": None,
    "multiValueQueryStringParameters": None, "body": None, "isBase64Encoded": False,
}  # fmt: skip
assert app(EVENT, None)["statusCode"] == 200
