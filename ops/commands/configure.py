"""`ops configure`: write .chalice/."""

import click

from ops import chalice_files


@click.command()
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 if something differs.")
def configure(*, check: bool) -> None:
    """Write .chalice/ from infra/stages.toml and ops/rights.py."""
    names = chalice_files.differing() if check else chalice_files.write()
    for name in names:
        click.echo(f".chalice/{name}: {'differs' if check else 'written'}")
    if check and names:
        raise click.ClickException("run `python -m ops configure`, and commit what it writes")
    if not names:
        click.echo(".chalice/ is as it should be.")
