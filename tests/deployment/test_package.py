"""The very files that Lambda would get start on their own."""

import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from ops import trimming
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
        "chalicelib.entrypoints.worker.on_audit",
    }
    for handler, function in functions.items():
        assert function["Environment"]["Variables"]["STAGE"] == stage
        longest = 900 if handler.endswith("on_audit") else 60
        assert function["Timeout"] <= longest, (
            "the queue's visibility timeout is six times the worker's"
        )
    assert functions["chalicelib.entrypoints.worker.on_tenant_message"]["Timeout"] < 60
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


def test_the_package_is_small(packages):
    """Uploaded in seconds, unpacked in a moment: at most 12 MB, and 45 MB unpacked."""
    package = packages["dev"] / "deployment.zip"
    with zipfile.ZipFile(package) as opened:
        unpacked = sum(info.file_size for info in opened.infolist())
    assert package.stat().st_size <= 12_000_000
    assert unpacked <= 45_000_000


def test_what_starts_needs_no_compiling(packages, unpacked):
    """A function's folder cannot be written to, so the bytecode of all that starts is in it."""
    code = (
        "import sys\n"
        "import app, chalicelib.entrypoints.worker\n"
        "from chalicelib import wiring\n"
        "wiring.nudges(), wiring.records(), wiring.queue(), wiring.payments(), wiring.tokens()\n"
        "from chalicelib.gateways import cluster, kubernetes_http\n"
        "import aws_lambda_powertools.metrics\n"
        "print(*(m.__file__ for m in sys.modules.values() if getattr(m, '__cached__', None)))"
    )
    with zipfile.ZipFile(packages["dev"] / "deployment.zip") as opened:
        names = set(opened.namelist())
    task, _ = unpacked
    files = [Path(file) for file in _run(unpacked, code).split()]
    started = [file.relative_to(task) for file in files if file.is_relative_to(task)]
    assert len(started) > 200
    tag = sys.implementation.cache_tag
    cached = {f: f.parent / "__pycache__" / f"{f.stem}.{tag}.pyc" for f in started}
    missing = [str(f) for f, code in cached.items() if str(code) not in names]
    assert missing == []


def test_what_was_left_out_is_what_nothing_imports(unpacked):
    """Every module of ours, and what the SDKs load for it, is found without what was left out."""
    task, _ = unpacked
    code = f"import sys\n{trimming.START}"
    loaded = set(_run(unpacked, code).split())
    assert {"stripe", "chalicelib.gateways.cluster", "jwt"} <= loaded
    assert loaded & {"requests", "charset_normalizer"} == set()
    for folder in ("aws_lambda_powertools/event_handler", "requests", "charset_normalizer"):
        assert not (task / folder).exists()


@pytest.mark.usefixtures("packages")
def test_chalice_takes_the_package_that_was_trimmed(tree):
    """It knows it by a hash over bytecode, too: one package for all stages, and none besides."""
    (package,) = (tree / ".chalice" / "deployments").glob("*.zip")
    assert trimming.is_trimmed(package)
    assert list(tree.rglob("*.pyc")) == []


def test_trimming_twice_is_trimming_once(packages, tmp_path):
    """Chalice takes the package from its cache, so it comes by here again."""
    package = shutil.copy(packages["dev"] / "deployment.zip", tmp_path)
    before = Path(package).read_bytes()
    trimming.trim(Path(package))
    assert Path(package).read_bytes() == before
