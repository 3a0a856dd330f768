"""A Stripe secret key tells by its name whether real money moves."""

from typing import Literal

from chalicelib.domain.errors import Misconfigured

Mode = Literal["test", "live"]


def mode_of(key: str) -> Mode | None:
    """`sk_` is a secret key, `rk_` a restricted one; None for what is neither."""
    kind, _, rest = key.partition("_")
    mode = rest.partition("_")[0]
    if kind not in {"sk", "rk"}:
        return None
    if mode == "live":
        return "live"
    return "test" if mode == "test" else None


def check(key: str, mode: Mode) -> None:
    """Hold a key against the mode that the stage is meant for.

    Raises:
        Misconfigured: it is of the other mode, or no secret key at all; the key is not quoted.
    """
    found = mode_of(key)
    if found is None:
        raise Misconfigured("the Stripe key is no secret key: it must begin with sk_ or rk_")
    if found != mode:
        raise Misconfigured(
            f"the Stripe key is a {found} key, but STRIPE_MODE is {mode}: store a {mode} key, or "
            "change `live` of this stage in infra/stages.toml"
        )
