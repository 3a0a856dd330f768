"""What is well-formed and still not allowed: the 422s."""

import json
import re
from collections.abc import Iterator

from sandbox.kubernetes import network_validation, quantities, selectors, sizes, statuses
from sandbox.kubernetes.kinds import Kind, Object
from sandbox.kubernetes.statuses import Invalid

_NAME = r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_SERVICE = r"[a-z]([-a-z0-9]*[a-z0-9])?"
_LONGEST_LABEL = 63
_LONGEST_NAME = 253
_LONGEST_ANNOTATIONS = 256 * 1024
_REQUIRED = "FieldValueRequired"

_QUALIFIED = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end "
    "with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "
    f"validation is '{_NAME}')"
)
_VALUE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or "
    "'.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',"
    f"  or '12345', regex used for validation is '({_NAME})?')"
)
_AS_LABEL = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and "
    "must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex "
    f"used for validation is '{_LABEL}')"
)
_AS_SUBDOMAIN = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
    "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used "
    f"for validation is '{_SUBDOMAIN}')"
)
_AS_SERVICE = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an "
    "alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or "
    f"'abc-123', regex used for validation is '{_SERVICE}')"
)
_KEY = r"[-._a-zA-Z0-9]+"
_AS_KEY = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',"
    f"  or 'KEY_NAME',  or 'key-name', regex used for validation is '{_KEY}')"
)
_HOLDING = ("ConfigMap", "Secret")
_BINDINGS = ("RoleBinding", "ClusterRoleBinding")
_RBAC = ("Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding")


def check(kind: Kind, obj: Object, before: Object | None) -> None:
    """Refuse an object that may not be stored.

    Raises:
        Refusal: 422 with everything that is wrong with it.
    """
    errors = [*_metadata(kind, obj), *_spec(kind, obj), *_immutable(kind, obj, before)]
    if errors:
        raise statuses.invalid(kind, obj["metadata"]["name"], errors)


def _bad(field: str, value: object, why: str) -> Invalid:
    shown = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return Invalid(field, f"Invalid value: {shown}: {why}")


def _metadata(kind: Kind, obj: Object) -> Iterator[Invalid]:
    metadata = obj["metadata"]
    yield from _name(kind, metadata["name"])
    yield from labels(metadata.get("labels") or {}, "metadata.labels")
    annotations = metadata.get("annotations") or {}
    for key in annotations:
        yield from _qualified(key.lower(), "metadata.annotations")
    size = sum(len(key) + len(value) for key, value in annotations.items())
    if size > _LONGEST_ANNOTATIONS:
        why = f"Too long: may not be more than {_LONGEST_ANNOTATIONS} bytes"
        yield Invalid("metadata.annotations", why, "FieldValueTooLong")


def _name(kind: Kind, name: str) -> Iterator[Invalid]:
    if kind.name in _RBAC:
        return
    if kind.name == "Namespace":
        pattern, longest, why = _LABEL, _LONGEST_LABEL, _AS_LABEL
    elif kind.name == "Service":
        pattern, longest, why = _SERVICE, _LONGEST_LABEL, _AS_SERVICE
    else:
        pattern, longest, why = _SUBDOMAIN, _LONGEST_NAME, _AS_SUBDOMAIN
    if len(name) > longest:
        yield _bad("metadata.name", name, f"must be no more than {longest} characters")
    if not re.fullmatch(pattern, name):
        yield _bad("metadata.name", name, why)


def labels(found: Object, field: str) -> Iterator[Invalid]:
    """What is wrong with a map of labels."""
    for key, value in found.items():
        yield from _qualified(key, field)
        if len(value) > _LONGEST_LABEL:
            yield _bad(field, value, f"must be no more than {_LONGEST_LABEL} bytes")
        if not re.fullmatch(f"({_NAME})?", value):
            yield _bad(field, value, _VALUE)


def _qualified(key: str, field: str) -> Iterator[Invalid]:
    prefix, slash, name = key.rpartition("/")
    if slash and not re.fullmatch(_SUBDOMAIN, prefix):
        yield _bad(field, key, f"prefix part {_AS_SUBDOMAIN}")
    if not name:
        yield _bad(field, key, "name part must be non-empty")
    if len(name) > _LONGEST_LABEL:
        yield _bad(field, key, f"name part must be no more than {_LONGEST_LABEL} bytes")
    if not re.fullmatch(_NAME, name):
        yield _bad(field, key, _QUALIFIED)


def _spec(kind: Kind, obj: Object) -> Iterator[Invalid]:
    check_kind = {
        "ResourceQuota": _quota,
        "LimitRange": _limits,
        "NetworkPolicy": network_validation.network_policy,
        "Service": _service,
        "Pod": _pod,
        "Deployment": _workload,
        "DaemonSet": _workload,
        "ReplicaSet": _workload,
        "StatefulSet": _workload,
    }.get(kind.name)
    if check_kind:
        yield from check_kind(obj.get("spec") or {})
    if kind.name in _BINDINGS:
        yield from _binding(obj)
    if kind.name in _HOLDING:
        yield from _data(obj)


