"""Every step of `ops deploy`, in its order, in one account: from nothing, and again."""

import json
from dataclasses import replace

import pytest

from ops import rights, stripe_account, webhook
from ops.deploying import pipeline
from tests.deployment.conftest import BARE, pip_settings


@pytest.mark.usefixtures("as_moto_knows")
def test_from_nothing_to_a_shop_and_again(shop, clone, bucket, aws, site_is_known):
    """The first run makes everything; the second finds it made, and changes nothing."""
    env = {**shop.env, **BARE, **pip_settings(), **aws.environment}
    here = replace(shop, root=clone(), env=env)
    site_is_known()
    lines = []
    pipeline.run(pipeline.steps(here, bucket), lines.append, lines.append, dry_run=False)
    titles = [line for line in lines if line[:2] in {f"{n}/" for n in range(1, 10)}]
    assert len(titles) == 9
    functions = {f["FunctionName"] for f in aws.client("lambda").list_functions()["Functions"]}
    assert functions == {here.stage.function(name) for name in rights.FUNCTIONS}
    (endpoint,) = webhook.find(stripe_account.client(here), here.stage.deployment)
    assert endpoint.url == "https://shop.example/api/payments/webhook"
    assert here.parameters.get("stripe_webhook_secret").startswith("whsec_")
    again, there = [], replace(here, root=clone())  # a colleague's
    pipeline.run(pipeline.steps(there, bucket), again.append, again.append, dry_run=False)
    said = "\n".join(again)
    for words in (
        "what is deployed is known from AWS",
        "0 of them new or changed, 0 removed",
        "the plans are as they should be",
        "as it should be",
    ):
        assert words in said
    assert len(aws.client("lambda").list_functions()["Functions"]) == len(functions)
    assert webhook.find(stripe_account.client(here), here.stage.deployment) == [endpoint]
    assert "sk_test" not in json.dumps(lines + again)
