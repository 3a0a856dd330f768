"""The API as kubectl and charts use it beyond apply: patches, collections, status, sizes."""

import json

import pytest

from sandbox.kubernetes import sizes
from tests.contract.kubernetes.asked import MAPS, config_map
from tests.contract.kubernetes.test_suspension import workload

JSON_PATCH = "application/json-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"


@pytest.fixture
def made(asked):
    """A cluster with a ConfigMap."""
    assert asked.ask("POST", MAPS, config_map(a="1", b="2"))[0] == 201
    return asked


@pytest.mark.parametrize(
    ("operations", "data"),
    [
        ([{"op": "replace", "path": "/data/a", "value": "9"}], {"a": "9", "b": "2"}),
        ([{"op": "add", "path": "/data/c", "value": "3"}], {"a": "1", "b": "2", "c": "3"}),
        ([{"op": "remove", "path": "/data/a"}], {"b": "2"}),
        (
            [{"op": "test", "path": "/data/a", "value": "1"}, {"op": "remove", "path": "/data/b"}],
            {"a": "1"},
        ),
    ],
)
def test_a_json_patch_does_one_thing_after_the_other(made, operations, data):
    """As RFC 6902 has it."""
    status, found = made.ask("PATCH", f"{MAPS}/m", operations, content_type=JSON_PATCH)
    assert (status, found["data"]) == (200, data)


@pytest.mark.parametrize(
    ("operations", "status"),
    [
        ([{"op": "remove", "path": "/data/z"}], 422),
        ([{"op": "test", "path": "/data/a", "value": "2"}], 422),
        ([{"op": "burn", "path": "/data/a"}], 400),
        ({"op": "remove", "path": "/data/a"}, 400),
    ],
)
def test_a_json_patch_that_does_not_fit_changes_nothing(made, operations, status):
    """All of it or none."""
    assert made.ask("PATCH", f"{MAPS}/m", operations, content_type=JSON_PATCH)[0] == status
    assert made.ask("GET", f"{MAPS}/m")[1]["data"] == {"a": "1", "b": "2"}


def test_a_strategic_merge_finds_a_container_by_its_name(asked):
    """Where a plain merge would replace the list: so `kubectl set image` works."""
    body = workload("Deployment", "web")
    body["spec"]["template"]["spec"]["containers"].append({"name": "side", "image": "s:1"})
    assert asked.ask("POST", DEPLOYMENTS, body)[0] == 201
    containers = [{"name": "c", "image": "x:2"}, {"name": "side", "$patch": "delete"}]
    patch = {
        "metadata": {"labels": {"a": "b"}},
        "spec": {"template": {"spec": {"containers": containers}}},
    }
    status, found = asked.ask("PATCH", f"{DEPLOYMENTS}/web", patch, content_type=STRATEGIC)
    assert status == 200, found
    (left,) = found["spec"]["template"]["spec"]["containers"]
    assert (left["name"], left["image"], "securityContext" in left) == ("c", "x:2", True)
    assert found["metadata"]["labels"] == {"a": "b"}


def test_a_collection_is_deleted_by_its_labels(made):
    """And answered with what was deleted; what the selector does not select stays."""
    for name, label in (("x", "1"), ("y", "2")):
        body = config_map()
        body["metadata"] = {"name": name, "labels": {"n": label}}
        made.ask("POST", MAPS, body)
    status, found = made.ask("DELETE", f"{MAPS}?labelSelector=n%3D1")
    assert (status, found["kind"]) == (200, "ConfigMapList")
    assert [each["metadata"]["name"] for each in found["items"]] == ["x"]
    left = made.ask("GET", MAPS)[1]["items"]
    assert {"m", "y"} <= {each["metadata"]["name"] for each in left}


