"""Texts from outside: what can be stored and sent on."""


def is_storable(text: str) -> bool:
    """Whether it is UTF-8: JSON can carry half of a surrogate pair, which nothing can store."""
    return text.isascii() or text.encode(errors="ignore").decode() == text
