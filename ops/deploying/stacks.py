"""The three stacks of infra/: before the functions, and after them."""

from collections.abc import Callable, Mapping

from ops import templates
from ops.deploying.data import Data
from ops.deploying.memory import Memory
from ops.deploying.step import Say, Shop, StepFailed
from ops.stacks import Stacks

PROTECTED = "Protected"
"""The parameter that says whether what holds data can be deleted."""

Values = Callable[[], Mapping[str, str]]


class Stack:
    """One template of infra/, as a stack of its own."""

    def __init__(self, shop: Shop, stacks: Stacks, part: str, name: str, values: Values) -> None:
        self.name = name
        self._shop = shop
        self._stacks = stacks
        self._part = part
        self._values = values

    def plan(self) -> str:
        """Which resources would be made or changed."""
        body = self._body()
        try:
            values = self._parameters(body)
        except StepFailed:
            values = {}  # what an earlier step would make first
        return self._stacks.difference(self._shop.stage.stack(self._part), body, values)

    def run(self, say: Say) -> str:
        """Make them so."""
        body = self._body()
        stack = self._shop.stage.stack(self._part)
        parameters = self._parameters(body)
        if PROTECTED in parameters and not self._stacks.stands(stack):
            self._check_what_was_kept()
            # Rolled back after a failure, what is protected would stay and be in the way for good.
            made = self._stacks.deploy(stack, body, {**parameters, PROTECTED: "false"}, say)
            self._stacks.deploy(stack, body, parameters, say)
            return made
        return self._stacks.deploy(stack, body, parameters, say)

    def _check_what_was_kept(self) -> None:
        """A new stack cannot be made over what an earlier one has left."""
        if kept := Data(self._shop, self._stacks).without_stack():
            raise StepFailed(
                f"there is {', '.join(kept)}, kept when its stack was removed",
                "to have it back, import it: docs/going-live.md, `A table without its stack`; to "
                f"remove it for good: make destroy STAGE={self._shop.stage.name} ARGS=--data",
            )

    def _body(self) -> str:
        return templates.body(self._part, self._shop.catalogue.product)

    def _parameters(self, body: str) -> Mapping[str, str]:
        """Those that the template asks for."""
        values = self._values()
        return {name: values[name] for name in templates.parsed(body)["Parameters"]}


def values(shop: Shop, *, with_api: bool = False) -> Mapping[str, str]:
    """What the templates may ask for.

    Raises:
        StepFailed: the API's id is asked for, and there is none yet.
    """
    stage, product = shop.stage, shop.catalogue.product
    known = {
        "App": stage.app,
        "Stage": stage.name,
        "ParametersPath": stage.parameters_path,
        "ProductName": product.name,
        "SupportEmail": product.support_email,
        "MailFrom": stage.mail_from,
        "MailIdentityArn": stage.mail_identity_arn,
        "LogRetentionDays": str(stage.log_retention_days),
        PROTECTED: "true",
        "Domain": stage.domain,
        "CertificateArn": stage.certificate_arn,
        "HostedZoneId": stage.hosted_zone_id,
        "AlarmEmail": stage.alarm_email,
    }
    return known | ({"ApiId": api_id(shop)} if with_api else {})


def api_id(shop: Shop) -> str:
    """The API's id.

    Raises:
        StepFailed: nothing was deployed yet.
    """
    if api := Memory(shop).api_id():
        return api
    raise StepFailed("the API is not deployed yet", "deploy the functions first")
