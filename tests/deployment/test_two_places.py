"""One stage, one home: what is done by mistake at another place touches nothing of the first.

IAM and CloudFront know no regions, Stripe no AWS accounts.
"""

import json
from dataclasses import replace

import boto3
import pytest
from click.testing import CliRunner

from ops import chalice_files, rights, stages, stripe_account, templates, webhook
from ops.chalice_files import differing
from ops.cli import ops
from ops.commands.common import shop_of
from ops.deploying import code, home, memory, taking_down
from ops.deploying.before import Check
from ops.deploying.step import StepFailed
from ops.deploying.stripe_side import Webhook
from ops.deploying.world import Role, role_of
from tests.deployment.conftest import HOME

ELSEWHERE = "us-west-2"
TRUST = json.dumps({"Version": "2012-10-17", "Statement": []})


def moved(shop, **where):
    """The same stage at another place."""
    stage = replace(shop.stage, **where)
    return replace(shop, stage=stage, session=boto3.Session(region_name=stage.region))


@pytest.fixture
def live_roles(shop):
    """The roles of a shop in eu-central-1, as Chalice makes them; gone afterwards."""
    iam = shop.session.client("iam")
    names = {function: role_of(shop.stage, function) for function in rights.FUNCTIONS}
    for function, name in names.items():
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
        policy = json.dumps(rights.policy(function, shop.stage))
        iam.put_role_policy(RoleName=name, PolicyName=name, PolicyDocument=policy)
    yield set(names.values())
    for name in names.values():
        iam.delete_role_policy(RoleName=name, PolicyName=name)
        iam.delete_role(RoleName=name)


@pytest.fixture
def live_endpoint(shop, site_is_known):
    """Stripe delivers to the shop in eu-central-1; gone afterwards."""
    site_is_known()
    Webhook(shop).run(print)
    (made,) = webhook.find(stripe_account.client(shop), shop.stage.deployment)
    yield made
    for found in webhook.find(stripe_account.client(shop), shop.stage.deployment):
        stripe_account.client(shop).v1.webhook_endpoints.delete(found.id)


def test_a_deploy_in_another_region_is_refused_before_anything_is_made(shop, live_roles):
    """The roles there are another region's, and a clone that does not know its home says so."""
    assert live_roles
    elsewhere = moved(shop, region=ELSEWHERE)
    with pytest.raises(StepFailed, match=r"role arm-engine-dev-\w+ belongs to eu-central-1"):
        Check(elsewhere, configured=list).run(print)
    assert elsewhere.parameters.all() == {}
    with pytest.raises(StepFailed, match="belongs to eu-central-1"):
        code.Code(elsewhere).run(print)


def test_a_destroy_in_another_region_leaves_the_live_shop_whole(
    shop, stacks, live_roles, live_endpoint, monkeypatch
):
    """Its roles, its endpoint at Stripe and its secret; and it says what it leaves."""
    monkeypatch.setattr(code, "chalice", lambda *_: None)
    elsewhere, lines = moved(shop, region=ELSEWHERE), []
    there = type(stacks)(elsewhere.session, glance=0.01)
    for data in (False, True):
        taking_down.destroy(elsewhere, there, lines.append, lines.append, data=data)
    roles = {role["RoleName"] for role in shop.session.client("iam").list_roles()["Roles"]}
    assert roles >= live_roles
    found = webhook.find(stripe_account.client(shop), shop.stage.deployment)
    assert [endpoint.id for endpoint in found] == [live_endpoint.id]
    assert shop.parameters.get("stripe_webhook_secret").startswith("whsec_")
    said = "\n".join(lines)
    assert f"kept, since it is not this site's: {live_endpoint.url}" in said
    assert "role arm-engine-dev-worker belongs to eu-central-1, and is left alone" in said


def test_chalices_memory_has_no_role_of_another_region(shop, live_roles):
    """So that `chalice delete` cannot remove one either."""
    elsewhere = moved(shop, region=ELSEWHERE)
    there = memory.Memory(elsewhere).look()
    assert {role.name for role in there.strangers.values()} == live_roles
    assert list(memory.resources(there, elsewhere)) == []
    ours = memory.Memory(shop).look()
    assert {role.name for role in ours.roles.values()} == live_roles


