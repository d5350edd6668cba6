"""The command line: ``python -m dataset_prep SOURCE ...``, also mounted as ``recbole-alibaba prep``."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from dataset_prep import convert
from dataset_prep.guards import PrepError, ThinDatasetError
from dataset_prep.sample import write_sample


class Prep(click.Group):
    """A PrepError is the user's to mend: its text and exit code 2, no traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ThinDatasetError as error:
            # The funnel stands above already, stage by stage.
            click.echo(f"\n{type(error).__name__}: {error.message}\n\n{error.advice()}", err=True)
            ctx.exit(2)
        except PrepError as error:
            click.echo(f"{type(error).__name__}: {error}", err=True)
            ctx.exit(2)


@click.group(cls=Prep, context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
def main() -> None:
    """Turn Alibaba's raw logs into RecBole data sets."""
    log = logging.getLogger("dataset_prep")
    if not log.handlers:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter("%(message)s"))
        log.addHandler(handler)
        log.setLevel(logging.INFO)


def settings(command: Callable[..., None]) -> Callable[..., None]:
    """The options every source shares."""
    for option in reversed(
        (
            click.option("--output", default="dataset", type=click.Path(path_type=Path), help="Folder of data sets."),
            click.option("--name", help="Name of the data set."),
            click.option("--behaviors", help="Which to keep, by value or name: 3,4 or cart,buy."),
            click.option("--min-user", default=2, help="Distinct items a user must have."),
            click.option("--min-item", default=2, help="Distinct users an item must have."),
            click.option("--min-interactions", default=1000, help="Least pairs of a usable data set."),
            click.option("--min-users", default=50, help="Least users of a usable data set."),
            click.option("--min-items", default=50, help="Least items of a usable data set."),
            click.option("--strict", is_flag=True, help="Refuse instead of relaxing --min-user and --min-item."),
            click.option(
                "--protocol", default="novel", type=click.Choice(["novel", "repeat"]), help="Repeats of a pair."
            ),
            click.option(
                "--level", default="item", type=click.Choice(["item", "category"]), help="What is recommended."
            ),
            click.option("--from", "since", help="First day or moment to keep, Beijing time."),
            click.option("--to", "until", help="Last day or moment to keep, Beijing time."),
            click.option("--memory-limit", help="For the engine, such as 4GB; beyond it, disk is used."),
            click.option("--force", is_flag=True, help="Replace a data set of another source or other settings."),
        )
    ):
        command = option(command)
    return command


@main.command()
@click.option(
    "--users", multiple=True, required=True, help="The log: .csv, .txt, .gz, .zip; may be given several times."
)
@click.option("--items", multiple=True, help="Keep only the items this file lists.")
@click.option("--all-items", is_flag=True, help="Keep all items, even if --items is given.")
@settings
def mobile(users: tuple[str, ...], items: tuple[str, ...], all_items: bool, **options: Any) -> None:
    """Alibaba Mobile Recommendation (Tianchi 46, fresh_comp)."""
    convert("mobile", users, items=None if all_items else items, quiet=False, **options)


@main.command()
@click.option("--output", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder to write into.")
@click.option("--seed", default=2014, help="Another seed, another log with the same counts.")
def sample(output: Path, seed: int) -> None:
    """Write a made-up Tianchi log with planted tastes, to try everything on."""
    for path in write_sample(output, seed):
        click.echo(path)


if __name__ == "__main__":
    main(prog_name="python -m dataset_prep")
