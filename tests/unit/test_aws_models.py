"""botocore's own data, cut down: what is kept is what it was, and nothing that is called is gone."""

import re
import ssl
from pathlib import Path

import pytest
from botocore import xform_name

from chalicelib.gateways import aws
from ops import aws_models

ROOT = Path(__file__).parents[2]
FILES = dict(aws_models.files())


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(aws_models.FOLDER)))
def test_it_is_what_this_botocore_says(path):
    """After an update of boto3 or certifi: `python -m ops.aws_models`, and commit it."""
    assert path.read_text("utf-8") == FILES[path]


def test_there_is_nothing_else():
    """A service that is not called any more leaves nothing behind."""
    assert {f for f in aws_models.FOLDER.rglob("*") if f.is_file()} == set(FILES)


@pytest.mark.parametrize("service", aws_models.OPERATIONS)
def test_a_client_has_these_operations_and_no_others(service, monkeypatch):
    """So a call that was forgotten in the list fails in the first test that makes it."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    aws.session.cache_clear()
    client = aws.client(service)
    operations = {xform_name(name) for name in aws_models.OPERATIONS[service]}
    assert set(client.meta.method_to_api_mapping) == operations
    assert client.meta.endpoint_url.startswith("https://")
    assert client.meta.endpoint_url.endswith("eu-central-1.amazonaws.com")
    aws.session.cache_clear()


def test_every_operation_in_the_list_is_called():
    """The list follows the code, in both directions."""
    code = "\n".join(f.read_text() for f in (ROOT / "chalicelib/gateways").glob("*.py"))
    called = {xform_name(name) for ops in aws_models.OPERATIONS.values() for name in ops}
    plain = {"put_item", "update_item", "delete_item"}  # made of a write's kind
    assert {name for name in called - plain if not re.search(rf"\b{name}\b", code)} == set()


def test_aws_is_trusted_by_its_own_authority():
    """Five certificates that are good for years, and no hundred others."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(aws.ROOTS)
    names = {
        dict(part[0] for part in ca["subject"])["organizationName"] for ca in context.get_ca_certs()
    }
    assert len(context.get_ca_certs()) == 5
    assert names == {"Amazon", "Starfield Technologies, Inc."}
