"""What a real API server answered, asked of the stand-in: 63 requests in the order they were made."""

import json
import re
from pathlib import Path

import pytest

from sandbox.kubernetes.authorization import ADMIN, User
from sandbox.kubernetes.cluster import Cluster
from sandbox.kubernetes.requests import parse

TRANSCRIPTS = [
    json.loads(line)
    for line in Path(__file__).with_name("transcripts.jsonl").read_text().splitlines()
]
CASES = [transcript["case"] for transcript in TRANSCRIPTS]
NOT_SERVED = {
    "can I?": "what was asked is not what was written down as asked",
}
ONLY_TENANTS = "the provisioner may only touch namespaces named arm-tenant-*"
"""The policy that stood in the recorded cluster; its text is not in the recordings."""
PROVISIONER = User(
    "tenant-provisioner",
    ("tenant-provisioners", "system:authenticated"),
    (
        {"apiGroups": [""], "resources": ["namespaces"], "verbs": ["create", "patch", "delete"]},
        {"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["roles"], "verbs": ["patch"]},
    ),
)


def test_nothing_recorded_is_forgotten():
    """All 63 are here, and what is left out has a reason."""
    assert len(TRANSCRIPTS) == 63
    assert NOT_SERVED.keys() < set(CASES)


@pytest.fixture(scope="module")
def answers():
    """Every transcript's request, answered by one cluster, in order."""
    cluster = Cluster({"admin": ADMIN, "provisioner": PROVISIONER})
    found = []
    for transcript in TRANSCRIPTS:
        if transcript["case"] == "ours again, forced":
            taken_by_somebody = next(
                t for t in TRANSCRIPTS if t["case"].startswith("another manager changes")
            )
            ask(cluster, taken_by_somebody, force=True)  # done, and not written down
        if transcript["case"] == "refused by a ValidatingAdmissionPolicy":
            policy(cluster)
        if transcript["case"] == "gone":
            cluster.finish_deletions()
        found.append(ask(cluster, transcript))
    return dict(zip(CASES, found, strict=True))


def policy(cluster):
    """Make it, and a binding of the same name."""
    api, base = "admissionregistration.k8s.io/v1", "/apis/admissionregistration.k8s.io/v1"
    rule = {
        "apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"],
        "resources": ["namespaces"],
    }  # fmt: skip
    check = {"expression": "request.name.startsWith('arm-tenant-')", "message": ONLY_TENANTS}
    metadata = {"name": "only-tenants"}
    for plural, kind, spec in (
        ("validatingadmissionpolicies", "ValidatingAdmissionPolicy",
         {"matchConstraints": {"resourceRules": [rule]}, "validations": [check]}),
        ("validatingadmissionpolicybindings", "ValidatingAdmissionPolicyBinding",
         {"policyName": "only-tenants", "validationActions": ["Deny"]}),
    ):  # fmt: skip
        body = {"apiVersion": api, "kind": kind, "metadata": metadata, "spec": spec}
        headers = {"Authorization": "Bearer admin", "Content-Type": "application/json"}
        text = json.dumps(body).encode()
        assert cluster.handle(parse("POST", f"{base}/{plural}", headers, text)).status == 201


def ask(cluster, transcript, *, force=False):
    asked = transcript["request"]
    headers = {"Host": "127.0.0.1:16443", "User-Agent": "Python-urllib/3.11"}
    if transcript["as"]:
        headers["Authorization"] = f"Bearer {transcript['as']}"
    if asked["contentType"]:
        headers["Content-Type"] = asked["contentType"]
    body = json.dumps(asked["body"]).encode() if asked["body"] is not None else b""
    path = asked["path"] + ("&force=true" if force else "")
    return cluster.handle(parse(asked["method"], path, headers, body))


def same_for_all(case, body):
    """A body without what differs between two runs: times, uids, versions."""
    if isinstance(body, str):
        return body
    text = json.dumps(body)
    text = re.sub(r'"(uid|resourceVersion)": "[^"]*"', r'"\1": "*"', text)
    text = re.sub(r'"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"', '"*"', text)
    body = json.loads(text)
    if case == "quota unchanged":  # recorded before the real one's controller had counted
        del body["status"]
        fields = body["metadata"]["managedFields"]
        fields[:] = [each for each in fields if each.get("subresource") != "status"]
    for resource in body.get("resources", []):
        resource["verbs"] = [verb for verb in resource["verbs"] if verb != "deletecollection"]
    if case.startswith("discovery /apis"):
        body["groups" if "groups" in body else "resources"].sort(key=lambda each: each["name"])
    return body


def the_shared_part(case, recorded, ours):
    """Discovery names everything; the stand-in serves less, and more than was recorded."""
    if not case.startswith("discovery"):
        return recorded, ours
    for part in ("groups", "resources"):
        if part in recorded:
            both = {e["name"] for e in recorded[part]} & {e["name"] for e in ours[part]}
            recorded, ours = (
                {**body, part: [each for each in body[part] if each["name"] in both]}
                for body in (recorded, ours)
            )
            assert both
    return recorded, ours


@pytest.mark.parametrize(
    "transcript", [t for t in TRANSCRIPTS if t["case"] not in NOT_SERVED], ids=lambda t: t["case"]
)
def test_the_stand_in_answers_as_the_real_one_did(answers, transcript):
    """Status, content type and body, but for times, uids and versions."""
    case, wanted, answer = transcript["case"], transcript["response"], answers[transcript["case"]]
    assert (answer.status, answer.content_type) == (wanted["status"], wanted["contentType"])
    body = answer.json if "json" in answer.content_type else answer.body.decode()
    recorded, ours = (same_for_all(case, each) for each in (wanted["body"], body))
    recorded, ours = the_shared_part(case, recorded, ours)
    assert ours == recorded
