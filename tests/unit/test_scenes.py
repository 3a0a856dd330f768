"""The answers that the browser tests give in the API's place are answers that it could give."""

from pathlib import Path

import pytest
import yaml
from openapi_schema_validator import OAS31Validator

from tests.journeys.scenes import SCENES, STATUSES, refused

SCHEMAS = yaml.safe_load((Path(__file__).parents[2] / "docs" / "openapi.yaml").read_text())[
    "components"
]["schemas"]


@pytest.mark.parametrize("name", STATUSES)
def test_a_status_has_the_contracts_form(name):
    """No state is shown that docs/openapi.yaml does not know."""
    OAS31Validator(SCHEMAS["Status"]).validate(STATUSES[name])


def test_a_refusal_has_the_contracts_form():
    """Code, message, request id."""
    OAS31Validator(SCHEMAS["Error"]).validate(refused("already_subscribed"))


def test_every_page_is_a_scene():
    """A new page is held to the same as the others."""
    site = Path(__file__).parents[2] / "static_site"
    pages = {str(page.relative_to(site).with_suffix("")) for page in site.rglob("*.html")}
    shown = {scene.path.partition("?")[0].strip("/") or "index" for scene in SCENES.values()}
    assert pages - {"404"} <= shown
