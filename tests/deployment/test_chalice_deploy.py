"""`chalice deploy`, again, and `chalice delete`, against an AWS of the test's own."""

import subprocess

import pytest

from ops import rights, stages
from ops.trimming import CHALICE
from tests.deployment.conftest import BARE, pip_settings

STAGE = stages.load("dev")


@pytest.fixture(scope="module")
def typed(aws):
    """Runs the CLI in a folder."""

    def run(folder, verb, stage="dev"):
        return subprocess.run(
            [*CHALICE, verb, "--stage", stage],
            cwd=folder, env=BARE | pip_settings() | aws.environment, capture_output=True, text=True, check=False,
        )  # fmt: skip

    return run


@pytest.fixture(scope="module")
def chalice(clone, typed):
    """Runs the CLI in one clone; what it printed."""
    here = clone()

    def run(verb, folder=here):
        done = typed(folder, verb)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def test_what_is_lacking_is_one_line(clone, typed):
    """No queue yet, or no home: what to run first; no traceback."""
    here = clone()
    done = typed(here, "deploy")
    assert done.returncode == 1
    assert "Traceback" not in done.stdout + done.stderr
    assert "[dev] has no queue yet" in done.stderr
    assert "run `make deploy STAGE=dev` first" in done.stderr
    homeless = typed(here, "deploy", "staging")
    assert "[staging] of infra/stages.toml has no account and region yet" in homeless.stderr
    assert "Traceback" not in homeless.stdout + homeless.stderr


def test_deploy_redeploy_delete(chalice, clone, aws):
    """Functions, roles, event source and schedule are made once, kept, and removed.

    From whichever clone: one that has never deployed, and one that remembers what is long gone.
    """
    queue(aws)
    chalice("deploy")
    functions = aws.client("lambda").list_functions()["Functions"]
    names = {STAGE.function(name) for name in rights.FUNCTIONS}
    assert {f["FunctionName"] for f in functions} == names
    assert len({f["Role"] for f in functions}) == len(names), "each has a role of its own"
    (api,) = aws.client("apigateway").get_rest_apis()["items"]
    stage = aws.client("apigateway").get_stage(restApiId=api["id"], stageName="dev")
    assert stage["stageName"] == STAGE.name
    (source,) = aws.client("lambda").list_event_source_mappings()["EventSourceMappings"]
    assert source["FunctionArn"].split(":")[-1] == STAGE.function(rights.WORKER)
    assert (source["BatchSize"], source["EventSourceArn"].split(":")[-1]) == (1, STAGE.queue)
    rules = aws.client("events").list_rules()["Rules"]
    assert sorted(r["ScheduleExpression"] for r in rules) == ["rate(1 day)", "rate(1 minute)"]
    chalice("deploy")
    (again,) = aws.client("apigateway").get_rest_apis()["items"]
    assert again["id"] == api["id"], "the CDN's origin stays where it is"
    assert len(aws.client("lambda").list_functions()["Functions"]) == len(names)
    colleagues = clone()
    chalice("deploy", colleagues)
    (third,) = aws.client("apigateway").get_rest_apis()["items"]
    assert third["id"] == api["id"], "a clone that has never deployed finds what there is"
    chalice("delete", clone())
    assert aws.client("lambda").list_functions()["Functions"] == []
    assert aws.client("apigateway").get_rest_apis()["items"] == []
    assert aws.client("iam").list_roles()["Roles"] == []


def queue(aws):
    """What the data stack has made before."""
    sqs = aws.client("sqs")
    sqs.create_queue(QueueName=STAGE.queue, Attributes={"FifoQueue": "true"})
