"""The API server as a state machine in memory: a request in, an answer out, no socket."""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from sandbox.kubernetes import (
    access_reviews,
    admission,
    authorization,
    controllers,
    deletion,
    discovery,
    kinds,
    openapi,
    paging,
    running,
    selectors,
    sizes,
    statuses,
    subresources,
    tables,
    writing,
)
from sandbox.kubernetes.authorization import ANONYMOUS, User
from sandbox.kubernetes.kinds import Object
from sandbox.kubernetes.requests import Answer, Request, Target, as_json, as_text, target_of
from sandbox.kubernetes.statuses import Refusal
from sandbox.kubernetes.store import Store
from sandbox.kubernetes.watching import Watch

_NAMESPACE = kinds.by_name("Namespace")

Later = Callable[[Callable[[], None]], None]
"""Sees to it that something is done after a while."""


class Cluster:
    """Objects, and the rules by which requests change them.

    Args:
        users: who may come in, by bearer token.
        later: called with what ends the deletion of a namespace; whoever gives none calls
            `finish_deletions` when it suits them.
        clock: epoch seconds, for the times written into objects.
        runs_workloads: whether workloads have pods, as where there are controllers and a node.
    """

    def __init__(
        self,
        users: Mapping[str, User],
        later: Later | None = None,
        clock: Callable[[], float] = time.time,
        *,
        runs_workloads: bool = False,
    ) -> None:
        self.authenticate: Callable[[str], User | None] = lambda _: None
        """Asked about a token that is none of those given: another system's, such as AWS's."""
        self._users = {token: (user, math.inf) for token, user in users.items()}
        self._later = later
        self._runs_workloads = runs_workloads
        self._clock = clock
        self._store = Store()
        with self._store.lock:
            for name in ("default", "kube-node-lease", "kube-public", "kube-system"):
                self._start_with(name)

    @property
    def _now(self) -> str:
        return datetime.fromtimestamp(self._clock(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def handle(self, request: Request) -> Answer:
        """Answer one request; requests are answered one at a time."""
        with self._store.lock:
            try:
                sizes.check_body(request.body)
                return self._answer(request)
            except Refusal as refusal:
                return as_json(refusal.code, refusal.body)

    def finish_deletions(self, uid: str | None = None) -> None:
        """Let pods end, and namespaces that are Terminating go, all or the one of this uid."""
        with self._store.lock:
            self.end_pods()
            deletion.finish(self._store, uid)

    def end_pods(self) -> None:
        """Let pods end that were given a short time to."""
        with self._store.lock:
            for namespace in deletion.end_pods(self._store):
                self._settle(namespace)

    def _settle(self, namespace: str) -> None:
        """Let the controllers look at a namespace."""
        if self._runs_workloads and running.settle(self._store, namespace, self._now):
            self._end_pods_later()
        controllers.settle(self._store, namespace, self._now)

    def _end_pods_later(self) -> None:
        if self._later:
            self._later(self.end_pods)

    def _start_with(self, name: str) -> None:
        config: Object = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        self._store.put(_NAMESPACE, writing.new(_NAMESPACE, config, self._now, "kube-apiserver"))
        self._settle(name)

    def _answer(self, request: Request) -> Answer:
        user = self._user(request)
        try:
            target = target_of(request.path)
        except Refusal:
            authorization.check_unserved(user, request)
            raise
        if target is None:
            return self._outside(user, request)
        authorization.check(self._store, user, request, target)
        if target.subresource:
            return self._below(user, request, target)
        match request.method, bool(target.name):
            case "GET", True:
                return self._get(request, target)
            case "GET", False:
                return self._list(request, target)
            case "DELETE", named if named or target.namespace:
                return (self._delete if named else self._delete_all)(user, request, target)
            case ("PATCH" | "PUT", True) | ("POST", False):
                return self._write(user, request, target)
        raise statuses.method_not_allowed()

    def _outside(self, user: User, request: Request) -> Answer:
        """What is no object: access reviews, and what tells which objects there are."""
        if request.path.startswith(access_reviews.PATH):
            return access_reviews.answer(self._store, user, request, self._now)
        authorization.check_path(user, request)
        found = discovery.answer(request) or openapi.answer(request.path)
        if found is None:
            authorization.check_unserved(user, request)
        return found or as_text(404, "404 page not found\n")

    def _user(self, request: Request) -> User:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if not token:
            return ANONYMOUS
        user, until = self._users.get(token) or (self.authenticate(token), math.inf)
        if user is None or scheme.lower() != "bearer" or until <= self._clock():
            raise statuses.unauthorized()
        return user

    def _issue(self, token: str, user: User, until: float) -> None:
        self._users[token] = (user, until)

    def _below(self, user: User, request: Request, target: Target) -> Answer:
        found = self._found(target)
        if not subresources.served(target):
            raise statuses.no_such_resource()
        if target.subresource == "status":
            return self._status(user, request, target, found)
        if target.subresource == "scale":
            answer = subresources.scale(self._store, user, request, target, found, self._now)
            self._settle(target.namespace)
            return answer
        if request.method != "POST":
            raise statuses.method_not_allowed()
        if target.subresource == "binding":
            return subresources.binding(self._store, request, target, found)
        asked: Object = {"metadata": {"name": target.name, "namespace": target.namespace}}
        admission.check_policies(self._store, user, request, target, asked, None)
        return subresources.token(request, target, found, self._clock(), self._issue)

    def _get(self, request: Request, target: Target) -> Answer:
        return as_json(200, self._shown(request, target, [self._found(target)]))

    def _list(self, request: Request, target: Target) -> Answer:
        labels, fields = (request.query.get(f"{s}Selector", "") for s in ("label", "field"))
        matches = selectors.matcher(labels, fields)
        if request.watches:
            watch = Watch(
                self._store, target, matches, lambda obj: self._shown(request, target, [obj])
            )
            return Answer(200, "application/json", b"", watch.lines(request))
        kind = target.kind
        found = [o for o in self._store.all(kind, target.namespace or None) if matches(o)]
        if tables.wanted(request):
            return as_json(200, self._shown(request, target, found))
        page, metadata = paging.page(request, found, self._store.version)
        items = [{k: v for k, v in o.items() if k not in ("kind", "apiVersion")} for o in page]
        head = {"kind": f"{kind.name}List", "apiVersion": kind.api_version}
        return as_json(200, {**head, "metadata": metadata, "items": items})

    def _shown(self, request: Request, target: Target, found: list[Object]) -> Object:
        """As the client prefers it: a table, or the one object itself."""
        if tables.wanted(request):
            return tables.of(target.kind, found, self._store.version, self._now)
        return found[0]

    def _write(self, user: User, request: Request, target: Target) -> Answer:
        status, obj = writing.write(self._store, user, request, target, self._now)
        if not request.dry_run and deletion.let_go(self._store, target, obj):
            self._finish_later(self._store.get(_NAMESPACE, "", target.namespace))
        elif not request.dry_run:
            self._settle(target.scope or obj["metadata"]["name"])
        return as_json(status, obj)

    def _delete(self, user: User, request: Request, target: Target) -> Answer:
        found = self._found(target)
        deletion.check(request, target, found)
        admission.check_policies(self._store, user, request, target, None, found)
        answer, unfinished = deletion.delete(self._store, request, target, found, self._now)
        if unfinished and not request.dry_run:
            self._finish_later(found)
        if not request.dry_run and target.namespace:
            self._settle(target.namespace)
        return as_json(200, answer)

    def _delete_all(self, user: User, request: Request, target: Target) -> Answer:
        labels, fields = (request.query.get(f"{s}Selector", "") for s in ("label", "field"))
        matches = selectors.matcher(labels, fields)
        kind, gone = target.kind, []
        for obj in self._store.all(kind, target.namespace or None):
            if matches(obj):
                self._delete(user, request, replace(target, name=obj["metadata"]["name"]))
                gone.append({k: v for k, v in obj.items() if k not in ("kind", "apiVersion")})
        head = {"kind": f"{kind.name}List", "apiVersion": kind.api_version}
        metadata = {"resourceVersion": str(self._store.version)}
        return as_json(200, {**head, "metadata": metadata, "items": gone})

    def _status(self, user: User, request: Request, target: Target, found: Object) -> Answer:
        if request.method == "GET":
            return as_json(200, found)
        if request.method not in ("PATCH", "PUT"):
            raise statuses.method_not_allowed()
        after = writing.write_status(self._store, user, request, target, found, self._now)
        return as_json(200, after)

    def _finish_later(self, namespace: Object | None) -> None:
        if self._later and namespace is not None:
            self._later(partial(self.finish_deletions, namespace["metadata"]["uid"]))

    def _found(self, target: Target) -> Object:
        found = self._store.get(target.kind, target.namespace, target.name)
        if found is None:
            raise statuses.not_found(target.kind, target.name)
        return found
