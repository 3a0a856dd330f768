"""Lists, tables and watches, without a socket."""

import json

import pytest

from sandbox.kubernetes import store
from tests.contract.kubernetes.asked import MAPS, NAMESPACES, Asked, config_map

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"


@pytest.mark.parametrize(
    ("selector", "names"),
    [
        ("labelSelector=tier=a", ["one"]),
        ("labelSelector=tier!=a", ["two", "three"]),
        ("labelSelector=tier in (a,b)", ["one", "two"]),
        ("labelSelector=tier notin (a),tier", ["two"]),
        ("labelSelector=!tier", ["three"]),
        ("fieldSelector=metadata.name=two", ["two"]),
    ],
)
def test_selectors(asked, selector, names):
    """Labels by equality and by set, fields by equality."""
    for name, labels in (("one", {"tier": "a"}), ("two", {"tier": "b"}), ("three", {})):
        body = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": name, "labels": labels},
        }
        asked.ask("POST", MAPS, body)
    _, found = asked.ask("GET", f"{MAPS}?{selector.replace(' ', '%20')}")
    names_found = {i["metadata"]["name"] for i in found["items"]}
    assert names_found - {"kube-root-ca.crt"} == set(names)


def test_a_table_has_the_columns_that_kubectl_prints(asked):
    """Name, what matters of the kind, and age; each row with its metadata."""
    _, table = asked.ask("GET", NAMESPACES, accept=TABLE)
    assert [column["name"] for column in table["columnDefinitions"]] == ["Name", "Status", "Age"]
    assert table["rows"][0]["cells"] == ["default", "Active", "0s"]
    assert table["rows"][0]["object"]["metadata"]["name"] == "default"


def test_a_watch_tells_what_the_selector_lets_see(asked):
    """Coming into sight is ADDED, going out of it DELETED, whatever happened to the object."""
    version = asked.ask("GET", MAPS)[1]["metadata"]["resourceVersion"]
    seen = {**config_map(), "metadata": {"name": "m", "labels": {"seen": "yes"}}}
    path = f"{MAPS}?watch=1&labelSelector=seen&resourceVersion={version}&timeoutSeconds=0"
    for body, method, where in (
        (config_map(), "POST", MAPS),
        (seen, "PUT", f"{MAPS}/m"),
        ({**seen, "data": {"a": "1"}}, "PUT", f"{MAPS}/m"),
        (config_map(), "PUT", f"{MAPS}/m"),
        (None, "DELETE", f"{MAPS}/m"),
    ):
        assert asked.ask(method, where, body)[0] in {200, 201}
    events = [json.loads(line)["type"] for line in asked.answer("GET", path).stream]
    assert events == ["ADDED", "MODIFIED", "DELETED"]


@pytest.mark.parametrize(
    ("how", "status"),
    [
        ("resourceVersion=new", 400),
        ("timeoutSeconds=-1", 400),
        ("sendInitialEvents=true", 422),
    ],
)
def test_a_watch_that_cannot_be(asked, how, status):
    """Refused at once, before anything is streamed."""
    assert asked.ask("GET", f"{MAPS}?watch=1&{how}")[0] == status


def test_a_watch_from_a_forgotten_version_has_to_list_again(monkeypatch):
    """410, once more has happened since than is remembered."""
    monkeypatch.setattr(store, "_REMEMBERED", 2)
    status, body = Asked().ask("GET", f"{MAPS}?watch=1&resourceVersion=1")
    assert (status, body["reason"]) == (410, "Expired")
