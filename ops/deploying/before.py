"""Before anything is made: whose account, which settings, which keys."""

import sys
from collections.abc import Callable

from ops import chalice_files, stripe_account
from ops.deploying import home
from ops.deploying.memory import Memory
from ops.deploying.step import Say, Shop, StepFailed
from ops.deploying.stripe_side import Webhook
from ops.parameters import STRIPE_KEY

LAMBDA_PYTHONS = ((3, 10), (3, 11), (3, 12), (3, 13), (3, 14))
"""The functions run on the version that packages them."""


class Check:
    """Credentials and settings, before anything is changed."""

    name = "credentials and settings"

    def __init__(
        self, shop: Shop, *, configured: Callable[[], list[str]] = chalice_files.differing
    ) -> None:
        self._shop = shop
        self._configured = configured

    def plan(self) -> str:
        """It changes nothing, so it is done."""
        return self._check()

    def run(self, _: Say) -> str:
        """Check, and store the key when it was given by the environment."""
        said = self._check()
        key = stripe_account.key_of(self._shop)
        if self._shop.parameters.get(STRIPE_KEY) != key:
            self._shop.parameters.put_secret(STRIPE_KEY, key)
            said += "; the Stripe key is stored in SSM"
        return said

    def _check(self) -> str:
        stage = self._shop.stage
        if differing := self._configured():
            raise StepFailed(
                f".chalice/ is not what infra/stages.toml says: {', '.join(differing)}",
                "python -m ops configure, and commit what it writes",
            )
        if sys.version_info[:2] not in LAMBDA_PYTHONS:
            raise StepFailed(
                f"Lambda has no Python {sys.version_info[0]}.{sys.version_info[1]}",
                "make the virtual environment with another Python: make clean, then "
                "make deploy PYTHON=python3.13",
            )
        place = home.here(self._shop.session)
        home.check(stage, place)
        stripe_account.key_of(self._shop)
        Memory(self._shop).check()
        Webhook(self._shop).check()
        mode = "LIVE: real money" if stage.live else "test mode"
        return f"{stage.deployment}: {place}, Stripe in {mode}"
