"""What every test of the API takes as given."""

from pathlib import Path

import chalicelib
from chalicelib.domain.record import tenant_id_of

SECRET = "whsec_contract"
JWT_SECRET = "a shared secret of more than 32 bytes"
ISSUER = "https://issuer.example"
TENANT = tenant_id_of(ISSUER, "u-1")
SETTINGS = {
    "STAGE": "dev",
    "TABLE_NAME": "arm-engine-dev",
    "QUEUE_NAME": "arm-engine-dev-tenants.fifo",
    "SITE_URL": "https://shop.example",
    "CHECKOUT_SUCCESS_URL": "https://shop.example/ok?session_id={CHECKOUT_SESSION_ID}",
    "CHECKOUT_CANCEL_URL": "https://shop.example/no",
    "STRIPE_SECRET_KEY": "sk_test_contract",
    "STRIPE_WEBHOOK_SECRET": SECRET,
    "JWT_ISSUER": ISSUER,
    "JWT_AUDIENCE": "client",
    "JWT_SECRET": JWT_SECRET,
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
}
CATALOGUE = Path(chalicelib.__file__).parent / "plans.toml"
