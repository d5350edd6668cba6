"""The command `recbole-alibaba report`: run folders in, an HTML page and a picture out."""

from __future__ import annotations

from pathlib import Path

import click

from recbole_alibaba.host.errors import BadInput
from recbole_alibaba.recommending.files.commands import CONTEXT, answers

NAME = "report.html"


@click.command(context_settings=CONTEXT)
@click.argument("runs", nargs=-1, required=True, metavar="RUN...")
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help=f"The page. Default: {NAME} in the run's folder; in this folder if there are several runs.",
)
@click.option("--png", type=click.Path(path_type=Path, dir_okay=False), help="The training curves as a picture, too.")
@answers
def report(runs: tuple[str, ...], output: Path | None, png: Path | None) -> None:
    """Show a run as one HTML page, or several runs beside each other.

    RUN is a run's folder or `latest`. Of a run that is not finished, the page shows the epochs so far.

    \b
    recbole-alibaba report latest
    recbole-alibaba report saved/RUN saved/OTHER --output=runs.html --png=curves.png
    """
    from dataset_prep.pages.html import html
    from dataset_prep.pages.picture import NoPictureError, picture
    from recbole_alibaba.run_page.layout import curves, run_page
    from recbole_alibaba.run_page.record import read_runs

    found = read_runs(runs)
    page = output or (found[0].folder / NAME if len(found) == 1 else Path(NAME))
    files = {page: html(run_page(found)).encode()}
    if png is not None:
        drawn = curves(found)
        if not drawn:
            raise BadInput(f"--png {png}: no epoch of these runs was recorded, so there are no curves.")
        try:
            files[png] = picture(drawn)
        except NoPictureError as error:
            raise BadInput(f"--png {png}: {error}") from error
    for path, content in files.items():
        _write(path, content)
    click.echo(f"Written: {', '.join(map(str, files))}")


def _write(path: Path, content: bytes) -> None:
    from dataset_prep.writing.whole_file import written

    try:
        with written(path) as part:
            part.write_bytes(content)
    except OSError as error:
        raise BadInput(f"{path}: cannot be written ({error.strerror or error}). Choose another place.") from error
