"""infra/ and what Chalice makes of the app: valid, and in step with the code and the sandbox."""

import json
import subprocess
import sys
from typing import get_args

import boto3
import pytest
from moto import mock_aws

from bench import bill
from chalicelib import wiring
from chalicelib.entrypoints import metrics, worker
from ops import chalice_files, rights, stages, templates
from ops.deploying import limits
from sandbox import seed
from sandbox.site.headers import SECURITY
from tests.deployment.conftest import STAGES

PRODUCT = wiring.catalogue().product
PARTS = ("data", "edge", "alarms")


def lint(*files):
    """What cfn-lint says; nothing when all is well."""
    done = subprocess.run(
        [sys.executable, "-c", "from cfnlint.runner import main; main()", "--regions", "eu-central-1", "--", *map(str, files)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.stdout + done.stderr


def resources(part, kind=None):
    """A template's resources."""
    found = templates.parsed(templates.body(part, PRODUCT))["Resources"]
    return {name: r["Properties"] for name, r in found.items() if kind in {None, r["Type"]}}


@pytest.mark.parametrize("part", PARTS)
def test_a_template_is_valid(part, tmp_path):
    """As it is sent to CloudFormation, with the routing function in it, and small enough."""
    file = tmp_path / f"{part}.yaml"
    file.write_text(templates.body(part, PRODUCT))
    assert lint(file) == ""
    assert file.stat().st_size < 51_200, "CloudFormation takes no larger body by itself"


def test_the_linter_finds_what_is_wrong(tmp_path):
    """An invalid template is not passed over in silence."""
    file = tmp_path / "wrong.yaml"
    file.write_text(templates.body("data", PRODUCT).replace("PAY_PER_REQUEST", "FOR_FREE"))
    assert "FOR_FREE" in lint(file)


@pytest.mark.parametrize("stage", STAGES)
def test_what_chalice_makes_is_valid(packages, stage):
    """The SAM template of each stage."""
    assert lint(packages[stage] / "sam.json") == ""


def test_the_cdn_sends_what_the_sandbox_sends():
    """One set of headers: what works in the demo works behind the CDN."""
    assert templates.site_headers() == SECURITY


def test_everything_from_the_site_has_the_headers():
    """Pages and API alike."""
    (cdn,) = resources("edge", "AWS::CloudFront::Distribution").values()
    config = cdn["DistributionConfig"]
    for behaviour in (config["DefaultCacheBehavior"], *config["CacheBehaviors"]):
        assert behaviour["ResponseHeadersPolicyId"] == {"Ref": "SiteHeaders"}


def test_the_table_is_the_sandboxs_table():
    """Keys and index are the same, whoever made it."""
    with mock_aws():
        session = boto3.Session("x", "x", region_name="eu-central-1")
        seed.on_aws("t", "q.fifo", session, None)
        made = session.client("dynamodb").describe_table(TableName="t")["Table"]
    (table,) = resources("data", "AWS::DynamoDB::Table").values()
    by_name = {"key": lambda a: a["AttributeName"]}
    assert table["KeySchema"] == made["KeySchema"]
    assert sorted(table["AttributeDefinitions"], **by_name) == sorted(
        made["AttributeDefinitions"], **by_name
    )
    (index,) = made["GlobalSecondaryIndexes"]
    wanted = {key: index[key] for key in ("IndexName", "KeySchema", "Projection")}
    assert table["GlobalSecondaryIndexes"] == [wanted]


def test_the_queue_fits_the_worker():
    """It gives a message up when the worker thinks it does, and not while one still runs."""
    queues = resources("data", "AWS::SQS::Queue")
    assert queues["Queue"]["RedrivePolicy"]["maxReceiveCount"] == worker.MAX_RECEIVES
    assert queues["Queue"]["VisibilityTimeout"] == seed.VISIBILITY
    assert queues["Queue"]["VisibilityTimeout"] >= 6 * chalice_files.SIZES[rights.WORKER][1]
    assert all(queue["FifoQueue"] is True for queue in queues.values())


def test_nothing_that_matters_is_removed_with_its_stack():
    """Records and accounts survive the removal of everything else, and a slip of the hand."""
    found = templates.parsed(templates.body("data", PRODUCT))["Resources"]
    for name in ("Table", "UserPool"):
        assert found[name]["DeletionPolicy"] == "RetainExceptOnCreate"
        assert found[name]["UpdateReplacePolicy"] == "Retain"
    table, pool = (found[name]["Properties"] for name in ("Table", "UserPool"))
    assert table["DeletionProtectionEnabled"] == {"Fn::If": ["IsProtected", True, False]}
    assert pool["DeletionProtection"] == {"Fn::If": ["IsProtected", "ACTIVE", "INACTIVE"]}
    assert (
        templates.parsed(templates.body("data", PRODUCT))["Parameters"]["Protected"]["Default"]
        == "true"
    )


def test_an_address_is_nobodys_until_it_is_verified():
    """Whoever is signed in may ask for another; the old one stays until a code has come back."""
    (pool,) = resources("data", "AWS::Cognito::UserPool").values()
    asked_first = pool["UserAttributeUpdateSettings"]["AttributesRequireVerificationBeforeUpdate"]
    assert asked_first == pool["AutoVerifiedAttributes"] == ["email"]


def test_what_has_an_end_is_removed_by_the_table():
    """The attribute that lines and marks carry is the one that DynamoDB looks at."""
    (table,) = resources("data", "AWS::DynamoDB::Table").values()
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}


def test_only_our_api_calls_the_pool():
    """Its client has a secret, which the API reads; and the pool has the tag that rights go by."""
    found = templates.parsed(templates.body("data", PRODUCT))["Resources"]
    assert found["UserPoolClient"]["Properties"]["GenerateSecret"] is True
    parameter = found["PoolClientSecret"]["Properties"]
    assert parameter["Name"] == {"Fn::Sub": "${ParametersPath}/user_pool_client_secret"}
    assert parameter["Value"] == {"Fn::GetAtt": ["UserPoolClient", "ClientSecret"]}
    tags = found["UserPool"]["Properties"]["UserPoolTags"]
    assert tags == {"deployment": {"Fn::Sub": "${App}-${Stage}"}}


def test_an_address_still_is_the_name_of_an_account():
    """A pool cannot be changed in this: another choice would be another pool, and other subjects."""
    (pool,) = resources("data", "AWS::Cognito::UserPool").values()
    assert pool["UsernameAttributes"] == ["email"]
    assert "AliasAttributes" not in pool


def test_one_customers_failure_is_answered_to_nobody_else():
    """CloudFront keeps what failed for ten seconds, whatever the policy and the answer say."""
    (cdn,) = resources("edge", "AWS::CloudFront::Distribution").values()
    kept = {
        each["ErrorCode"]: each["ErrorCachingMinTTL"]
        for each in cdn["DistributionConfig"]["CustomErrorResponses"]
    }
    instead = [
        e for e in cdn["DistributionConfig"]["CustomErrorResponses"] if "ResponsePagePath" in e
    ]
    assert not instead, "they would replace the API's JSON"
    assert kept == dict.fromkeys((400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504), 0)


def test_every_functions_log_has_an_end():
    """Its group is made with a retention, before the function could make one without."""
    names = {
        group["LogGroupName"]["Fn::Sub"]
        for group in resources("data", "AWS::Logs::LogGroup").values()
    }
    stage = stages.load("dev")
    for function in rights.FUNCTIONS:
        name = stage.function(function).replace(stage.deployment, "${App}-${Stage}")
        assert f"/aws/lambda/{name}" in names


def test_the_bucket_is_private():
    """Only the CDN reads it, and only over TLS."""
    (bucket,) = resources("edge", "AWS::S3::Bucket").values()
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    (policy,) = resources("edge", "AWS::S3::BucketPolicy").values()
    allowed, denied = policy["PolicyDocument"]["Statement"]
    assert allowed["Principal"] == {"Service": "cloudfront.amazonaws.com"}
    assert "AWS:SourceArn" in allowed["Condition"]["StringEquals"]
    assert denied["Effect"] == "Deny"


def test_nothing_of_the_api_is_cached_but_the_plans():
    """The answers are one customer's; the webhook's body goes on as it came."""
    (cdn,) = resources("edge", "AWS::CloudFront::Distribution").values()
    behaviours = {b["PathPattern"]: b for b in cdn["DistributionConfig"]["CacheBehaviors"]}
    assert list(behaviours) == ["/api/subscriptions/plans", "/api/*"]
    caching_disabled = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
    all_headers_but_host = "b689b0a8-53d0-40ab-baf2-38738e2966ac"
    assert behaviours["/api/*"]["CachePolicyId"] == caching_disabled
    assert behaviours["/api/*"]["OriginRequestPolicyId"] == all_headers_but_host
    assert "FunctionAssociations" not in behaviours["/api/*"]


def test_the_logs_alarms_watch_lines_that_the_code_writes():
    """A renamed event would silence its alarm."""
    written = "".join(
        (stages.ROOT / f"chalicelib/entrypoints/{name}.py").read_text()
        for name in ("http", "storefront", "webhooks", "worker")
    )
    for metric in resources("alarms", "AWS::Logs::MetricFilter").values():
        event = metric["FilterPattern"].split('"')[1]
        assert f'"{event}",' in written or f'say("{event}"' in written
    assert "stuck=swept.stuck" in written


def test_a_scheduled_function_that_fails_wakes_somebody():
    """It is invoked all the same: silence alone would not tell."""
    watched = {
        alarm["Dimensions"][0]["Value"]["Fn::Sub"]
        for alarm in resources("alarms", "AWS::CloudWatch::Alarm").values()
        if alarm["MetricName"] == "Errors" and alarm["Namespace"] == "AWS/Lambda"
    }
    stage = stages.load("dev")
    for function in (rights.WORKER, rights.SWEEP, rights.AUDIT):
        assert stage.function(function).replace(stage.deployment, "${App}-${Stage}") in watched
    assert "${App}-${Stage}-messages" in watched, "without its mails nobody signs up"


def by_route():
    """The alarms that go by one route's own figures: method and path."""
    for alarm in resources("alarms", "AWS::CloudWatch::Alarm").values():
        found = {d["Name"]: d["Value"] for d in alarm.get("Dimensions", [])}
        if "Resource" in found:
            yield f"{found['Resource'].replace('/', '~1')}/{found['Method']}"


def test_what_stops_a_sale_wakes_somebody():
    """Buying, signing up, signing in, and seeing what one has bought; and what brings the news."""
    assert {route.rpartition("~1")[2] for route in by_route()} == {
        "webhook/POST", "create-checkout-session/POST", "signup/POST", "login/POST", "status/GET",
    }  # fmt: skip
    figures = {a["MetricName"] for a in resources("alarms", "AWS::CloudWatch::Alarm").values()}
    assert {"TooManyRequests", "4XXError"} <= figures


def test_only_routes_that_an_alarm_goes_by_have_figures():
    """An alarm on others would never see any, and each route's figures are paid for."""
    watched = {name for name, limit in limits.LIMITS.items() if limit.watched}
    assert watched == set(by_route())


def test_the_pool_is_of_the_tier_that_the_pages_use():
    """Left out, it would be the dearer one."""
    (pool,) = resources("data", "AWS::Cognito::UserPool").values()
    assert pool["UserPoolTier"] == "LITE"


def test_the_bill_counts_what_the_templates_make():
    """Alarms, figures and the pool's tier; a new alarm is a new line of it."""
    assert len(resources("alarms", "AWS::CloudWatch::Alarm")) == bill.ALARMS
    assert sum(limit.watched for limit in limits.LIMITS.values()) == bill.WATCHED_ROUTES
    named = {
        transformation["MetricName"]
        for metric in resources("alarms", "AWS::Logs::MetricFilter").values()
        for transformation in metric["MetricTransformations"]
    }
    assert named | set(get_args(metrics.Name)) == bill.FIGURES.keys()


def test_the_dashboard_shows_every_alarm():
    """One page to look at."""
    (page,) = resources("alarms", "AWS::CloudWatch::Dashboard").values()
    for name in resources("alarms", "AWS::CloudWatch::Alarm"):
        assert f"${{{name}.Arn}}" in page["DashboardBody"]["Fn::Sub"]


def test_every_alarm_says_what_it_means():
    """And wakes somebody."""
    for alarm in resources("alarms", "AWS::CloudWatch::Alarm").values():
        assert len(alarm["AlarmDescription"]) > 40
        assert alarm["AlarmActions"] == [{"Ref": "Alarms"}]


def test_the_dashboard_is_json():
    """With every alarm on it."""
    (board,) = resources("alarms", "AWS::CloudWatch::Dashboard").values()
    body = json.loads(board["DashboardBody"]["Fn::Sub"])
    alarms = resources("alarms", "AWS::CloudWatch::Alarm")
    shown = body["widgets"][0]["properties"]["alarms"]
    assert shown == [f"${{{name}.Arn}}" for name in alarms]


@pytest.fixture
def messages(monkeypatch):
    """The pool's trigger as it stands in the template, and SSM to ask."""
    code = resources("data", "AWS::Lambda::Function")["Messages"]["Code"]["ZipFile"]
    assert len(code) < 4096, "CloudFormation takes no more inline"
    for name, value in {
        "PRODUCT": "Arms & Co", "SUPPORT": "help@shop.example", "AWS_DEFAULT_REGION": "eu-central-1",
        "SITE_URL_PARAMETER": "/arm-engine/dev/site_url", "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    space = {}
    with mock_aws():
        exec(compile(code, "messages", "exec"), space)  # noqa: S102 - our own code
        yield lambda trigger: space["handler"](
            {"triggerSource": trigger, "request": {"codeParameter": "{####}"}, "response": {}}, None
        )["response"]


@pytest.mark.parametrize("trigger", ["CustomMessage_SignUp", "CustomMessage_ResendCode"])
def test_the_sign_up_mail_has_the_code(messages, trigger):
    """In the product's own words, with its name safe to show as HTML."""
    mail = messages(trigger)
    assert mail["emailSubject"] == "Your Arms & Co code"
    assert "{####}" in mail["emailMessage"]
    assert "help@shop.example" in mail["emailMessage"]


def test_the_reset_mail_has_a_link(messages):
    """Where the shop is known; before that the code alone does."""
    assert "password-reset" not in messages("CustomMessage_ForgotPassword")["emailMessage"]
    boto3.client("ssm").put_parameter(
        Name="/arm-engine/dev/site_url", Value="https://shop.example/", Type="String"
    )
    mail = messages("CustomMessage_ForgotPassword")
    assert "https://shop.example/password-reset/{####}" in mail["emailMessage"]
    assert "Arms & Co" in mail["emailSubject"]


def test_any_other_mail_stays_as_cognito_has_it(messages):
    """A trigger that we do not know breaks nothing."""
    assert messages("CustomMessage_AdminCreateUser") == {}
