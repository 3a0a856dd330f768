"""docs/openapi.yaml is a valid document and says what app.py serves."""

import re
from pathlib import Path

import pytest
import yaml
from openapi_spec_validator import validate

import app
from chalicelib.domain import errors
from chalicelib.domain.record import Excess
from chalicelib.domain.status import status_of

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def document():
    return yaml.safe_load((ROOT / "docs/openapi.yaml").read_text("utf-8"))


def test_it_is_valid(document):
    """Any tool that reads OpenAPI can read it."""
    validate(document)


def test_it_has_exactly_the_routes_that_are_served(document):
    """No route is undocumented, none is promised."""
    served = {(p, m.lower()) for p, methods in app.app.routes.items() for m in methods}
    assert served == {(p, m) for p, item in document["paths"].items() for m in item}


def test_signed_in_routes_say_so(document):
    """What looks at a token is documented as needing one."""
    source = (ROOT / "chalicelib/entrypoints/storefront.py").read_text("utf-8")
    for view, body in re.findall(r"def (\w+)\(\).*?:\n(.*?)(?=\n@|\ndef |\Z)", source, re.DOTALL):
        operations = [o for item in document["paths"].values() for o in item.values()]
        operation = next(o for o in operations if o["operationId"] == view)
        assert ("security" in operation) == ("signed_in(" in body), view


def test_every_refusal_has_a_code_of_its_own_and_a_message_to_show():
    """Codes are stable names; the message is the class's own docstring."""
    refusals = errors.Refusal.__subclasses__()
    codes = [refusal.code for refusal in refusals]
    assert len(set(codes)) == len(codes)
    for refusal in refusals:
        assert str(refusal()).endswith(".")


def test_the_status_has_the_documented_fields(document, catalogue, record):
    """The answer and its schema name the same fields: what is there always, and what is at times."""
    schema = document["components"]["schemas"]["Status"]
    too_much = record(excess=Excess(over={"pods": "50"}, fit_until=9))
    for known, fields in (
        (None, schema["required"]),
        (record(), schema["required"]),
        (too_much, schema["properties"]),
    ):
        answer = status_of(known, 1, catalogue, "dev")
        assert answer.keys() == set(fields)
        assert answer["tenant"].keys() == schema["properties"]["tenant"]["properties"].keys()
