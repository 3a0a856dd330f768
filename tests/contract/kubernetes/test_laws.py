"""What holds whatever is applied by whomever."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.kubernetes import kinds, regenerate, schema
from tests.contract.kubernetes.asked import Asked

datas = st.dictionaries(st.sampled_from("abcd"), st.sampled_from("12"))


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["us", "them"]), datas), max_size=8))
def test_forced_applies_leave_what_somebody_still_wants(applies):
    """Each key has the value of whoever set it last, and goes when nobody lists it any more."""
    asked, wants, values = Asked(), {"us": {}, "them": {}}, {}
    for manager, data in applies:
        _, got = asked.apply("m", data, manager, force=True)
        other = "them" if manager == "us" else "us"
        values |= data
        for key in [key for key in wants[other] if key in data and wants[other][key] != data[key]]:
            del wants[other][key]
        wants[manager] = dict(data)
        values = {k: v for k, v in values.items() if k in wants["us"] or k in wants["them"]}
        assert got.get("data", {}) == values


@settings(deadline=None)
@given(datas)
def test_applying_the_same_again_is_nothing(data):
    """Same object, same resourceVersion, 200."""
    asked = Asked()
    _, first = asked.apply("m", data)
    assert asked.apply("m", data) == (200, first)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["", "1", "x y", "Always"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["name", "type", "a"]), inner, max_size=2)
    ),
    max_leaves=4,
)


@settings(deadline=None)
@given(st.sampled_from(kinds.KINDS), st.sampled_from(["PATCH", "POST"]), st.data())
def test_no_body_is_too_odd_for_an_answer(kind, method, data):
    """Whatever stands in whichever field, the answer is the object or a Status."""
    fields = schema.of(kind).fields
    names = [name for name in fields if name not in {"apiVersion", "kind", "metadata"}]
    body = {name: odd(data, fields[name]) for name in data.draw(st.sets(st.sampled_from(names)))}
    metadata = {"name": "n", **data.draw(st.dictionaries(st.sampled_from(METADATA), anything))}
    body |= {"apiVersion": kind.api_version, "kind": kind.name, "metadata": metadata}
    path = f"/apis/{kind.api_version}" if kind.group else "/api/v1"
    path += "/namespaces/default" if kind.namespaced else ""
    path += f"/{kind.plural}" + ("/n?fieldManager=us" if method == "PATCH" else "")
    status, answer = Asked().ask(method, path, body, content_type=TYPES[method])
    assert answer["kind"] == (kind.name if status == 201 else "Status")


METADATA = ["labels", "annotations", "finalizers", "generation", "uid", "namespace"]
TYPES = {"PATCH": "application/apply-patch+yaml", "POST": "application/json"}


def odd(data, notation):
    """A value for a field: anything, or a struct with odd fields."""
    kind = schema.parse(notation)
    if kind.form != "struct" or data.draw(st.integers(0, 4)) == 0:
        return data.draw(anything)
    names = data.draw(st.sets(st.sampled_from(sorted(kind.fields)), max_size=3))
    return {name: odd(data, kind.fields[name]) for name in names}


def test_the_schemas_are_the_clients():
    """The stored ones are what the official client's models give today."""
    assert json.loads(regenerate.TARGET.read_text()) == regenerate.schemas()
