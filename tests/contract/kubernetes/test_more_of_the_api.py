"""Pages, finalizers, tokens, scales and access reviews, without a socket."""

import pytest

from sandbox import outside
from sandbox.kubernetes import kubeconfig
from tests.contract.kubernetes.asked import MAPS, NAMESPACES, config_map

ACCOUNTS = f"{NAMESPACES}/default/serviceaccounts"


def test_pages_are_in_order_and_end(asked):
    """Each page tells how to get the next, but for the last."""
    for number in range(4):
        asked.ask("POST", MAPS, {**config_map(), "metadata": {"name": f"m{number}"}})
    names, token = [], ""
    while True:
        _, page = asked.ask("GET", f"{MAPS}?limit=2&continue={token}")
        names += [each["metadata"]["name"] for each in page["items"]]
        token = page["metadata"].get("continue", "")
        if not token:
            break
    assert names == ["kube-root-ca.crt", "m0", "m1", "m2", "m3"]


@pytest.mark.parametrize("how", ["limit=some", "limit=2&continue=nowhere"])
def test_a_page_that_cannot_be(asked, how):
    """Refused as a request that makes no sense."""
    assert asked.ask("GET", f"{MAPS}?{how}")[0] == 400


def test_a_finalizer_holds_an_object_until_it_is_taken_away(asked):
    """Deleted, it stands and says so; let go, it is gone."""
    held = {**config_map(), "metadata": {"name": "m", "finalizers": ["example.com/hold"]}}
    asked.ask("POST", MAPS, held)
    asked.ask("DELETE", f"{MAPS}/m")
    assert "deletionTimestamp" in asked.ask("GET", f"{MAPS}/m")[1]["metadata"]
    loose = {"metadata": {"finalizers": None}}
    asked.ask("PATCH", f"{MAPS}/m", loose, content_type="application/merge-patch+json")
    assert asked.ask("GET", f"{MAPS}/m")[0] == 404


def test_a_token_is_its_accounts_and_no_more(asked):
    """Issued for an account without rights, it is known, and may do nothing."""
    status, answer = asked.ask("POST", f"{ACCOUNTS}/default/token", {"spec": {}})
    token = answer["status"]["token"]
    assert status == 201
    status, refused = asked.ask("GET", NAMESPACES, Authorization=f"Bearer {token}")
    assert status == 403
    assert "system:serviceaccount:default:default" in refused["message"]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        (f"{ACCOUNTS}/default/token", {"spec": {"expirationSeconds": 60}}, 422),
        (f"{ACCOUNTS}/nobody/token", {"spec": {}}, 404),
        (f"{ACCOUNTS}/default/scale", {}, 404),
        ("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", {"spec": {}}, 422),
        ("/apis/authorization.k8s.io/v1/others", {"spec": {}}, 404),
    ],
)
def test_a_question_that_cannot_be_answered(asked, path, body, status):
    """With the status that a real one gives."""
    assert asked.ask("POST", path, body)[0] == status


def test_the_context_that_would_be_used_is_said_beforehand(tmp_path, monkeypatch, capsys):
    """Nobody finds out afterwards which cluster it was."""
    kubeconfig.write(tmp_path / "config", "https://k8s.example", "t", None)
    monkeypatch.setenv("ARM_TEST_KUBECONFIG", str(tmp_path / "config"))
    outside.main()
    assert (
        f"context sandbox of {tmp_path / 'config'}: https://k8s.example" in capsys.readouterr().out
    )


def test_without_a_cluster_that_was_named_there_is_none(monkeypatch, capsys):
    """Whatever KUBECONFIG says, it is not followed; exit code 2, and what to name."""
    monkeypatch.setenv("KUBECONFIG", "/production")
    for name in ("ARM_TEST_KUBECONFIG", "KUBEBUILDER_ASSETS"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(SystemExit) as ended:
        outside.main()
    assert ended.value.code == 2
    assert "ARM_TEST_KUBECONFIG" in capsys.readouterr().err
