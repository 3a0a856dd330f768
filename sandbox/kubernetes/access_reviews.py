"""`kubectl auth can-i`: whether somebody may do something, without doing it."""

from sandbox.kubernetes import authorization, managed, protobuf, statuses
from sandbox.kubernetes.authorization import ANONYMOUS, Asked, User
from sandbox.kubernetes.kinds import Kind, Object
from sandbox.kubernetes.managed import Manager
from sandbox.kubernetes.requests import Answer, Request, as_json
from sandbox.kubernetes.store import Store

GROUP = "authorization.k8s.io"
PATH = f"/apis/{GROUP}/v1/"
KIND = Kind(GROUP, "v1", "SelfSubjectAccessReview", "selfsubjectaccessreviews", namespaced=False)


def answer(store: Store, user: User, request: Request, now: str) -> Answer:
    """Answer a SelfSubjectAccessReview; nothing of it is kept.

    Raises:
        Refusal: 403 for nobody, 404 and 405 for anything else.
    """
    if request.path.removeprefix(PATH).strip("/") != KIND.plural:
        authorization.check_unserved(user, request)
        raise statuses.no_such_resource()
    if request.method != "POST":
        raise statuses.method_not_allowed()
    if user == ANONYMOUS:
        why = (
            f'User "{user.name}" cannot create resource "{KIND.plural}" '
            f'in API group "{GROUP}" at the cluster scope'
        )
        raise statuses.forbidden(KIND, "", why)
    body = request.either(protobuf.access_review)
    spec = body.get("spec") or {}
    review: Object = {"kind": KIND.name, "apiVersion": KIND.api_version, "metadata": {}}
    asked = spec.get("resourceAttributes")
    if not isinstance(asked, dict):
        error = statuses.Invalid(
            "spec.resourceAttributes",
            "Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes "
            "must be specified",
        )
        raise statuses.invalid(KIND, "", [error])
    because = authorization.reason(store, user, _asked(asked))
    status: Object = {"allowed": because is not None}
    if because:
        status["reason"] = because
    by = Manager(request.manager, "Update", KIND.api_version)
    owned = frozenset(
        {
            ("f:spec", "f:resourceAttributes"),
            *(("f:spec", "f:resourceAttributes", f"f:{name}") for name in asked),
        }
    )
    review = managed.put({**review, "spec": spec}, [managed.Share(by, owned, now)])
    return as_json(201, {**review, "status": status})


def _asked(given: Object) -> Asked:
    resource, below = given.get("resource", ""), given.get("subresource", "")
    return Asked(
        given.get("verb", ""),
        given.get("group", ""),
        f"{resource}/{below}" if below else resource,
        given.get("namespace", ""),
        given.get("name", ""),
    )
