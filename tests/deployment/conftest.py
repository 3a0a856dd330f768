"""The package of every stage, made once; and one of them unpacked as Lambda does it."""

import json
import os
import shutil
import subprocess
import sys
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import boto3
import pytest

from chalicelib import wiring
from ops import stages, templates, trimming
from ops.deploying.step import Shop
from ops.stacks import Stacks
from sandbox.addresses import free_ports
from tests.serving import await_answer, part

ROOT = Path(__file__).parents[2]
SITE_PACKAGES = Path(boto3.__file__).parents[1]
STAGES = ("dev", "staging", "prod")
THE_RUNTIMES_OWN = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six.py")
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
    for name in ("chalicelib", ".chalice", "ops", "infra"):
        shutil.copytree(ROOT / name, tree / name, ignore=ignore)
    return tree


HOME = {"account": "123456789012", "region": "eu-central-1"}
"""Where the stage of these tests lives; moto's account."""


def settled(clone, **home):
    """The clone, once its stage `dev` has a home."""
    lines = "".join(f'{key} = "{value}"\n' for key, value in (HOME | home).items())
    file = clone / "infra/stages.toml"
    file.write_text(file.read_text().replace("[dev]\n", f"[dev]\n{lines}"))
    subprocess.run(
        [sys.executable, "-B", "-m", "ops", "configure"], cwd=clone, check=True, capture_output=True
    )
    return clone


@pytest.fixture(scope="session")
def clone(tree, packages, tmp_path_factory):  # the package is built once for all of them
    """Makes clones of the repository, each somebody else's, in which `dev` has a home."""

    def make(**home):
        made = tmp_path_factory.mktemp("clone") / "project"
        shutil.copytree(tree, made, ignore=shutil.ignore_patterns("package-*", "deployed"))
        return settled(made, **home)

    return make


@pytest.fixture(scope="session")
def packages(tree):
    """`make package` of every stage, in a clean environment: they share one package, trimmed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
        trimming.prepare(STAGES[0], tree, BARE | pip_settings())
    made = {}
    for stage in STAGES:
        made[stage] = tree / f"package-{stage}"
        subprocess.run(
            [*trimming.CHALICE, "package", "--stage", stage, str(made[stage])],
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


@pytest.fixture(scope="module")
def stripe_url(tmp_path_factory):
    """Stripe's stand-in."""
    clock = tmp_path_factory.mktemp("stripe") / "clock"
    with part("stripe", "--key", "sk_test_sandbox", "--clock-file", clock) as url:
        yield url


@pytest.fixture
def shop(aws, stripe_url, tmp_path, monkeypatch):
    """A stage in an account of the test's own, called by what boto3 reads."""
    for name, value in aws.environment.items():
        monkeypatch.setenv(name, value)
    deployed = tmp_path / ".chalice/deployed"
    deployed.mkdir(parents=True)
    return Shop(
        stage=replace(stages.load("dev"), **HOME), catalogue=wiring.catalogue(), session=boto3.Session(),
        root=tmp_path, env={"STRIPE_SECRET_KEY": "sk_test_sandbox"}, stripe_base=stripe_url,
    )  # fmt: skip


@pytest.fixture
def settled_file(tmp_path, monkeypatch):
    """infra/stages.toml, in which `dev` has a home."""
    file = tmp_path / "stages.toml"
    lines = "".join(f'{key} = "{value}"\n' for key, value in HOME.items())
    file.write_text(stages.FILE.read_text("utf-8").replace("[dev]\n", f"[dev]\n{lines}"))
    monkeypatch.setattr(stages, "FILE", file)
    return file


class Outputs(Stacks):
    """CloudFormation, and what moto's does not tell."""

    def __init__(self, session, **outputs):
        super().__init__(session, glance=0.01)
        self._outputs = outputs

    def outputs(self, name):  # noqa: ARG002 - of whichever stack
        """A stack's."""
        return self._outputs


@pytest.fixture
def stacks(shop):
    """CloudFormation itself."""
    return Stacks(shop.session, glance=0.01)


@pytest.fixture
def bucket(shop):
    """A bucket and a distribution, as the edge stack makes them."""
    s3 = shop.session.client("s3")
    name = f"pages-{time.time_ns()}"
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    made = shop.session.client("cloudfront").create_distribution(
        DistributionConfig={
            "CallerReference": name, "Comment": "", "Enabled": True,
            "Origins": {"Quantity": 1, "Items": [{"Id": "pages", "DomainName": f"{name}.s3.eu-central-1.amazonaws.com", "S3OriginConfig": {"OriginAccessIdentity": ""}}]},
            "DefaultCacheBehavior": {"TargetOriginId": "pages", "ViewerProtocolPolicy": "redirect-to-https"},
        }
    )["Distribution"]  # fmt: skip
    return Outputs(shop.session, Bucket=name, DistributionId=made["Id"])


KNOWN_TO_MOTO = {"AWS::DynamoDB::Table", "AWS::SQS::Queue", "AWS::Logs::LogGroup"}


@pytest.fixture
def as_moto_knows(monkeypatch):
    """The templates without what moto's CloudFormation has never heard of."""
    whole = templates.body

    def body(*which):
        template = dict(templates.parsed(whole(*which)))
        template.pop("Outputs", None)
        template["Resources"] = {
            name: resource
            for name, resource in template["Resources"].items()
            if resource["Type"] in KNOWN_TO_MOTO
        }
        for resource in template["Resources"].values():
            if resource.get("DeletionPolicy") == "RetainExceptOnCreate":
                resource["DeletionPolicy"] = "Retain"
        return json.dumps(template, default=str)

    monkeypatch.setattr(templates, "body", body)


@pytest.fixture
def site_is_known(shop):
    """Writes what the edge stack writes."""

    def write(url="https://shop.example"):
        shop.session.client("ssm").put_parameter(
            Name="/arm-engine/dev/site_url", Value=url, Type="String", Overwrite=True
        )

    return write
