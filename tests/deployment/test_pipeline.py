"""`ops deploy` and `ops destroy`: each step, again, dry, and undone.

moto's CloudFormation leaves out much of what the templates name (the CDN, the pool, alarms), so
what a stack would have made is checked by what it was asked for, and stood in for where a later
step needs it.
"""

import json
import zipfile
from dataclasses import replace
from types import SimpleNamespace
from unittest.mock import Mock

import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner

from chalicelib.domain.stripe_event import API_VERSION, SUBSCRIBED
from ops import chalice_files, pages, stripe_account, trimming, webhook
from ops.cli import ops
from ops.commands.common import shop_of
from ops.deploying import answers, code, limits, pipeline, taking_down
from ops.deploying.before import Check
from ops.deploying.limits import Limits
from ops.deploying.site import Site
from ops.deploying.stacks import Stack, values
from ops.deploying.step import StepFailed
from ops.deploying.stripe_side import Plans, Webhook

URL = "https://shop.example/api/payments/webhook"


def said():
    """Collects lines."""
    lines = []
    return lines, lines.append


def test_the_check_tells_where_one_is(shop):
    """Account, region and mode; the key that was given is kept in SSM, encrypted."""
    check = Check(shop)
    assert (
        "arm-engine-dev: AWS account 123456789012 in eu-central-1, Stripe in test mode"
        in check.plan()
    )
    assert shop.parameters.get("stripe_secret_key") is None, "a plan changes nothing"
    assert "stored" in check.run(print)
    ssm = shop.session.client("ssm")
    kept = ssm.get_parameter(Name="/arm-engine/dev/stripe_secret_key", WithDecryption=True)
    assert kept["Parameter"]["Type"] == "SecureString"
    assert kept["Parameter"]["Value"] == "sk_test_sandbox"
    assert "stored" not in check.run(print), "a second time there is nothing to do"
    from_ssm = replace(shop, env={})
    assert stripe_account.key_of(from_ssm) == "sk_test_sandbox"


@pytest.mark.parametrize(
    ("key", "what", "todo"),
    [
        ("sk_live_1", "a live key, but STRIPE_MODE is test", "get a test key"),
        ("pk_test_1", "no secret key", "get a test key"),
    ],
)
def test_a_wrong_key_stops_a_deploy(shop, key, what, todo):
    """Before anything is made; and the key is not shown."""
    with pytest.raises(StepFailed) as failed:
        Check(replace(shop, env={"STRIPE_SECRET_KEY": key})).run(print)
    assert what in failed.value.what
    assert todo in failed.value.todo
    assert key not in str(failed.value)


def test_a_configuration_that_differs_stops_a_deploy(shop):
    """What would be deployed is not what infra/stages.toml says."""
    with pytest.raises(StepFailed, match="python -m ops configure"):
        Check(shop, configured=lambda: ["config.json"]).run(print)


@pytest.mark.usefixtures("as_moto_knows")
def test_a_stack_is_made_told_and_left_alone(shop, stacks):
    """Made once; the second run has nothing to do; a plan says which."""
    stack = Stack(shop, stacks, "data", "data", lambda: values(shop))
    assert stack.plan().startswith("create stack arm-engine-dev-data with")
    _, say = said()
    assert stack.run(say) == "stack arm-engine-dev-data is made"
    assert stack.plan() == "nothing: stack arm-engine-dev-data is as it should"
    found = shop.session.client("dynamodb").describe_table(TableName="arm-engine-dev")["Table"]
    assert found["GlobalSecondaryIndexes"][0]["IndexName"] == "due"
    queues = shop.session.client("sqs").list_queues()["QueueUrls"]
    assert {url.rsplit("/", 1)[-1] for url in queues} == {
        "arm-engine-dev-tenants.fifo", "arm-engine-dev-tenants-dead.fifo",
    }  # fmt: skip
    changed = Stack(shop, stacks, "data", "data", lambda: values(shop) | {"LogRetentionDays": "30"})
    assert changed.plan() == "update stack arm-engine-dev-data: set LogRetentionDays"


