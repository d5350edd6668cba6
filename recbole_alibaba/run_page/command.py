"""The command `recbole-alibaba report`: run folders in, an HTML page and a picture out."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from recbole_alibaba.host.errors import BadInput

NAME = "report.html"


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("runs", nargs=-1, required=True, metavar="RUN...", type=click.Path(path_type=Path))
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help=f"The page; {NAME} in the run's folder if it is not given, or here if there are several runs.",
)
@click.option("--png", type=click.Path(path_type=Path, dir_okay=False), help="The training curves as a picture, too.")
def report(runs: tuple[Path, ...], output: Path | None, png: Path | None) -> None:
    """Show a run as one HTML page, or several runs beside each other.

    RUN is a folder that a training has written. Of a run that is not finished, the page shows the epochs so far.

    \b
    recbole-alibaba report saved/AlibabaLightGCN-tianchi-mobile-20261126-101500
    recbole-alibaba report saved/* --output=runs.html --png=curves.png
    """
    from dataset_prep.pages.html import html
    from recbole_alibaba.run_page.page import curves, run_page
    from recbole_alibaba.run_page.record import read_runs

    try:
        found = read_runs(runs)
        page = output or (runs[0] / NAME if len(runs) == 1 else Path(NAME))
        files = {page: html(run_page(found)).encode()}
        if png is not None:
            from dataset_prep.pages.picture import NoPictureError, picture

            drawn = curves(found)
            if not drawn:
                raise BadInput(f"--png {png}: the runs have no recorded epochs, so there are no curves.")
            try:
                files[png] = picture(drawn)
            except NoPictureError as error:
                raise BadInput(f"--png {png}: {error}") from error
        for path, content in files.items():
            _write(path, content)
    except BadInput as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(2)
    click.echo(f"Written: {', '.join(map(str, files))}")


def _write(path: Path, content: bytes) -> None:
    from recbole_alibaba.saved.run_folder import written

    try:
        with written(path) as part:
            part.write_bytes(content)
    except OSError as error:
        raise BadInput(f"{path}: cannot be written ({error.strerror or error}). Choose another --output.") from error
