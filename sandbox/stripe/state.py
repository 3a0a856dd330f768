"""Stripe without a socket: a call goes in, an answer comes out, and time passes in between."""

from collections.abc import Callable, Iterable, Mapping

from sandbox.stripe import customers, moments, parameters, restricted, routes
from sandbox.stripe.errors import NOT_FOUND, SERVER_ERROR, UNAVAILABLE, Refusal
from sandbox.stripe.faults import Trouble
from sandbox.stripe.idempotency import Answer, Answers, in_use
from sandbox.stripe.ledger import Ledger, random_id
from sandbox.stripe.lists import expanded
from sandbox.stripe.objects import Obj, copied

OK = 200


class Stripe:
    """The API over one account. Calls are served one after the other."""

    def __init__(
        self,
        now: Callable[[], float],
        *,
        new_id: Callable[[str], str] = random_id,
        url: str = "https://checkout.stripe.test",
    ) -> None:
        self.ledger = Ledger(now, new_id, url)
        self.trouble = Trouble()
        self._answers = Answers(now)

    def catch_up(self) -> bool:
        """Do what is due by now; whether anything was."""
        return moments.catch_up(self.ledger)

    def next_due(self) -> int | None:
        """When something happens by itself."""
        return moments.next_due(self.ledger)

    def vanish(self, customer_id: str) -> None:
        """A customer is gone, with all that was theirs, as if they had never been."""
        with self.ledger.lock:
            customers.vanish(self.ledger, customer_id)

    def call(
        self,
        method: str,
        path: str,
        pairs: Iterable[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Answer one request; header names in lower case."""
        used = restricted.key_of((headers or {}).get("authorization"))
        request_id = self.ledger.new_id("req_")
        key = (headers or {}).get("idempotency-key") if method == "POST" else None
        if key is None:
            return self._call(method, path, list(pairs), None, request_id, used)
        if not self._answers.enter(key):
            refusal = in_use(key)
            return _signed(Answer(refusal.status, refusal.body()), request_id)
        try:
            return self._call(method, path, list(pairs), key, request_id, used)
        finally:
            self._answers.leave(key)

    def _call(  # noqa: PLR0913, PLR0917 - what a request is made of
        self,
        method: str,
        path: str,
        pairs: list[tuple[str, str]],
        key: str | None,
        request_id: str,
        used: str | None,
    ) -> Answer:
        asked = (method, path, sorted(pairs))
        with self.ledger.lock:
            if self.trouble.is_out():
                return _signed(_failed(UNAVAILABLE, "Stripe is down, as ordered."), request_id)
            self.catch_up()
            self.ledger.cause = {"id": request_id, "idempotency_key": key}
            try:
                restricted.refuse_what_is_not_given(self.ledger, used, method, path)
                answer, executed = self._answer(method, path, pairs, key, asked)
            except Refusal as e:
                answer, executed = Answer(e.status, e.body()), e.executed
            finally:
                self.ledger.cause = {"id": None, "idempotency_key": None}
            answer = _signed(answer, request_id, **({"Idempotency-Key": key} if key else {}))
            if key and executed:
                self._answers.keep(key, asked, answer)
            return answer

    def _answer(
        self, method: str, path: str, pairs: list[tuple[str, str]], key: str | None, asked: object
    ) -> tuple[Answer, bool]:
        """The answer, and whether its key shall stand for it.

        Raises:
            Refusal: an answer, too.
        """
        if key and (before := self._answers.find(key, asked)):
            return before, False
        if method == "POST" and self.trouble.breaks_a_write():
            return _failed(SERVER_ERROR, "An error, as ordered."), True
        return Answer(OK, self._do(method, path, pairs)), True

    def _do(self, method: str, path: str, pairs: list[tuple[str, str]]) -> Obj:
        found = routes.find(method, path)
        if found is None:
            raise Refusal(
                f"Unrecognized request URL ({method}: {path}).", status=NOT_FOUND, executed=False
            )
        route, ids = found
        params = parameters.check(parameters.tree(pairs), route.params)
        with self.ledger.at(self.ledger.time_of(_customer_of(self.ledger, params, ids))):
            answer = route.does(self.ledger, params, *ids)
        paths = params.get("expand", [])
        return expanded(self.ledger, answer, paths) if paths else copied(answer)


NAMING = ("customer", "subscription", "invoice", "charge", "payment_intent")


def _customer_of(ledger: Ledger, params: Obj, ids: tuple[str, ...]) -> str | None:
    """Whom a call is about, where somebody lives by a test clock."""
    if not ledger.tables["test_helpers.test_clock"]:
        return None
    named = (*ids, *(str(params[name]) for name in NAMING if isinstance(params.get(name), str)))
    for object_id in named:
        found = ledger.find(object_id) or {}
        if found.get("object") == "dispute":
            found = ledger.tables["charge"].get(found["charge"], {})
        customer = object_id if found.get("object") == "customer" else found.get("customer")
        if customer:
            return str(customer)
    return None


def _failed(status: int, message: str) -> Answer:
    return Answer(status, {"error": {"type": "api_error", "message": message}})


def _signed(answer: Answer, request_id: str, **more: str) -> Answer:
    headers = {"Request-Id": request_id, **more, **answer.headers}
    return Answer(answer.status, answer.body, headers)