def test_what_holds_data_is_protected_once_it_is_made(shop):
    """Not before: what is protected cannot be rolled back, and would be in the way for good."""
    stacks = Mock()
    stacks.stands.side_effect = [False, False, True]
    fresh = replace(shop, stage=replace(shop.stage, name="fresh"))
    stack = Stack(fresh, stacks, "data", "data", lambda: values(shop))
    stack.run(said()[1])
    stack.run(said()[1])
    asked = [call.args[2]["Protected"] for call in stacks.deploy.call_args_list]
    assert asked == ["false", "true", "true"]


@pytest.mark.parametrize(
    "status", ["CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED"]
)
def test_a_stack_that_was_never_finished_is_removed_first(stacks, monkeypatch, status):
    """It could not be updated: the same command makes it anew."""
    cfn, calls = Mock(), []
    there = [{"StackStatus": status}]
    cfn.describe_stack_events.return_value = {"StackEvents": []}
    cfn.describe_stacks.side_effect = lambda **_: {"Stacks": there}

    def delete(**_):
        calls.append("delete")
        there.clear()

    def create(**_):
        calls.append("create")
        there.append({"StackStatus": "CREATE_COMPLETE"})

    cfn.delete_stack.side_effect, cfn.create_stack.side_effect = delete, create
    monkeypatch.setattr(stacks, "_cfn", cfn)
    assert stacks.deploy("s", "Resources: {}", {}, said()[1]) == "stack s is made"
    assert calls == ["delete", "create"]


@pytest.mark.parametrize(
    ("status", "end"),
    [
        ("CREATE_IN_PROGRESS", "CREATE_COMPLETE"),
        ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_COMPLETE"),
        ("UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE"),
    ],
)
def test_a_stack_that_is_still_worked_on_is_waited_for(stacks, monkeypatch, status, end):
    """By a command that died, or a colleague's: it is said, and the update comes after it."""
    cfn, states = Mock(), [status, status, end, end, "UPDATE_COMPLETE"]
    cfn.describe_stack_events.return_value = {"StackEvents": []}
    cfn.describe_stacks.side_effect = lambda **_: {
        "Stacks": [{"StackStatus": states.pop(0) if len(states) > 1 else states[0]}]
    }
    cfn.update_stack.side_effect = lambda **_: states.__setitem__(slice(None), ["UPDATE_COMPLETE"])
    monkeypatch.setattr(stacks, "_cfn", cfn)
    lines, say = said()
    assert stacks.deploy("s", "Resources: {}", {}, say) == "stack s is updated"
    assert lines == [f"stack s is {status}, from an earlier command: waiting for its end"]
    cfn.create_stack.assert_not_called()


@pytest.mark.parametrize("verb", ["deploy", "delete"])
def test_a_stack_that_only_a_person_can_help_on_says_how(stacks, monkeypatch, verb):
    """With CloudFormation's own command for it, and nothing is tried."""
    cfn = Mock()
    cfn.describe_stacks.return_value = {"Stacks": [{"StackStatus": "UPDATE_ROLLBACK_FAILED"}]}
    monkeypatch.setattr(stacks, "_cfn", cfn)
    with pytest.raises(StepFailed, match="continue-update-rollback --stack-name s"):
        getattr(stacks, verb)(*(("s", "", {}, print) if verb == "deploy" else ("s", print)))
    cfn.update_stack.assert_not_called()
    cfn.delete_stack.assert_not_called()


def test_a_stack_that_cannot_be_removed_names_what_holds_it(stacks, monkeypatch):
    """The resource, the reason, and how it can be left."""
    cfn, events = Mock(), []
    cfn.describe_stacks.return_value = {"Stacks": [{"StackStatus": "DELETE_FAILED"}]}
    cfn.describe_stack_events.side_effect = lambda **_: {"StackEvents": list(events)}
    cfn.delete_stack.side_effect = lambda **_: events.append(
        {"EventId": "1", "LogicalResourceId": "Pages", "ResourceStatus": "DELETE_FAILED", "ResourceStatusReason": "not empty"}
    )  # fmt: skip
    monkeypatch.setattr(stacks, "_cfn", cfn)
    with pytest.raises(StepFailed, match=r"DELETE_FAILED: Pages: not empty\n.*--retain-resources"):
        stacks.delete("s", print)


