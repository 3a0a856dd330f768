"""Writes that the recordings do not show, without a socket."""

import pytest

from sandbox.kubernetes.requests import parse
from tests.contract.kubernetes.asked import MAPS, NAMESPACES, config_map


def test_all_conflicts_are_named(asked):
    """Whoever applies learns of every field and its owner at once."""
    asked.apply("m", {"a": "1", "b": "1"}, "them")
    status, body = asked.apply("m", {"a": "2", "b": "2"})
    assert (status, body["reason"]) == (409, "Conflict")
    assert [cause["field"] for cause in body["details"]["causes"]] == [".data.a", ".data.b"]


def test_an_apply_may_be_yaml(asked):
    """As kubectl sends it."""
    request = parse(
        "PATCH",
        f"{MAPS}/m?fieldManager=us",
        {"Authorization": "Bearer t", "Content-Type": "application/apply-patch+yaml"},
        b"apiVersion: v1\nkind: ConfigMap\ndata: {a: '1'}\n",
    )
    assert asked.cluster.handle(request).json["data"] == {"a": "1"}


@pytest.mark.parametrize(
    ("method", "content_type", "body"),
    [
        ("PATCH", "application/apply-patch+yaml", b"[1"),
        ("PATCH", "application/apply-patch+yaml", b"- 1"),
        ("PATCH", "application/apply-patch+yaml", b"\xff"),
        (
            "PATCH",
            "application/apply-patch+yaml",
            b'{"apiVersion":"v1","kind":"ConfigMap","metadata":7}',
        ),
        (
            "PATCH",
            "application/apply-patch+yaml",
            b'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"n"}}',
        ),
        ("PATCH", "application/merge-patch+json", b"7"),
        ("PATCH", "application/merge-patch+json", b'{"metadata":7}'),
        ("PATCH", "application/merge-patch+json", b'{"data":7}'),
        ("PUT", "application/json", b""),
        ("DELETE", "application/json", b"{"),
        ("DELETE", "application/json", b"[]"),
    ],
)
def test_a_body_that_makes_no_sense_is_a_400(asked, method, content_type, body):
    """With a Status, and without a change."""
    _, before = asked.ask("POST", MAPS, config_map(a="1"))
    headers = {"Authorization": "Bearer t", "Content-Type": content_type}
    answer = asked.cluster.handle(parse(method, f"{MAPS}/m?fieldManager=us", headers, body))
    assert (answer.status, answer.json["kind"], answer.json["code"]) == (400, "Status", 400)
    assert asked.ask("GET", f"{MAPS}/m")[1] == before


def test_a_write_over_a_newer_version_is_refused(asked):
    """Who read before somebody else wrote has to read again."""
    _, old = asked.ask("POST", MAPS, config_map(a="1"))
    assert asked.ask("PUT", f"{MAPS}/m", config_map(a="2"))[0] == 200
    status, body = asked.ask("PUT", f"{MAPS}/m", old)
    assert (status, body["reason"]) == (409, "Conflict")


def test_a_merge_patch_takes_away_what_is_null(asked):
    """And leaves what it does not name."""
    asked.ask("POST", MAPS, config_map(a="1", b="1"))
    patch = {"data": {"a": None, "c": "3"}}
    _, after = asked.ask("PATCH", f"{MAPS}/m", patch, content_type="application/merge-patch+json")
    assert after["data"] == {"b": "1", "c": "3"}


def test_a_deletion_by_uid_spares_another(asked):
    """409 for the uid of somebody else, and the object for its own."""
    _, made = asked.ask("POST", MAPS, config_map())
    options = {"preconditions": {"uid": "another"}}
    assert asked.ask("DELETE", f"{MAPS}/m", options)[0] == 409
    options = {"preconditions": {"uid": made["metadata"]["uid"]}}
    assert asked.ask("DELETE", f"{MAPS}/m", options)[0] == 200
    assert asked.ask("GET", f"{MAPS}/m")[0] == 404


def test_a_namespace_starts_with_what_controllers_put_there(asked):
    """A service account and the cluster's certificate authority."""
    asked.ask(
        "POST", NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n"}}
    )
    found = [
        asked.ask("GET", f"{NAMESPACES}/n/{each}")[1]["items"]
        for each in ("serviceaccounts", "configmaps")
    ]
    assert [[i["metadata"]["name"] for i in items] for items in found] == [
        ["default"],
        ["kube-root-ca.crt"],
    ]


def test_only_what_was_deleted_goes_when_its_time_has_come(asked):
    """Of two namespaces that are Terminating, each has its own end."""
    for name in ("a", "b"):
        asked.ask(
            "POST",
            NAMESPACES,
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}},
        )
        asked.ask("DELETE", f"{NAMESPACES}/{name}")
    asked.later[0]()
    phases = [asked.ask("GET", f"{NAMESPACES}/{name}")[1] for name in ("a", "b")]
    assert (phases[0]["code"], phases[1]["status"]) == (404, {"phase": "Terminating"})


@pytest.mark.parametrize(
    ("method", "path", "content_type"),
    [
        ("POST", MAPS, "application/vnd.kubernetes.protobuf"),
        ("PUT", f"{MAPS}/m", "application/apply-patch+yaml"),
        ("PATCH", f"{MAPS}/m", "application/json"),
    ],
)
def test_a_form_that_is_not_read_is_a_415(asked, method, path, content_type):
    """Rather than being taken for JSON."""
    asked.ask("POST", MAPS, config_map())
    assert asked.ask(method, path, config_map(), content_type=content_type)[0] == 415


def test_what_is_not_served_is_a_405(asked):
    """A verb that the resource has not."""
    assert asked.ask("DELETE", NAMESPACES)[0] == 405
    assert asked.ask("POST", f"{MAPS}/m", config_map())[0] == 405
