"""The package of every stage, made once; and one of them unpacked as Lambda does it."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import boto3
import pytest

from sandbox.addresses import free_ports
from tests.serving import await_answer

ROOT = Path(__file__).parents[2]
SITE_PACKAGES = Path(boto3.__file__).parents[1]
STAGES = ("dev", "staging", "prod")
THE_RUNTIMES_OWN = ("boto3", "botocore", "s3transfer", "jmespath")
CHALICE = [sys.executable, "-c", "import sys; from chalice.cli import main; sys.exit(main())"]
BARE = {"PATH": "/usr/bin:/bin", "AWS_DEFAULT_REGION": "eu-central-1"}


def pip_settings():
    """Whatever tells pip where packages come from on this machine."""
    keep = ("PIP_", "SSL_", "REQUESTS_", "HTTP_", "HTTPS_", "NO_PROXY", "HOME")
    return {k: v for k, v in os.environ.items() if k.upper().startswith(keep)}


@pytest.fixture(scope="session")
def tree(tmp_path_factory):
    """A copy of what Chalice looks at, so that nothing is written beside the sources."""
    tree = tmp_path_factory.mktemp("tree")
    for name in ("app.py", "requirements.txt"):
        shutil.copy(ROOT / name, tree)
    ignore = shutil.ignore_patterns("__pycache__", "deployments", "deployed")
    for name in ("chalicelib", ".chalice"):
        shutil.copytree(ROOT / name, tree / name, ignore=ignore)
    return tree


@pytest.fixture(scope="session")
def packages(tree):
    """`chalice package` of every stage, in a clean environment."""
    made = {}
    for stage in STAGES:
        made[stage] = tree / f"package-{stage}"
        subprocess.run(
            [*CHALICE, "package", "--stage", stage, str(made[stage])],
            cwd=tree, env=BARE | pip_settings(), check=True, capture_output=True,
        )  # fmt: skip
    return made


@pytest.fixture(scope="session")
def unpacked(packages, tmp_path_factory):
    """The package of one stage, and beside it what the Lambda runtime has of its own."""
    task = tmp_path_factory.mktemp("task")
    zipfile.ZipFile(packages["dev"] / "deployment.zip").extractall(task)
    runtime = tmp_path_factory.mktemp("runtime")
    for name in THE_RUNTIMES_OWN:
        (runtime / name).symlink_to(SITE_PACKAGES / name)
    return task, runtime


class Aws:
    """An AWS account in a process of the test's own."""

    def __init__(self, url):
        self.url = url
        self.environment = {
            "AWS_ENDPOINT_URL": url, "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x",
            "AWS_DEFAULT_REGION": "eu-central-1", "AWS_REGION": "eu-central-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }  # fmt: skip
        self.session = boto3.Session("x", "x", region_name="eu-central-1")

    def client(self, service):
        """As whoever deploys."""
        return self.session.client(service, endpoint_url=self.url)


@pytest.fixture(scope="module")
def aws():
    """Empty for each file of tests."""
    port = free_ports(0)["aws"]
    command = [sys.executable, "-m", "tests.deployment.moto_for_chalice", str(port)]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        url = f"http://127.0.0.1:{port}"
        await_answer(process, f"{url}/moto-api/data.json")
        yield Aws(url)
    finally:
        process.kill()
        process.wait()