def test_a_table_without_its_stack_is_named_before_a_new_one_fails(shop, stacks, monkeypatch):
    """What is kept is said, and both ways on: to have it back, and to be rid of it."""
    monkeypatch.setattr(code, "chalice", lambda *_: None)
    alone = replace(shop, stage=replace(shop.stage, name="alone"))
    dynamodb = shop.session.client("dynamodb")
    dynamodb.create_table(
        TableName="arm-engine-alone", BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
    )  # fmt: skip
    stack = Stack(alone, stacks, "data", "data", lambda: values(alone))
    with pytest.raises(StepFailed, match=r"table arm-engine-alone, kept.*\n.*import.*ARGS=--data"):
        stack.run(print)
    assert not stacks.find("arm-engine-alone-data")
    taking_down.destroy(alone, stacks, print, print, data=True)
    assert "arm-engine-alone" not in dynamodb.list_tables()["TableNames"]


@pytest.mark.usefixtures("as_moto_knows")
def test_a_destroy_that_died_after_the_table_finds_the_pool_by_its_name(shop, stacks, monkeypatch):
    """Nothing else knows of it any more; the key of Stripe goes, too, and it is said."""
    monkeypatch.setattr(code, "chalice", lambda *_: None)
    alone = replace(shop, stage=replace(shop.stage, name="left"))
    cognito = shop.session.client("cognito-idp")
    cognito.create_user_pool(PoolName="arm-engine-left")
    kept = cognito.create_user_pool(PoolName="arm-engine-left-over")["UserPool"]["Id"]
    alone.parameters.put_secret("stripe_secret_key", "sk_test_sandbox")
    lines, say = said()
    taking_down.destroy(alone, stacks, say, say, data=False)
    assert any(line.startswith("kept: user pool") for line in lines)
    assert any("kept: the test Stripe key, encrypted, in SSM" in line for line in lines)
    taking_down.destroy(alone, stacks, say, say, data=True)
    assert [
        p["Id"] for p in cognito.list_user_pools(MaxResults=60)["UserPools"] if "left" in p["Name"]
    ] == [kept]
    assert alone.parameters.all() == {}
    assert lines[-1] == "nothing of arm-engine-left is left in AWS"
    replace(alone, env={}).parameters.delete("stripe_secret_key")
    taking_down.destroy(replace(alone, env={}), stacks, say, say, data=True)
    assert "there is no Stripe key any more" in "\n".join(lines)


def test_a_template_asks_for_what_there_is(shop):
    """Every parameter of every template has a value."""
    _, api_id = an_api(shop)
    known = values(shop, with_api=True)
    for name in ("data", "edge", "alarms"):
        stack = Stack(shop, None, name, name, lambda: known)
        assert stack._parameters(stack._body())
    assert known["ApiId"] == api_id


def test_the_edge_waits_for_the_api(shop):
    """It needs the API's id."""
    gateway, api_id = an_api(shop)
    gateway.delete_rest_api(restApiId=api_id)
    with pytest.raises(StepFailed, match="deploy the functions first"):
        values(shop, with_api=True)


def an_api(shop):
    """As Chalice leaves it: deployed, without limits and with API Gateway's own answers."""
    gateway = shop.session.client("apigateway")
    for other in gateway.get_rest_apis()["items"]:
        gateway.delete_rest_api(restApiId=other["id"])
    api_id = gateway.create_rest_api(name="arm-engine")["id"]
    root = gateway.get_resources(restApiId=api_id)["items"][0]["id"]
    gateway.put_method(
        restApiId=api_id, resourceId=root, httpMethod="GET", authorizationType="NONE"
    )
    gateway.put_integration(
        restApiId=api_id, resourceId=root, httpMethod="GET", type="AWS_PROXY",
        integrationHttpMethod="POST", uri=(
            "arn:aws:apigateway:eu-central-1:lambda:path/2015-03-31/functions/"
            "arn:aws:lambda:eu-central-1:123456789012:function:arm-engine-dev/invocations"
        ),
    )  # fmt: skip
    gateway.create_deployment(restApiId=api_id, stageName="dev")
    return gateway, api_id


