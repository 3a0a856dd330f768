"""docs/lifecycle.md says what the code does."""

from tests import lifecycle


def test_the_page_has_the_codes_own_table(catalogue):
    """Print it with `python -m tests.lifecycle` and put it between the marks."""
    assert lifecycle.written() == lifecycle.told(catalogue)
