"""What each function may do, as it stands in .chalice/."""

import json
import os
import subprocess
import sys
from dataclasses import replace

import pytest

from ops import chalice_files, rights, stages
from ops.stages import ROOT
from tests.deployment.conftest import STAGES

FOLDER = ROOT / ".chalice"


def policies(stage):
    """Every policy of a stage, by its function."""
    return {
        path.stem.split("-")[-1]: json.loads(path.read_text())["Statement"]
        for path in FOLDER.glob(f"policy-{stage}-*.json")
    }


def test_the_files_are_what_the_table_says():
    """Nobody edits .chalice/ by hand: `python -m ops configure` writes it."""
    assert chalice_files.differing() == []


def test_a_difference_is_found_and_put_right(tmp_path):
    """A changed file, a missing one, and one that should not be there."""
    chalice_files.write(tmp_path)
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "policy-dev-api.json").unlink()
    (tmp_path / "policy-old-api.json").write_text("{}")
    wrong = ["config.json", "policy-dev-api.json", "policy-old-api.json"]
    assert chalice_files.differing(tmp_path) == wrong
    assert chalice_files.write(tmp_path) == wrong
    assert chalice_files.differing(tmp_path) == []


@pytest.mark.parametrize("stage", STAGES)
def test_every_function_has_rights_of_its_own(stage):
    """No two share a policy, and none is written by Chalice's guess."""
    config = json.loads((FOLDER / "config.json").read_text())
    functions = config["stages"][stage]["lambda_functions"]
    assert config["autogen_policy"] is False
    assert set(functions) == set(rights.FUNCTIONS)
    files = {f["iam_policy_file"] for f in functions.values()}
    assert len(files) == len(functions)
    assert all(f"policy-{stage}-" in name for name in files)


@pytest.mark.parametrize("stage", STAGES)
def test_nothing_is_allowed_by_a_star(stage):
    """No action is, and no resource but X-Ray's, which has none that could be named, and a pool's."""
    for statements in policies(stage).values():
        for statement in statements:
            assert statement["Effect"] == "Allow"
            assert not any("*" in action for action in statement["Action"])
            if statement["Resource"] == "*":
                assert all(action.startswith("xray:") for action in statement["Action"])
            elif "Condition" in statement:  # a name that AWS gives: by the tag that we give
                tags = statement["Condition"]["StringEquals"]
                assert tags == {"aws:ResourceTag/deployment": f"arm-engine-{stage}"}
            else:
                name = statement["Resource"].split(":", 5)[5].removesuffix(":*")
                assert "*" not in name
                assert f"arm-engine-{stage}" in name or name == f"parameter/arm-engine/{stage}"


@pytest.mark.parametrize("stage", STAGES)
def test_the_halves_are_kept_apart(stage):
    """The API cannot reach the cluster, nor take from the queue, nor delete but a sign-up.

    Of accounts the API reads one at a time and sets no password; the audit lists them.
    """
    actions = {
        name: {action for statement in statements for action in statement["Action"]}
        for name, statements in policies(stage).items()
    }
    deletes = {a for a in actions["api"] if "Delete" in a}
    assert deletes == {"cognito-idp:AdminDeleteUser"}
    assert not [a for a in actions["api"] if a.startswith("eks:")]
    assert "sqs:ReceiveMessage" not in actions["api"] | actions["sweep"]
    assert not {"cognito-idp:ListUsers", "cognito-idp:AdminSetUserPassword"} & actions["api"]
    pool = {name: {a for a in every if a.startswith("cognito")} for name, every in actions.items()}
    assert pool["audit"] == {"cognito-idp:ListUsers"}
    assert not pool["worker"] | pool["sweep"]


def test_a_worker_in_a_network_may_join_it():
    """For a cluster with a private endpoint; nobody else gets these rights."""
    stage = stages.parse(
        '[dev]\nlive = false\ncluster_name = "c"\nsubnet_ids = ["s"]\nsecurity_group_ids = ["g"]',
        "arm-engine",
    )["dev"]
    assert "ec2:CreateNetworkInterface" in json.dumps(rights.policy(rights.WORKER, stage))
    assert "ec2:" not in json.dumps(rights.policy(rights.API, stage))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[dev]\nlive = false", "dev.cluster_name: must be a str"),
        ('[dev]\nlive = "no"\ncluster_name = "c"', "dev.live: must be a bool"),
        ('[dev]\nlive = false\ncluster_name = "c"\nclutser = 1', "dev.clutser: unknown key"),
        ('[dev]\nlive = false\ncluster_name = "c"\ndomain = "x"', "domain and certificate_arn go together"),
        ('[dev]\nlive = false\ncluster_name = "c"\nhosted_zone_id = "Z"', "hosted_zone_id needs domain"),
        ('[dev]\nlive = false\ncluster_name = "c"\ndomain = "x"\ncertificate_arn = "arn:aws:acm:eu-central-1:1:certificate/1"', "us-east-1 only"),
        ('[Dev]\nlive = false\ncluster_name = "c"', "must be lower case"),
        ('[dev]\nlive = false\ncluster_name = "c"\nworkers_at_once = 1', "workers_at_once: must be 2 to 1000"),
        ('[dev]\nlive = false\ncluster_name = "c"\naccount = "12"\nregion = "eu-west-1"', "twelve digits"),
        ('[dev]\nlive = false\ncluster_name = "c"\nregion = "eu-west-1"', "account and region go together"),
        ("[dev", "is not TOML"),
    ],
)  # fmt: skip
def test_a_mistake_in_the_stages_is_named(text, said):
    """By stage and key, before anything is made."""
    with pytest.raises(stages.Misconfigured, match=said):
        stages.parse(text, "arm-engine")


def test_only_prod_takes_money():
    """The stages as they ship."""
    assert {name: s.stripe_mode for name, s in stages.load_all().items()} == {
        "dev": "test", "staging": "test", "prod": "live",
    }  # fmt: skip


def test_how_many_are_worked_on_at_once_is_a_stages_setting():
    """It reaches the event source as the worker's maximum, which is read when the CLI imports it."""
    stage = stages.parse(
        '[dev]\nlive = false\ncluster_name = "c"\nworkers_at_once = 40', "arm-engine"
    )["dev"]
    variables = chalice_files._stage(stage)["environment_variables"]
    assert variables["WORKERS_AT_ONCE"] == "40"
    code = "from chalicelib.entrypoints import worker; print(worker.AT_ONCE)"
    done = subprocess.run(
        [sys.executable, "-B", "-c", code], cwd=ROOT, env={**os.environ, **variables},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == "40"


def test_a_stage_with_a_home_allows_nothing_anywhere_else():
    """Account and region stand in every name, so that a role tells whose it is."""
    stage = replace(stages.load("dev"), account="123456789012", region="eu-central-1")
    for function in rights.FUNCTIONS:
        for statement in rights.policy(function, stage)["Statement"]:
            assert (
                statement["Resource"] == "*"
                or ":eu-central-1:123456789012:" in statement["Resource"]
            )
