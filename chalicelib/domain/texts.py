"""Texts from outside: what can be stored and sent on."""

import re

_TENANT_ID = re.compile(r"[0-9a-f]{16}")


def is_storable(text: str) -> bool:
    """Whether it is UTF-8: JSON can carry half of a surrogate pair, which nothing can store."""
    return text.isascii() or text.encode(errors="ignore").decode() == text


def is_tenant_id(text: str) -> bool:
    """Whether it can name a tenant: 16 hex digits, which nobody has typed."""
    return bool(_TENANT_ID.fullmatch(text))
