"""The stand-in over HTTP: `/v1/*` for the SDK, `/sandbox/*` for whoever watches or moves it."""

import collections
import json
from typing import Any

from flask import Flask, Request, Response, jsonify, request

from sandbox.clock import SandboxClock
from sandbox.stripe import endpoints
from sandbox.stripe.clock_steps import ClockSteps
from sandbox.stripe.invoice_page import invoice_pages
from sandbox.stripe.orders import routes_of_orders
from sandbox.stripe.pages import hosted_pages
from sandbox.stripe.portal import portal_pages
from sandbox.stripe.state import Stripe
from sandbox.stripe.webhooks import Deliveries

REMEMBERED = 5000
FARTHEST = 10 * 366 * 86_400


def make(
    stripe: Stripe, deliveries: Deliveries, clock: SandboxClock, steps: ClockSteps, key: str
) -> Flask:
    """The whole application."""
    app = Flask(__name__)
    app.json.sort_keys = False  # type: ignore[attr-defined]  # Flask's default provider has it
    seen: collections.deque[dict[str, Any]] = collections.deque(maxlen=REMEMBERED)
    _api(app, stripe, key, seen)
    _watching(app, deliveries, clock, seen)
    _moving(app, stripe, steps)
    app.register_blueprint(hosted_pages(stripe))
    app.register_blueprint(portal_pages(stripe))
    app.register_blueprint(invoice_pages(stripe))
    routes_of_orders(app, stripe)
    return app


def _api(app: Flask, stripe: Stripe, key: str, seen: "collections.deque[dict[str, Any]]") -> None:
    @app.route("/v1/<path:_rest>", methods=["GET", "POST", "DELETE"])
    def call(_rest: str) -> Response:
        answer = _answer(stripe, key)
        seen.append({"method": request.method, "path": request.path, "status": answer.status_code})
        return answer


def _answer(stripe: Stripe, key: str) -> Response:
    given = _key(request)
    if given != key and given not in stripe.ledger.lacks:
        message = "Invalid API Key provided." if given else "You did not provide an API key."
        return _response(401, {"error": {"type": "invalid_request_error", "message": message}})
    version = request.headers.get("Stripe-Version", endpoints.API_VERSION)
    if version != endpoints.API_VERSION:
        message = f"The sandbox speaks version {endpoints.API_VERSION} only."
        return _response(400, {"error": {"type": "invalid_request_error", "message": message}})
    pairs = [*request.args.items(multi=True), *request.form.items(multi=True)]
    headers = {name.lower(): value for name, value in request.headers.items()}
    headers["authorization"] = f"Bearer {given}"  # curl may give it as a user's name
    answer = stripe.call(request.method, request.path, pairs, headers)
    return _response(answer.status, answer.body, answer.headers)


def _key(asked: Request) -> str | None:
    given = asked.authorization
    if given is None:
        return None
    return given.username if given.type == "basic" else given.token


def _response(status: int, body: object, headers: dict[str, str] | None = None) -> Response:
    known = {"Stripe-Version": endpoints.API_VERSION, "Request-Id": "req_refused"}
    return Response(
        json.dumps(body), status, known | (headers or {}), content_type="application/json"
    )


def _watching(
    app: Flask,
    deliveries: Deliveries,
    clock: SandboxClock,
    seen: "collections.deque[dict[str, Any]]",
) -> None:
    @app.get("/sandbox/health")
    def health() -> Response:
        return jsonify(ok=True)

    @app.get("/sandbox/deliveries")
    def delivered() -> Response:
        return jsonify(deliveries.seen())

    @app.get("/sandbox/clock")
    def now() -> Response:
        return jsonify(now=int(clock.now()))

    @app.get("/sandbox/requests")
    def requests() -> Response:
        return jsonify(list(seen))

    @app.delete("/sandbox/requests")
    def forget() -> Response:
        seen.clear()
        return Response(status=204)


def _moving(app: Flask, stripe: Stripe, steps: ClockSteps) -> None:
    @app.post("/sandbox/clock")
    def advance() -> Response:
        seconds = _body().get("advance")
        if not isinstance(seconds, int) or not 0 <= seconds <= FARTHEST:
            return _bad(f'{{"advance": seconds}} from 0 to {FARTHEST} is needed')
        return jsonify(now=steps.advance(seconds))

    @app.route("/sandbox/faults", methods=["GET", "POST", "DELETE"])
    def faults() -> Response:
        if request.method == "DELETE":
            stripe.trouble.clear()
        elif request.method == "POST":
            try:
                stripe.trouble.set(_body())
            except ValueError as e:
                return _bad(str(e))
        now = stripe.trouble.faults
        return jsonify({name: getattr(now, name) for name in now.__slots__})


def _body() -> dict[str, Any]:
    given = request.get_json(force=True, silent=True)
    return given if isinstance(given, dict) else {}


def _bad(message: str) -> Response:
    return _response(400, {"error": {"message": message}})
