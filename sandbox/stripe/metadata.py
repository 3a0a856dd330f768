"""Metadata as it is changed: key by key, an empty value takes one away."""

from collections.abc import Mapping

from sandbox.stripe.errors import Refusal

KEYS, KEY_LENGTH, VALUE_LENGTH = 50, 40, 500


def merged(old: Mapping[str, str], given: Mapping[str, str] | str | None) -> dict[str, str]:
    """What stands after the change; an empty text in place of it all clears it."""
    if given is None:
        return dict(old)
    if isinstance(given, str):
        return {}
    for key, value in given.items():
        if not isinstance(value, str):
            raise Refusal(f"Invalid metadata: {key} is not a string.", param=f"metadata[{key}]")
        if len(key) > KEY_LENGTH or len(value) > VALUE_LENGTH:
            raise Refusal(
                f"Metadata keys are up to {KEY_LENGTH} characters long, values {VALUE_LENGTH}.",
                param=f"metadata[{key}]",
            )
    new = {key: value for key, value in {**old, **given}.items() if value}
    if len(new) > KEYS:
        raise Refusal(f"Metadata can have up to {KEYS} keys.", param="metadata")
    return new