def test_the_limits_are_set(shop):
    """Throttling and metrics, route by route."""
    an_api(shop)
    assert "/api/payments/webhook" in Limits(shop).plan()
    assert Limits(shop).run(print).startswith(f"{3 * len(limits.LIMITS)} values and ")


def test_api_gateways_own_answers_have_the_contracts_form(shop):
    """Code, message and id, and never kept by a cache; what is deployed once is left."""
    gateway, api_id = an_api(shop)
    before = gateway.get_stage(restApiId=api_id, stageName="dev")["deploymentId"]
    assert "THROTTLED" in Limits(shop).plan()
    assert Limits(shop).run(print).endswith(f"{len(answers.ANSWERS)} answers set")
    there = gateway.get_gateway_responses(restApiId=api_id)["items"]
    said = {}
    for each in there:
        error = json.loads(each["responseTemplates"]["application/json"])["error"]
        assert error.pop("requestId") == "$context.requestId"
        assert error.keys() == {"code", "message"}
        assert each["responseParameters"] == {"gatewayresponse.header.Cache-Control": "'no-store'"}
        said[each["responseType"]] = each.get("statusCode"), error["code"]
    assert said == {
        "DEFAULT_4XX": (None, "invalid_request"),
        "DEFAULT_5XX": (None, "upstream_unavailable"),
        "MISSING_AUTHENTICATION_TOKEN": ("404", "not_found"),
        "REQUEST_TOO_LARGE": ("413", "too_large"),
        "THROTTLED": ("429", "too_many_requests"),
    }
    deployed = gateway.get_stage(restApiId=api_id, stageName="dev")["deploymentId"]
    assert deployed != before, "they are answered only once they are deployed"
    assert answers.missing(there) == []
    Limits(shop).run(print)
    assert gateway.get_stage(restApiId=api_id, stageName="dev")["deploymentId"] == deployed


def test_an_answer_that_was_changed_or_lost_is_put_again():
    """API Gateway lists its own defaults beside ours."""
    there = answers.missing([])
    there[0] |= {"statusCode": "400"}  # its own choice, where we make none
    usual = {"responseType": "WAF_FILTERED", "defaultResponse": True, "statusCode": "403"}
    assert answers.missing([*there, usual]) == []
    changed = there[-1] | {"statusCode": "503"}
    assert answers.missing([*there[1:-1], changed]) == [answers.missing([])[0], there[-1]]


def test_limits_that_stand_are_left():
    """In API Gateway's own spelling of a method."""
    there = {
        (path if path == limits.ALL else path.replace("~1", "/").removeprefix("/")): {
            "throttlingRateLimit": float(limit.rate), "throttlingBurstLimit": limit.burst, "metricsEnabled": limit.watched,
        }
        for path, limit in limits.LIMITS.items()
    }  # fmt: skip
    assert limits.patches(there) == []
    there["api/auth/login/POST"]["throttlingBurstLimit"] = 9999
    assert limits.patches(there) == [
        {"op": "replace", "path": "/~1api~1auth~1login/POST/throttling/burstLimit", "value": "20"}
    ]


def test_every_limit_is_for_a_route(packages):
    """A renamed route would lose its limit."""
    template = json.loads((packages["dev"] / "sam.json").read_text())
    paths = template["Resources"]["RestAPI"]["Properties"]["DefinitionBody"]["paths"]
    for name in limits.LIMITS.keys() - {limits.ALL}:
        path, method = name.rsplit("/", 1)
        assert method.lower() in paths[path.replace("~1", "/")]


