"""The very files that Lambda would get start on their own."""

import json
import subprocess
import sys

import pytest

from tests.deployment.conftest import BARE, STAGES

SETTINGS = {
    "STAGE": "dev",
    "TABLE_NAME": "arm-engine-dev",
    "QUEUE_NAME": "arm-engine-dev-tenants.fifo",
    "SITE_URL": "https://shop.example",
    "STRIPE_SECRET_KEY": "sk_test_1",
    "JWT_ISSUER": "i",
    "JWT_AUDIENCE": "a",
    "JWT_SECRET": "s" * 40,
}


def _run(unpacked, code):
    task, runtime = unpacked
    start = f"import sys; sys.path[:0] = [{str(task)!r}]; sys.path.append({str(runtime)!r})\n"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", start + code],
        cwd=task, env=BARE | SETTINGS, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_can_be_packaged(packages, stage):
    """Each stage's functions have their names, their queue and settings of that stage."""
    template = json.loads((packages[stage] / "sam.json").read_text())
    functions = {
        r["Properties"]["Handler"]: r["Properties"]
        for r in template["Resources"].values()
        if r["Type"] == "AWS::Serverless::Function"
    }
    assert set(functions) == {
        "app.app",
        "chalicelib.entrypoints.worker.on_tenant_message",
        "chalicelib.entrypoints.worker.on_schedule",
    }
    for function in functions.values():
        assert function["Environment"]["Variables"]["STAGE"] == stage
        assert function["Timeout"] < 60, "the queue's visibility timeout is 60 s"
    events = functions["chalicelib.entrypoints.worker.on_tenant_message"]["Events"]
    assert f"arm-engine-{stage}-tenants.fifo" in json.dumps(events)


def test_the_packaged_api_answers(unpacked):
    """`app.app` starts with nothing but the package and boto3, and serves the plans."""
    event = {
        "requestContext": {"resourcePath": "/api/subscriptions/plans", "httpMethod": "GET"},
        "headers": {}, "multiValueHeaders": {}, "pathParameters": {}, "stageVariables": None,
        "multiValueQueryStringParameters": None, "body": None, "isBase64Encoded": False,
    }  # fmt: skip
    code = f"import app, json; print(json.dumps(app.app({event!r}, None)))"
    answer = json.loads(_run(unpacked, code))
    assert answer["statusCode"] == 200
    assert [plan["id"] for plan in json.loads(answer["body"])] == ["free", "basic", "pro"]


def test_the_packaged_handlers_start(unpacked):
    """Worker and sweep have every library that they load when they are first called."""
    code = (
        "from chalicelib import wiring\n"
        "from chalicelib.entrypoints.worker import on_schedule, on_tenant_message\n"
        "wiring.records(), wiring.queue(), wiring.payments(), wiring.tokens()\n"
        "from chalicelib.gateways import cluster, user_pool, parameters\n"
        "print(callable(on_schedule) and callable(on_tenant_message))"
    )
    assert _run(unpacked, code).strip() == "True"