@pytest.mark.parametrize(
    ("resource", "last_used", "used", "ours"),
    [
        ("arn:*:dynamodb:eu-central-1:1:table/t", None, False, True),
        ("arn:*:dynamodb:us-west-2:1:table/t", "eu-central-1", True, False),
        ("arn:*:dynamodb:*:*:table/t", None, True, True),
        ("arn:*:dynamodb:*:*:table/t", "us-west-2", True, False),
        ("arn:*:dynamodb:*:*:table/t", None, False, False),
        (None, None, False, True),
    ],
)
def test_whose_a_role_is(resource, last_used, used, ours):
    """By the region in its policy; an old one by who uses it; without a policy nothing can."""
    policies = ({"Statement": [{"Resource": resource}]},) if resource else ()
    role = Role("r", "arn:r", policies, last_used)
    assert role.belongs_to("eu-central-1", used=used) is ours


def test_names_that_are_global_carry_the_region(shop):
    """Of CloudFront and of CloudWatch's dashboards; no role has a name of its own."""
    for part in ("data", "edge", "alarms"):
        body = templates.parsed(templates.body(part, shop.catalogue.product))
        for name, resource in body["Resources"].items():
            kind, text = resource["Type"], json.dumps(resource["Properties"])
            if kind.startswith("AWS::CloudFront::") and kind != "AWS::CloudFront::Distribution":
                assert '"Name": {"Fn::Sub": "${App}-${Stage}-${AWS::Region}' in text, name
            if kind == "AWS::CloudWatch::Dashboard":
                assert "${AWS::Region}" in json.dumps(resource["Properties"]["DashboardName"])
            if kind.startswith("AWS::IAM::"):
                assert not any(key.endswith("Name") for key in resource["Properties"]), name


@pytest.mark.parametrize("where", [{"region": ELSEWHERE}, {"account": "210987654321"}])
def test_a_second_deployment_on_one_stripe_account_is_refused(
    shop, live_endpoint, where, stripe_url
):
    """With the address that the first one has; whether it is in another account or region."""
    other = moved(shop, **where)
    ssm = other.session.client("ssm")
    name = "/arm-engine/dev/site_url"
    first = shop.parameters.get("site_url")
    ssm.put_parameter(Name=name, Value="https://other.example", Type="String", Overwrite=True)
    with pytest.raises(StepFailed, match=f"already serves a arm-engine-dev: {live_endpoint.url}"):
        Webhook(other).run(print)
    with pytest.raises(StepFailed, match="already serves"):
        Webhook(other).check()
    assert "0 endpoints removed; kept" in Webhook(other).remove()
    shop.session.client("ssm").put_parameter(Name=name, Value=first, Type="String", Overwrite=True)
    assert [e.id for e in webhook.find(stripe_account.client(shop), "arm-engine-dev")] == [
        live_endpoint.id
    ]


def test_a_running_sandbox_counts(shop, site_is_known):
    """It takes events under the same name, with a real test key: neither takes the other's."""
    client = stripe_account.client(shop)
    site_is_known()
    sandboxes = client.v1.webhook_endpoints.create({
        "url": "https://tunnel.example/api/payments/webhook", "enabled_events": ["customer.deleted"],
        "metadata": {"deployment": "arm-engine-dev"},
    })  # fmt: skip
    try:
        with pytest.raises(StepFailed, match=r"tunnel\.example.*\n  -> stop that one \(a sandbox"):
            Check(shop, configured=list).run(print)
        Webhook(shop).remove()
        assert [e.id for e in webhook.find(client, "arm-engine-dev")] == [sandboxes.id]
    finally:
        client.v1.webhook_endpoints.delete(sandboxes.id)