def test_the_pages_are_put_where_the_cdn_reads_them(shop, bucket):
    """Rendered, with type and lifetime; old files go; the CDN is told once."""
    s3, name = shop.session.client("s3"), bucket.outputs("")["Bucket"]
    s3.put_object(Bucket=name, Key="old-campaign.html", Body=b"x")
    site = Site(shop, bucket)
    assert "pricing.html" in site.plan()
    assert "remove old-campaign.html" in site.plan()
    assert "old-campaign.html" in [o["Key"] for o in s3.list_objects_v2(Bucket=name)["Contents"]]
    site.run(print)
    there = {o["Key"] for o in s3.list_objects_v2(Bucket=name)["Contents"]}
    assert there == set(pages.names())
    page = s3.get_object(Bucket=name, Key="pricing.html")
    text = page["Body"].read().decode()
    assert "{{" not in text
    assert shop.catalogue.product.name in text
    assert page["ContentType"] == "text/html; charset=utf-8"
    assert "max-age=0" in page["CacheControl"]
    script = s3.get_object(Bucket=name, Key="js/pricing.js")
    assert script["ContentType"] == "text/javascript; charset=utf-8"
    cdn = shop.session.client("cloudfront")
    where = {"DistributionId": bucket.outputs("")["DistributionId"]}
    assert len(cdn.list_invalidations(**where)["InvalidationList"]["Items"]) == 1
    assert site.plan() == "nothing: the pages are as they should be"
    site.run(print)
    assert len(cdn.list_invalidations(**where)["InvalidationList"]["Items"]) == 1
    site.empty()
    assert "Contents" not in s3.list_objects_v2(Bucket=name)


def test_the_plans_are_pushed_once(shop):
    """And a plan says what would be."""
    step = Plans(shop)
    assert "create price arm-engine-dev-basic-month" in step.plan()
    assert "changes" in step.run(print)
    assert step.plan().startswith("nothing")
    assert step.run(print) == "the plans are as they should be"


def test_the_webhook_endpoint_is_kept_right(shop, site_is_known):
    """Made with its secret stored; moved with the address; made anew when the secret is lost."""
    step = Webhook(shop)
    assert "once that is known" in step.plan()
    site_is_known()
    assert step.plan().startswith("make a new one")
    step.run(print)
    client = stripe_account.client(shop)
    (made,) = webhook.find(client, "arm-engine-dev")
    assert (made.url, made.api_version, made.events) == (URL, API_VERSION, SUBSCRIBED)
    secret = shop.parameters.get("stripe_webhook_secret")
    assert secret.startswith("whsec_")
    assert step.plan() == "as it should be"
    site_is_known("https://www.shop.example/")
    assert step.plan() == f"update {made.id} (address)"
    step.run(print)
    (moved,) = webhook.find(client, "arm-engine-dev")
    assert moved.url == "https://www.shop.example/api/payments/webhook"
    assert shop.parameters.get("stripe_webhook_secret") == secret, "no event is refused for it"
    shop.parameters.delete("stripe_webhook_secret")
    step.run(print)
    (anew,) = webhook.find(client, "arm-engine-dev")
    assert anew.id != made.id
    assert shop.parameters.get("stripe_webhook_secret") != secret
    assert step.remove() == "1 endpoints removed"
    assert webhook.find(client, "arm-engine-dev") == []


def endpoint(**facts):
    """One that is right, but for what is given."""
    usual = {"id": "we_1", "url": URL, "api_version": API_VERSION, "events": SUBSCRIBED, "enabled": True}  # fmt: skip
    return webhook.Endpoint(**(usual | facts))


@pytest.mark.parametrize(
    ("found", "known", "create", "update", "remove"),
    [
        ([], True, True, None, ()),
        ([endpoint()], True, False, None, ()),
        ([endpoint()], False, True, None, ("we_1",)),
        ([endpoint(api_version="2023-10-16")], True, True, None, ("we_1",)),
        ([endpoint(url="https://old.example")], True, False, "we_1", ()),
        ([endpoint(events=frozenset({"invoice.paid"}))], True, False, "we_1", ()),
        ([endpoint(events=SUBSCRIBED | {"payout.paid"})], True, False, "we_1", ()),
        ([endpoint(enabled=False)], True, False, "we_1", ()),
        ([endpoint(), endpoint(id="we_2")], True, False, None, ("we_2",)),
        ([endpoint(api_version=None), endpoint(id="we_2")], True, False, None, ("we_1",)),
    ],
)
def test_what_an_endpoint_needs(found, known, create, update, remove):
    """Its version cannot be changed and its secret is told once: then a new one is made."""
    plan = webhook.plan(found, URL, secret_known=known)
    assert (plan.create, plan.update, plan.remove) == (create, update, remove)
    assert plan.nothing == (not create and not update and not remove)


