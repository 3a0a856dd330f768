"""Which addresses are one mailbox, so that Free is had once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.free_addresses import canonical, mark_of


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a+1@example.com", "a+2@example.com"),
        ("a+1@example.com", "a@example.com"),
        ("a+1+2@example.com", "a@example.com"),
        ("Ada@Example.COM", "ada@example.com"),
        ("a.d.a@gmail.com", "ada@gmail.com"),
        ("ada+x@googlemail.com", "a.da@gmail.com"),
        ("ada@example.com.", "ada@example.com"),
    ],
)
def test_one_mailbox_is_one_address(one, other):
    """However its owner, or its provider, writes it."""
    assert mark_of(one) == mark_of(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ada@example.com", "bob@example.com"),
        ("ada@example.com", "ada@example.org"),
        ("a.da@example.com", "ada@example.com"),
        ("+1@example.com", "+2@example.com"),
        ("ada-1@example.com", "ada-2@example.com"),
    ],
)
def test_two_people_are_two(one, other):
    """Dots and dashes are part of a name where nobody has said otherwise."""
    assert mark_of(one) != mark_of(other)


@given(st.emails())
def test_the_canonical_form_is_its_own(address):
    """Made once or twice, it is the same; and it stays an address."""
    once = canonical(address)
    assert canonical(once) == once
    assert once.count("@") >= 1


def test_nothing_can_be_read_from_a_mark():
    """It is a hash: no address stands in the table by it."""
    assert "ada" not in mark_of("ada@example.com")
