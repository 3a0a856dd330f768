"""Texts from outside on their way to a terminal."""

import json

import pytest

from chalicelib.domain.texts import visible
from ops.commands import common

NASTY = [
    "\x1b[2Jgone",
    "\x9b31m",
    "a\rb",
    "a\bb",
    "\x00",
    "\x7f",
    "\u202egpj.exe",
    "\u2066x",
    "\u2028",
]


@pytest.mark.parametrize("text", NASTY)
def test_a_terminal_is_told_nothing_by_what_a_customer_typed(text, capsys):
    """In a line, in a table, in a list of facts and in JSON: it is spelled out, never acted on."""
    common.say(text)
    common.show_one({"email": text, "more": [text, {"in": text}]}, as_json=False)
    common.show_rows([{"email": text}], as_json=False, nothing="")
    common.show_json({"email": text})
    said = capsys.readouterr().out
    assert not set(text) & set(said) & {c for c in text if visible(c) != c}
    assert "\\u" in said


@pytest.mark.parametrize("text", NASTY)
def test_json_says_the_same(text):
    """A program reads what was there."""
    assert json.loads(common.json_text({"email": text})) == {"email": text}


def test_letters_of_all_alphabets_are_shown_as_they_are():
    """Nothing is lost of a name."""
    for text in ("Zoë Žižek", "Ада", "愛", "عَائِشَة", "👩‍💻"):
        assert visible(text) == text