def test_a_replaced_endpoints_secrets_overlap(shop):
    """As long as both endpoints exist, the API takes either's signature."""
    kept = []
    client = stripe_account.client(shop)
    todo = webhook.Plan(create=True, update=None, remove=(), why="")
    webhook.carry_out(
        todo, client, url=URL, deployment="other", known="whsec_old", store=kept.append
    )
    new = kept[1]
    assert kept == [f"{new}, whsec_old", new]


def test_a_failed_step_says_what_to_do():
    """Which step, what, and what would let it; those before it are done."""
    done = []

    class Good:
        name = "good"

        def plan(self):
            """Say."""
            return "would do good"

        def run(self, _):
            """Do."""
            done.append(self.name)
            return "done"

    class Bad(Good):
        name = "bad"

        def run(self, _):
            """Fail."""
            raise StepFailed("it broke", "mend it")

    lines, say = said()
    with pytest.raises(StepFailed, match="bad: it broke\n  -> mend it"):
        pipeline.run([Good(), Bad(), Good()], say, say, dry_run=False)
    assert done == ["good"]
    lines, say = said()
    pipeline.run([Good(), Bad()], say, say, dry_run=True)
    assert lines == ["1/2 good", "would do good", "2/2 bad", "would do good"]
    assert done == ["good"]


def test_chalices_words_are_kept_when_it_fails(shop):
    """The last lines say why."""
    with pytest.raises(StepFailed) as failed:
        code.chalice(shop, "deploy", said()[1])  # there is no app in this folder
    assert "chalice deploy failed" in failed.value.what
    assert len(failed.value.what.splitlines()) > 1


@pytest.mark.parametrize("anew", [False, True])
def test_a_package_that_was_not_trimmed_does_not_ship_in_silence(shop, monkeypatch, anew):
    """Chalice builds another when the folder has changed; nobody takes it for the trimmed one."""
    folder = shop.root / ".chalice/deployments"
    folder.mkdir()

    def package(name, comment=b""):
        with zipfile.ZipFile(folder / name, "w") as made:
            made.writestr("app.py", "")
            made.comment = comment

    def deploy(*_):
        if anew:
            package("another.zip")

    monkeypatch.setattr(trimming, "prepare", lambda *_: package("one.zip", trimming.TRIMMED))
    monkeypatch.setattr(code, "chalice", deploy)
    if anew:
        with pytest.raises(StepFailed, match=r"built another.*\n  -> run the same command again"):
            code.Code(shop).run(print)
    else:
        assert code.Code(shop).run(print) == "deployed"


def test_without_a_region_or_rights_a_deploy_says_so(shop, monkeypatch):
    """One line and what to do; no trace of our insides."""
    nowhere = replace(shop, session=SimpleNamespace(region_name=None))
    with pytest.raises(StepFailed, match="credentials and settings: no AWS region"):
        pipeline.run(pipeline.steps(nowhere, None), print, print, dry_run=True)

    class Denied:
        name = "denied"

        def run(self, _):
            """Fail as AWS does."""
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "CreateThing")

    with pytest.raises(StepFailed, match=r"denied: .*CreateThing.*\n  -> see to your rights"):
        pipeline.run([Denied()], print, print, dry_run=False)


def test_either_name_of_the_region_is_taken(monkeypatch):
    """boto3 and Chalice read one of the two that AWS's own tools read."""
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    shop = shop_of("dev")
    assert shop.session.region_name == "eu-west-1"
    assert shop.env["AWS_DEFAULT_REGION"] == "eu-west-1", "for chalice"
    monkeypatch.delenv("AWS_REGION")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-2")
    assert shop_of("dev").session.region_name == "eu-west-2"


