"""Texts from outside: what can be stored and sent on."""

import re

# What a terminal acts on instead of showing it: C0 (ESC, backspace, carriage return), DEL, C1 (its
# U+009B is an ESC of its own), marks that turn the reading direction, separators of lines.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2028\u2029\u2066-\u2069]")
_TENANT_ID = re.compile(r"[0-9a-f]{16}")


def is_storable(text: str) -> bool:
    """Whether it is UTF-8: JSON can carry half of a surrogate pair, which nothing can store."""
    return text.isascii() or text.encode(errors="ignore").decode() == text


def has_control_characters(text: str) -> bool:
    """Whether a terminal would do something about it other than showing it."""
    return bool(_CONTROL.search(text))


def visible(text: str, keep: str = "") -> str:
    r"""The same with each control character but those in `keep` spelled out: `\u001b` for ESC.

    That is JSON's way of writing it, so JSON stays the same JSON.
    """
    return _CONTROL.sub(lambda m: m[0] if m[0] in keep else f"\\u{ord(m[0]):04x}", text)


def is_tenant_id(text: str) -> bool:
    """Whether it can name a tenant: 16 hex digits, which nobody has typed."""
    return bool(_TENANT_ID.fullmatch(text))
