"""What stands before moto: counts calls, plays outages, and keeps the sandbox's own routes."""

import json
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qs

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from sandbox.aws import callers
from sandbox.aws.accounts import Accounts
from sandbox.aws.conflicts import Conflicts
from sandbox.aws.mailbox import Mailbox
from sandbox.aws.polling import Polling
from sandbox.aws.wire import Answer, Call, Handler, refused, through

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

Service = Literal["dynamodb", "sqs", "cognito-idp", "ssm"]
SERVICES: tuple[Service, ...] = ("dynamodb", "sqs", "cognito-idp", "ssm")


class Front:
    """The WSGI application that the aws part serves."""

    def __init__(self) -> None:
        moto = through(DomainDispatcherApplication(create_backend_app))
        self.mailbox = Mailbox()
        self.conflicts = Conflicts(moto)
        self.polling = Polling(moto)
        self._moto = moto
        self._services: dict[str, Handler] = {
            "dynamodb": self.conflicts,
            "sqs": self.polling,
            "cognito-idp": Accounts(moto, self.mailbox),
            "ssm": moto,
        }
        self._counts: dict[str, Counter[str]] = defaultdict(Counter)
        self._rights: dict[str, set[callers.Right]] = defaultdict(set)
        self._counting = threading.Lock()
        self._away_until: dict[str, float] = {}

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Serve one request."""
        call = Call.read(environ)
        answer = self._serve(call)
        start_response(f"{answer.status} .", list(answer.headers))
        return [answer.raw]

    def _serve(self, call: Call) -> Answer:
        path = str(call.environ.get("PATH_INFO", ""))
        if path.startswith("/sandbox/"):
            return self._control(call, path)
        if not call.service:
            return self._moto(call)  # the pool's public keys
        with self._counting:
            self._counts[call.service][call.action] += 1
            if caller := callers.key_id(call):
                self._rights[caller].update(callers.rights(call))
        if time.monotonic() < self._away_until.get(call.service, 0):
            return refused("ServiceUnavailable", "Played by the sandbox.", status=503)
        return self._services[call.service](call)

    def _control(self, call: Call, path: str) -> Answer:
        method = call.environ["REQUEST_METHOD"]
        if (method, path) == ("GET", "/sandbox/health"):
            return _json({"ok": True})
        if (method, path) == ("GET", "/sandbox/mail"):
            asked = parse_qs(str(call.environ.get("QUERY_STRING", ""))).get("to")
            return _json(self.mailbox.to(asked[0] if asked else None))
        if (method, path) == ("GET", "/sandbox/requests"):
            with self._counting:
                return _json({service: dict(counts) for service, counts in self._counts.items()})
        if (method, path) == ("GET", "/sandbox/callers"):
            with self._counting:
                return _json({who: sorted(used) for who, used in self._rights.items()})
        if (method, path) == ("POST", "/sandbox/faults"):
            return self._faults(call.body)
        return _json({"error": "the sandbox has no such route"}, 404)

    def _faults(self, asked: Any) -> Answer:  # noqa: ANN401 - JSON
        """Take what is named; each fault that is not named stays as it is."""
        try:
            rate = float(asked.get("transaction_conflicts", self.conflicts.rate))
            services = asked.get("services", SERVICES)
            outage = asked.get("outage")
            until = None if outage is None else time.monotonic() + float(outage)
            known = isinstance(services, list | tuple) and set(services) <= set(SERVICES)
        except (TypeError, ValueError):
            known, rate, services, until = False, 0.0, (), None
        if not known or not 0 <= rate <= 1:
            shape = f"transaction_conflicts: 0..1, outage: seconds, services: {list(SERVICES)}"
            return _json({"error": shape}, 400)
        self.conflicts.rate = rate
        if until is not None:
            self._away_until |= dict.fromkeys(services, until)
        left = {s: round(u - time.monotonic(), 3) for s, u in self._away_until.items()}
        away = {service: seconds for service, seconds in left.items() if seconds > 0}
        return _json({"transaction_conflicts": rate, "outage": away})


def _json(body: object, status: int = 200) -> Answer:
    headers = [("Content-Type", "application/json"), ("Cache-Control", "no-store")]
    return Answer(status, headers, json.dumps(body).encode())