def _data(obj: Object) -> Iterator[Invalid]:
    for field in ("data", "binaryData"):
        for key in obj.get(field) or {}:
            if not re.fullmatch(_KEY, key):
                yield _bad(f"{field}[{key}]", key, _AS_KEY)
    if sizes.of_data(obj) > sizes.LARGEST_DATA:
        why = f"Too long: may not be more than {sizes.LARGEST_DATA} bytes"
        yield Invalid("data" if obj["kind"] == "Secret" else "[]", why, "FieldValueTooLong")


def _binding(obj: Object) -> Iterator[Invalid]:
    ref = obj.get("roleRef") or {}
    kinds = ("ClusterRole", "Role") if obj["kind"] == "RoleBinding" else ("ClusterRole",)
    if ref.get("kind") not in kinds:
        listed = ", ".join(f'"{kind}"' for kind in kinds)
        why = f'Unsupported value: "{ref.get("kind", "")}": supported values: {listed}'
        yield Invalid("roleRef.kind", why, "FieldValueNotSupported")
    if not ref.get("name"):
        yield Invalid("roleRef.name", "Required value", _REQUIRED)
    for index, subject in enumerate(obj.get("subjects") or []):
        for field in ("kind", "name"):
            if not subject.get(field):
                yield Invalid(f"subjects[{index}].{field}", "Required value", _REQUIRED)


def _quota(spec: Object) -> Iterator[Invalid]:
    for name, value in (spec.get("hard") or {}).items():
        if quantities.amount(value) < 0:
            yield _bad(f"spec.hard[{name}]", value, "must be greater than or equal to 0")


def _service(spec: Object) -> Iterator[Invalid]:
    if spec.get("type") == "ExternalName":
        if not spec.get("externalName"):
            yield Invalid("spec.externalName", "Required value", _REQUIRED)
        return
    if not spec.get("ports") and spec.get("clusterIP") != "None":
        yield Invalid("spec.ports", "Required value", _REQUIRED)


def _limits(spec: Object) -> Iterator[Invalid]:
    for index, item in enumerate(spec.get("limits") or []):
        yield from _limit(item, f"spec.limits[{index}]")


def _limit(item: Object, field: str) -> Iterator[Invalid]:
    for low, is_low, high, is_high in (
        ("defaultRequest", "default request", "default", "default limit"),
        ("min", "min", "max", "max"),
        ("default", "default", "max", "max"),
    ):
        for name, value in (item.get(low) or {}).items():
            most = (item.get(high) or {}).get(name)
            if most is not None and quantities.amount(value) > quantities.amount(most):
                why = f"{is_low} value {value} is greater than {is_high} value {most}"
                yield _bad(f"{field}.{low}[{name}]", value, why)


def _pod(spec: Object, field: str = "spec") -> Iterator[Invalid]:
    containers = spec.get("containers") or []
    if not containers:
        yield Invalid(f"{field}.containers", "Required value", _REQUIRED)
    for index, container in enumerate(containers):
        at = f"{field}.containers[{index}]"
        for name in ("name", "image"):
            if not container.get(name):
                yield Invalid(f"{at}.{name}", "Required value", _REQUIRED)
        resources = container.get("resources") or {}
        for name, request in (resources.get("requests") or {}).items():
            limit = (resources.get("limits") or {}).get(name)
            if limit is not None and quantities.amount(request) > quantities.amount(limit):
                why = f"must be less than or equal to {name} limit of {limit}"
                yield _bad(f"{at}.resources.requests", request, why)


def _workload(spec: Object) -> Iterator[Invalid]:
    selector, template = spec.get("selector") or {}, spec.get("template") or {}
    if not selector:
        yield Invalid("spec.selector", "Required value", _REQUIRED)
    found = (template.get("metadata") or {}).get("labels") or {}
    if selector and not selectors.selects(selector, found):
        why = "`selector` does not match template `labels`"
        yield _bad("spec.template.metadata.labels", found, why)
    yield from _pod(template.get("spec") or {}, "spec.template.spec")


def _no_new_finalizers(obj: Object, before: Object) -> Iterator[Invalid]:
    if "deletionTimestamp" not in before["metadata"]:
        return
    had = before["metadata"].get("finalizers") or []
    if new := [each for each in obj["metadata"].get("finalizers") or [] if each not in had]:
        listed = ", ".join(json.dumps(each) for each in new)
        why = (
            "Forbidden: no new finalizers can be added if the object is being deleted, found new "
            f"finalizers []string{{{listed}}}"
        )
        yield Invalid("metadata.finalizers", why, "FieldValueForbidden")


def _immutable(kind: Kind, obj: Object, before: Object | None) -> Iterator[Invalid]:
    if before is None:
        return
    yield from _no_new_finalizers(obj, before)
    if kind.name in _BINDINGS:
        ref = obj.get("roleRef") or {}
        if ref != before.get("roleRef"):
            shown = {
                "APIGroup": ref.get("apiGroup", ""),
                "Kind": ref.get("kind", ""),
                "Name": ref.get("name", ""),
            }
            yield _bad("roleRef", shown, "cannot change roleRef")
    if kind.group == "apps" and obj["spec"].get("selector") != before["spec"].get("selector"):
        yield _bad("spec.selector", obj["spec"].get("selector"), "field is immutable")
    if kind.name == "ConfigMap" and before.get("immutable"):
        for name in ("data", "binaryData", "immutable"):
            if obj.get(name) != before.get(name):
                why = "Forbidden: field is immutable when `immutable` is set"
                yield Invalid(name, why, "FieldValueForbidden")
