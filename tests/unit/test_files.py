"""`--output`: what it may name, and that what is there is replaced whole or not at all."""

import os
import stat

import click
import pytest
from click.testing import CliRunner

from ops.cli import ops
from ops.commands.files import NewFile, write


@pytest.mark.parametrize("command", ["credentials", "export"])
@pytest.mark.parametrize(
    "named",
    ["missing/kubeconfig", "folder", "pipe", "loop", "file/kubeconfig", "x" * 300],
)
def test_what_cannot_be_written_is_refused_before_anything_is_asked(command, named, tmp_path):
    """Usage errors, exit code 2, and nothing is done to what is there: no token is made for it."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("x")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    os.mkfifo(tmp_path / "pipe")
    before = sorted(tmp_path.iterdir())
    done = CliRunner().invoke(ops, [command, "ada@example.com", "--output", str(tmp_path / named)])
    assert done.exit_code == 2
    assert "Invalid value for '--output'" in done.output
    assert sorted(tmp_path.iterdir()) == before


def test_what_is_written_is_its_owners_alone(tmp_path):
    """Also where an older file could be read by everybody; nothing is left beside it."""
    file = tmp_path / "kubeconfig"
    file.write_text("old")
    file.chmod(0o644)
    write(NewFile().convert(str(file), None, None), "newé\n")
    assert file.read_text("utf-8") == "newé\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [file]


def test_a_link_is_followed(tmp_path):
    """It stays a link, and what it leads to is replaced or made."""
    link, file = tmp_path / "link", tmp_path / "file"
    link.symlink_to(file)
    for text in ("made", "replaced"):
        write(NewFile().convert(str(link), None, None), text)
        assert (link.is_symlink(), file.read_text("utf-8")) == (True, text)


def test_a_file_that_cannot_be_replaced_is_said(tmp_path):
    """In click's words, with exit code 2; what is there stays, and nothing beside it."""
    (tmp_path / "kubeconfig").mkdir()
    with pytest.raises(click.UsageError, match="cannot be written: Is a directory") as refused:
        write(tmp_path / "kubeconfig", "x")
    assert refused.value.exit_code == 2
    assert [p.name for p in tmp_path.iterdir()] == ["kubeconfig"]