def test_a_status_is_written_by_itself(asked):
    """The spec stays as it was; labels do not, as on the real one."""
    asked.ask("POST", DEPLOYMENTS, workload("Deployment", "web", replicas=3))
    merge = {"content_type": "application/merge-patch+json"}
    path = f"{DEPLOYMENTS}/web"
    patch = {
        "metadata": {"labels": {"a": "b"}}, "spec": {"replicas": 9},
        "status": {"readyReplicas": 2},
    }  # fmt: skip
    status, found = asked.ask("PATCH", f"{path}/status", patch, **merge)
    assert (status, found["spec"]["replicas"]) == (200, 3)
    assert found["status"] == {"readyReplicas": 2}
    assert found["metadata"]["labels"] == {"a": "b"}
    assert asked.ask("GET", f"{path}/status")[1] == found
    assert any(m.get("subresource") == "status" for m in found["metadata"]["managedFields"])
    _, after = asked.ask("PATCH", path, {"status": {"readyReplicas": 5}}, **merge)
    assert after["status"] == {"readyReplicas": 2}


def test_a_kind_without_a_status_has_none(made):
    """There is nothing below a ConfigMap."""
    assert made.ask("GET", f"{MAPS}/m/status")[0] == 404


def test_a_name_can_be_made_up(made):
    """It begins as asked, and no two are alike."""
    body = config_map()
    body["metadata"] = {"generateName": "g-"}
    names = {made.ask("POST", MAPS, body)[1]["metadata"]["name"] for _ in range(3)}
    assert len(names) == 3
    assert all(name.startswith("g-") and len(name) == 7 for name in names)


@pytest.mark.parametrize(
    ("size", "status", "said"),
    [
        (sizes.LARGEST_DATA + 1, 422, "may not be more than 1048576 bytes"),
        (sizes.LARGEST_BODY + 1, 413, "Request entity too large: limit is 3145728"),
    ],
)
def test_a_config_map_has_a_largest_size(asked, size, status, said):
    """And a request has, before anybody reads it."""
    got, body = asked.ask("POST", MAPS, config_map(a="x" * size))
    assert (got, said in body["message"]) == (status, True), body["message"]


@pytest.mark.parametrize(
    ("size", "said"),
    [
        (1_600_000, "etcdserver: request is too large"),
        (2_200_000, "code = ResourceExhausted desc = trying to send message larger than max"),
    ],
)
def test_what_the_store_does_not_take_is_a_500_without_a_reason(asked, size, said):
    """Its own words, though no time heals it."""
    body = workload("Deployment", "fat")
    body["spec"]["template"]["metadata"]["annotations"] = {"a": "x" * 200_000}
    container = body["spec"]["template"]["spec"]["containers"][0]
    container["env"] = [{"name": "A", "value": "x" * (size - 200_000)}]
    status, answer = asked.ask("POST", DEPLOYMENTS, body)
    assert status == 500, json.dumps(answer)[:300]
    assert said in answer["message"]
    assert "reason" not in answer


def test_no_finalizer_is_added_to_what_goes(asked):
    """Those that are there can only become fewer."""
    body = config_map()
    body["metadata"]["finalizers"] = ["example.com/x"]
    asked.ask("POST", MAPS, body)
    asked.ask("DELETE", f"{MAPS}/m")
    patch = {"metadata": {"finalizers": ["example.com/x", "example.com/y"]}}
    merge = {"content_type": "application/merge-patch+json"}
    status, answer = asked.ask("PATCH", f"{MAPS}/m", patch, **merge)
    assert status == 422
    assert 'found new finalizers []string{"example.com/y"}' in answer["message"]


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_an_object_of_another_uid_is_not_written(made, method):
    """It is another object of the same name."""
    live = made.ask("GET", f"{MAPS}/m")[1]
    body = {**live, "metadata": {**live["metadata"], "uid": "another"}}
    kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
    status, answer = made.ask(method, f"{MAPS}/m", body, content_type=kind)
    assert status == (422 if method == "PATCH" else 409), answer
