"""Which passwords are not taken, by NIST SP 800-63B (3.1.1.2): those that are tried first.

Length and a blocklist, and no rule about kinds of characters: such rules make people write
`Password1!`.
"""

import re
from collections.abc import Collection
from itertools import pairwise

from chalicelib.domain.errors import WeakPassword

MIN_LENGTH = 8
"""Characters; the user pool has the same rule."""

_DECORATION = re.compile(r"[\W\d_]+")


def check(password: str, email: str, common: Collection[str], words: Collection[str] = ()) -> None:
    """Refuse a password that somebody else would guess.

    Args:
        password: as it was typed.
        email: whose it is to be: neither it nor its first part is a password.
        common: the commonest passwords, in lower case.
        words: what stands on every page here, such as the product's name.

    Raises:
        WeakPassword: in words for whoever typed it.
    """
    if len(password) < MIN_LENGTH:
        raise WeakPassword
    typed = password.casefold()
    if typed in common:
        raise WeakPassword(
            "This password is one of the commonest, which are tried first. Please choose another."
        )
    if len(set(typed)) <= 2 or _is_run(typed):  # noqa: PLR2004 - `aaaaaaaa`, `abababab`
        raise WeakPassword("This password is one character after the other. Please choose another.")
    own = {email.casefold(), email.casefold().partition("@")[0], *map(str.casefold, words)}
    if typed in own or _bare(typed) in {_bare(word) for word in own} - {""}:
        raise WeakPassword("This password is your address or our name. Please choose another.")


def _is_run(typed: str) -> bool:
    """Whether each character is the next one, up or down: `abcdefgh`, `98765432`."""
    steps = {ord(b) - ord(a) for a, b in pairwise(typed)}
    return steps in ({1}, {-1})


def _bare(text: str) -> str:
    """Without what people put around a word: `Arm-Engine2026!` is `armengine`."""
    return _DECORATION.sub("", text)