def test_a_dry_run_changes_nothing(shop, monkeypatch):
    """The whole command, in an empty account: it says every step, and nothing is there after."""
    monkeypatch.setenv("STRIPE_SECRET_KEY", "sk_test_sandbox")
    monkeypatch.setenv("STRIPE_API_BASE", shop.stripe_base)
    before = shop.session.client("cloudformation").describe_stacks()["Stacks"]
    done = CliRunner().invoke(ops, ["deploy", "--stage", "staging", "--dry-run"])
    assert done.exit_code == 0, done.output + repr(done.exception)
    assert "9/9 webhook endpoint" in done.output
    assert "create stack arm-engine-staging-data" in done.output
    assert "sk_test" not in done.output
    assert shop.session.client("cloudformation").describe_stacks()["Stacks"] == before
    assert "staging" not in json.dumps(
        shop.session.client("ssm").describe_parameters()["Parameters"], default=str
    )


@pytest.mark.parametrize(("typed", "data"), [("yes\n", []), ("arm-engine-dev\nyes\n", ["--data"])])
def test_destroy_asks(shop, settled_file, monkeypatch, typed, data):
    """By name; and a second time for what cannot be had back; it says where it is."""
    monkeypatch.setattr(
        taking_down, "destroy", lambda *_, **__: pytest.fail("it was not confirmed")
    )
    done = CliRunner().invoke(ops, ["destroy", "--stage", "dev", *data], input=typed)
    assert done.exit_code == 1
    assert "arm-engine-dev in AWS account 123456789012 in eu-central-1" in done.output
    assert "nothing was done" in done.output


@pytest.mark.usefixtures("as_moto_knows")
def test_destroy_keeps_the_data_unless_told_twice(shop, bucket, monkeypatch, site_is_known):
    """What customers see goes first; table and accounts only by the second word."""
    monkeypatch.setattr(code, "chalice", lambda *_: None)
    gateway, api_id = an_api(shop)
    gateway.delete_rest_api(restApiId=api_id)
    site_is_known()
    Webhook(shop).run(print)
    Site(shop, bucket).run(print)
    Stack(shop, bucket, "data", "data", lambda: values(shop)).run(print)
    dynamodb = shop.session.client("dynamodb")
    _, say = said()
    taking_down.destroy(shop, bucket, say, say, data=False)
    assert webhook.find(stripe_account.client(shop), "arm-engine-dev") == []
    name = bucket.outputs("")["Bucket"]
    assert "Contents" not in shop.session.client("s3").list_objects_v2(Bucket=name)
    assert dynamodb.describe_table(TableName="arm-engine-dev")["Table"]["TableStatus"] == "ACTIVE"
    assert bucket.find("arm-engine-dev-data")
    taking_down.destroy(shop, bucket, say, say, data=True)
    assert bucket.find("arm-engine-dev-data") is None
    assert "arm-engine-dev" not in dynamodb.list_tables()["TableNames"]


def test_a_secret_is_stored_by_a_command(shop):
    """From a pipe or a prompt that shows nothing; a wrong one is refused."""
    run = CliRunner().invoke
    name, source = "stripe_webhook_secret", ["--value-from", "-", "--stage", "dev"]
    done = run(ops, ["secret", name, *source], input="whsec_new, whsec_old\n")
    assert done.exit_code == 0, done.output
    assert "whsec" not in done.output
    assert shop.parameters.get(name) == "whsec_new, whsec_old"
    assert run(ops, ["secret", name, *source], input="hello\n").exit_code != 0
    live = run(ops, ["secret", "stripe_secret_key", *source], input="sk_live_1\n")
    assert "live key" in str(live.exception)


def test_configure_says_what_it_wrote(monkeypatch, tmp_path):
    """And nothing when there is nothing to write."""
    monkeypatch.setattr(chalice_files.differing, "__defaults__", (tmp_path,))
    monkeypatch.setattr(chalice_files.write, "__defaults__", (tmp_path,))
    run = CliRunner().invoke
    assert run(ops, ["configure", "--check"]).exit_code == 1
    assert ".chalice/config.json: written" in run(ops, ["configure"]).output
    assert run(ops, ["configure", "--check"]).exit_code == 0
