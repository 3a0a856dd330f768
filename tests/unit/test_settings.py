"""Settings: every missing or malformed one is named, all at once."""

import base64
import re
from pathlib import Path

import pytest

from chalicelib.config import Settings
from chalicelib.domain.errors import Misconfigured

GOOD = {
    "STAGE": "dev",
    "TABLE_NAME": "arm-engine-dev",
    "QUEUE_NAME": "arm-engine-dev-tenants.fifo",
    "SITE_URL": "https://shop.example",
    "CHECKOUT_SUCCESS_URL": "https://shop.example/checkout/success?session_id={CHECKOUT_SESSION_ID}",
    "CHECKOUT_CANCEL_URL": "https://shop.example/checkout/cancel",
    "STRIPE_SECRET_KEY": "sk_test_1",
    "STRIPE_WEBHOOK_SECRET": "whsec_1, whsec_2",
    "JWT_ISSUER": "https://issuer.example",
    "JWT_AUDIENCE": "client",
    "JWT_JWKS_URL": "https://issuer.example/jwks.json",
}
PEM = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"


def test_good_settings_are_read():
    """Several webhook secrets may be given while one is rotated."""
    settings = Settings.from_env(GOOD)
    assert settings.stripe_webhook_secrets == ("whsec_1", "whsec_2")


def test_an_empty_environment_is_told_whole():
    """One run names everything that is missing."""
    with pytest.raises(Misconfigured) as raised:
        Settings.from_env({})
    for name in ("STAGE", "TABLE_NAME", "QUEUE_NAME", "SITE_URL", "STRIPE_SECRET_KEY", "JWT_ISSUER", "JWT_SECRET"):  # fmt: skip
        assert name in str(raised.value)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("STAGE", "Dev 1", "STAGE must look like"),
        ("QUEUE_NAME", "tenants", "QUEUE_NAME must look like"),
        ("SITE_URL", "shop.example", "SITE_URL must be a whole"),
        ("CHECKOUT_SUCCESS_URL", "https://shop.example/ok", "{CHECKOUT_SESSION_ID}"),
        ("STRIPE_MODE", "production", "STRIPE_MODE must be test or live"),
        ("STRIPE_MODE", "live", "the Stripe key is a test key"),
        ("STRIPE_SECRET_KEY", "rk_live_1", "the Stripe key is a live key"),
        ("STRIPE_SECRET_KEY", "pk_test_1", "the Stripe key is no secret key"),
        ("JWT_SECRET", "x" * 40, "exactly one of JWT_JWKS_URL and JWT_SECRET"),
        ("KUBE_SERVER", "https://k8s.example", "KUBE_TOKEN is missing (or KUBE_TOKEN_FILE)"),
        ("KUBE_CA", "/no/such/file", "KUBE_CA must be"),
    ],
)
def test_a_malformed_setting_is_named(name, value, said):
    """The message says which variable, and what it should look like."""
    with pytest.raises(Misconfigured, match=re.escape(said)):
        Settings.from_env(GOOD | {name: value})


def test_the_checkouts_addresses_follow_from_the_sites():
    """Only a shop with pages of its own has to say where they are."""
    env = {k: v for k, v in GOOD.items() if not k.startswith("CHECKOUT_")}
    settings = Settings.from_env(env | {"SITE_URL": "https://shop.example/"})
    assert settings.success_url == GOOD["CHECKOUT_SUCCESS_URL"]
    assert settings.cancel_url == GOOD["CHECKOUT_CANCEL_URL"]


def test_live_keys_need_a_live_stage():
    """Test mode is the rule; the stage that sells for real says so, and takes no test key."""
    assert not Settings.from_env(GOOD).livemode
    live = GOOD | {"STRIPE_MODE": "live", "STRIPE_SECRET_KEY": "rk_live_1"}
    assert Settings.from_env(live).livemode


def test_a_short_shared_secret_is_refused():
    """HS256 with a guessable secret is no signature."""
    env = {k: v for k, v in GOOD.items() if k != "JWT_JWKS_URL"} | {"JWT_SECRET": "short"}
    with pytest.raises(Misconfigured, match="at least 32 bytes"):
        Settings.from_env(env)


def test_a_ca_is_taken_in_any_of_its_three_forms(tmp_path):
    """As text, as kubeconfigs have it, or as a file."""
    path = tmp_path / "ca.pem"
    path.write_text(PEM)
    for form in (PEM.strip(), base64.b64encode(PEM.encode()).decode(), str(path)):
        assert Settings.from_env(GOOD | {"KUBE_CA": form}).kube_ca.strip() == PEM.strip()


def test_the_example_file_lists_exactly_the_settings_that_are_read():
    """.env.example and the code name the same variables."""
    root = Path(__file__).parents[2]
    example = (root / ".env.example").read_text()
    listed = set(re.findall(r"^#? ?([A-Z][A-Z_]+)=", example, re.MULTILINE))
    source = (root / "chalicelib/config.py").read_text()
    read = set(re.findall(r'read\.\w+\(\s*"([A-Z_]+)"', source))
    by_the_sdk = {"AWS_REGION", "AWS_ENDPOINT_URL", "STRIPE_PUBLISHABLE_KEY", "LOGIN_URL"}
    assert listed == read | by_the_sdk
