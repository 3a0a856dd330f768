"""The very files that Lambda would get start on their own."""

import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import boto3
import pytest

ROOT = Path(__file__).parents[2]
SITE_PACKAGES = Path(boto3.__file__).parents[1]
STAGES = ("dev", "staging", "prod")
THE_RUNTIMES_OWN = ("boto3", "botocore", "s3transfer", "jmespath")
ENV = {"PATH": "/usr/bin:/bin", "AWS_DEFAULT_REGION": "eu-central-1"}
SETTINGS = {
    "STAGE": "dev",
    "TABLE_NAME": "arm-engine-dev",
    "QUEUE_NAME": "arm-engine-dev-tenants.fifo",
    "SITE_URL": "https://shop.example",
    "CHECKOUT_SUCCESS_URL": "https://shop.example/ok?session_id={CHECKOUT_SESSION_ID}",
    "CHECKOUT_CANCEL_URL": "https://shop.example/no",
    "STRIPE_SECRET_KEY": "sk_test_1",
    "JWT_ISSUER": "i",
    "JWT_AUDIENCE": "a",
    "JWT_SECRET": "s" * 40,
}


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    """`chalice package` of every stage, from a copy of the tree, in a clean environment."""
    tree = tmp_path_factory.mktemp("tree")
    for name in ("app.py", "requirements.txt"):
        shutil.copy(ROOT / name, tree)
    ignore = shutil.ignore_patterns("__pycache__", "deployments", "deployed")
    for name in ("chalicelib", ".chalice"):
        shutil.copytree(ROOT / name, tree / name, ignore=ignore)
    chalice = [sys.executable, "-c", "from chalice.cli import main; main()", "package"]
    made = {}
    for stage in STAGES:
        made[stage] = tree / f"package-{stage}"
        subprocess.run(
            [*chalice, "--stage", stage, str(made[stage])],
            cwd=tree, env=ENV | _pip_settings(), check=True, capture_output=True,
        )  # fmt: skip
    return made


def _pip_settings():
    """Whatever tells pip where packages come from on this machine."""
    import os  # noqa: PLC0415 - nothing else here looks at the environment

    keep = ("PIP_", "SSL_", "REQUESTS_", "HTTP_", "HTTPS_", "NO_PROXY", "HOME")
    return {k: v for k, v in os.environ.items() if k.upper().startswith(keep)}


@pytest.fixture(scope="module")
def unpacked(packages, tmp_path_factory):
    """The package of one stage, and beside it what the Lambda runtime has of its own."""
    task = tmp_path_factory.mktemp("task")
    zipfile.ZipFile(packages["dev"] / "deployment.zip").extractall(task)
    runtime = tmp_path_factory.mktemp("runtime")
    for name in THE_RUNTIMES_OWN:
        (runtime / name).symlink_to(SITE_PACKAGES / name)
    return task, runtime


def _run(unpacked, code):
    task, runtime = unpacked
    start = f"import sys; sys.path[:0] = [{str(task)!r}]; sys.path.append({str(runtime)!r})\n"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", start + code],
        cwd=task, env=ENV | SETTINGS, capture_output=True, text=True, check=False,
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