def test_an_endpoint_from_before_stages_had_a_home_is_taken_over(shop, site_is_known):
    """By its address; from then on it is known by its home."""
    client = stripe_account.client(shop)
    site_is_known()
    Webhook(shop).run(print)
    (made,) = webhook.find(client, "arm-engine-dev")
    client.v1.webhook_endpoints.update(made.id, {"metadata": {webhook.HOME: ""}})
    (old,) = webhook.find(client, "arm-engine-dev")
    assert not old.home
    assert "(home)" in Webhook(shop).run(print)
    (taken,) = webhook.find(client, "arm-engine-dev")
    assert (taken.id, taken.home) == (made.id, "123456789012/eu-central-1")
    Webhook(shop).remove()


def test_the_first_deploy_asks_where_and_writes_it(shop, monkeypatch, tmp_path):
    """A question that names account and region; the answer stands in the file, and .chalice/."""
    file = tmp_path / "stages.toml"
    file.write_text(stages.FILE.read_text("utf-8"), "utf-8")

    def stop(*_, **__):
        raise SystemExit(0)

    monkeypatch.setattr(home.settle, "__defaults__", (file,))
    monkeypatch.setattr(stages, "FILE", file)
    written = tmp_path / "chalice"
    monkeypatch.setattr(chalice_files.write, "__defaults__", (written,))
    monkeypatch.setenv("STRIPE_API_BASE", shop.stripe_base)
    monkeypatch.setattr("ops.commands.deploy.pipeline.run", stop)
    refused = CliRunner().invoke(ops, ["deploy", "--stage", "dev"], input="yes\n")
    assert "It would be AWS account 123456789012 in eu-central-1" in refused.output
    assert refused.exit_code == 1
    assert 'account = "' not in file.read_text()
    CliRunner().invoke(ops, ["deploy", "--stage", "dev"], input="123456789012 eu-central-1\n")
    stage = stages.load("dev")
    assert (stage.account, stage.region) == tuple(HOME.values())
    assert not stages.load("prod").account
    assert "# What whoever runs a shop chooses" in file.read_text()
    policy = (written / "policy-dev-worker.json").read_text()
    assert "arn:*:dynamodb:eu-central-1:123456789012:table/arm-engine-dev" in policy
    assert differing(written) == []


@pytest.mark.parametrize("command", ["deploy", "destroy"])
def test_another_account_than_the_stages_is_refused(shop, settled_file, monkeypatch, command):
    """With both said, before anything is asked or done."""
    text = settled_file.read_text().replace(HOME["account"], "210987654321")
    settled_file.write_text(text)
    monkeypatch.setenv("STRIPE_SECRET_KEY", "sk_test_sandbox")
    monkeypatch.setattr(chalice_files.differing, "__defaults__", (settled_file.parent / "c",))
    chalice_files.write(settled_file.parent / "c")
    done = CliRunner().invoke(ops, [command, "--stage", "dev"])
    assert isinstance(done.exception, StepFailed), done.output
    assert "lives in AWS account 210987654321 in eu-central-1" in str(done.exception)
    assert "this is AWS account 123456789012 in eu-central-1: nothing was done" in str(
        done.exception
    )


@pytest.mark.parametrize("name", ["AWS_REGION", "AWS_DEFAULT_REGION"])
def test_another_region_than_the_stages_is_refused(shop, settled_file, monkeypatch, name):
    """By every command; without a word in the environment the stage's own is taken."""
    assert settled_file
    for variable in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(variable, raising=False)
    assert shop_of("dev").session.region_name == "eu-central-1"
    assert shop_of("dev").env["AWS_DEFAULT_REGION"] == "eu-central-1", "for chalice"
    monkeypatch.setenv(name, ELSEWHERE)
    for command in ("deploy", "destroy", "doctor", "stats"):
        done = CliRunner().invoke(ops, [command, "--stage", "dev"])
        assert "lives in AWS account 123456789012, eu-central-1" in str(done.exception), command


def test_a_misspelt_region_is_named(shop):
    """With the one that was meant; not a name that DNS does not know."""
    with pytest.raises(
        StepFailed, match="no AWS region eu-centrall-1\n  -> did you mean eu-central-1"
    ):
        home.here(boto3.Session(region_name="eu-centrall-1"))
