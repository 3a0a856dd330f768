"""Which passwords are taken: long ones that nobody would try first."""

import pytest

from chalicelib import wiring
from chalicelib.domain import passwords
from chalicelib.domain.errors import WeakPassword

EMAIL = "ada.lovelace@example.com"
WORDS = ("ARM Engine",)


@pytest.fixture(scope="module")
def common():
    return wiring.common_passwords()


@pytest.mark.parametrize(
    "password",
    [
        "", "short", "1234567", "12345678", "password", "Password1", "PASSWORD1", "qwertyuiop",
        "iloveyou", "trustno1", "1q2w3e4r", "p@ssw0rd", "P@SSW0RD", "aaaaaaaa", "zzzzzzzzzzzzzzzz",
        "abababababab", "abcdefghij", "98765432", "ijklmnopqr", EMAIL, "Ada.Lovelace@Example.com",
        "ada.lovelace", "AdaLovelace1815", "ARM Engine", "armengine", "Arm-Engine2026!",
    ],
)  # fmt: skip
def test_what_is_guessed_first_is_refused(common, password):
    """Short, common, one character after the other, the address itself, or the shop's name."""
    with pytest.raises(WeakPassword):
        passwords.check(password, EMAIL, common, WORDS)


@pytest.mark.parametrize(
    "password",
    ["correct horse battery", "Correct-horse-9", "tr0ubador&3", "ünïcødé wörds", "        x       y",
     "ada lovelace wrote it", "the arm engine hums", "1815-12-10", "zażółć gęślą"],
)  # fmt: skip
def test_anything_else_is_taken(common, password):
    """No kind of character is asked for, and spaces and other alphabets are welcome."""
    passwords.check(password, EMAIL, common, WORDS)


def test_an_address_of_digits_forbids_no_digits(common):
    """What is left of `1234@example.com` without its digits is nothing to compare with."""
    passwords.check("2718281828", "1234@example.com", common)


def test_the_blocklist_is_long_and_in_one_form(common):
    """Ten thousand of them and more, in lower case, none that is too short anyhow."""
    assert len(common) >= 10_000
    assert all(one == one.casefold() and len(one) >= passwords.MIN_LENGTH for one in common)
