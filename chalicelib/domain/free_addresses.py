"""Which addresses are one person's, as far as the Free plan goes: it is had once.

A mailbox can be written in many ways. Where a provider documents that two of them are the same
mailbox, they are one address here. Nobody's mail goes anywhere by this: it is only compared.
"""

from hashlib import sha256

_WITHOUT_DOTS = frozenset({"gmail.com"})
"""Where dots before the @ mean nothing."""

_SAME: dict[str, str] = {"googlemail.com": "gmail.com"}
"""Domains that are another one's second name."""

_TAGS = "+"
"""What a provider takes as the end of a name: `ada+shop@` is `ada@` (RFC 5233: the detail)."""


def canonical(address: str) -> str:
    """The form in which two addresses of one mailbox are equal."""
    name, _, domain = address.strip().casefold().rpartition("@")
    domain = domain.rstrip(".")
    domain = _SAME.get(domain, domain)
    bare = name.partition(_TAGS)[0] or name
    if domain in _WITHOUT_DOTS:
        bare = bare.replace(".", "") or bare
    return f"{bare}@{domain}"


def mark_of(address: str) -> str:
    """What is kept of an address that has had Free: a hash of its canonical form."""
    return sha256(canonical(address).encode()).hexdigest()[:32]
