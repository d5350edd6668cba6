"""The command line: ``python -m dataset_prep SOURCE ...``, also mounted as ``recbole-alibaba prep``."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

import dataset_prep
from dataset_prep.config_file import config_option
from dataset_prep.errors import PrepError, ThinDatasetError

EPILOG = """\b
Try it without any download:
  python -m dataset_prep sample --output raw
  python -m dataset_prep inspect raw/tianchi_mobile_recommend_train_user.csv
  python -m dataset_prep mobile --users raw/tianchi_mobile_recommend_train_user.csv \\
      --items raw/tianchi_mobile_recommend_train_item.csv --name my-log
  recbole-alibaba run --dataset=my-log
"""


LONGEST_SUMMARY = 200


class Group(click.Group):
    """A group whose summaries of commands are not cut, and whose commands all answer --version."""

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        """Add ``cmd`` with the first sentence of its help as summary."""
        cmd.short_help = cmd.get_short_help_str(LONGEST_SUMMARY)
        if not any("--version" in option.opts for option in cmd.params):
            click.version_option(package_name="recbole-alibaba")(cmd)
        super().add_command(cmd, name)


class Echo(logging.Handler):
    """Log lines on the present stderr, without decoration."""

    def emit(self, record: logging.LogRecord) -> None:
        click.echo(record.getMessage(), err=True)


class Prep(Group):
    """The user can mend a PrepError: it prints its text and exits with code 2. Ctrl-C exits with code 130."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ThinDatasetError as error:
            # The funnel has been logged already, stage by stage.
            click.echo(f"\n{type(error).__name__}: {error.message}\n\n{error.advice()}", err=True)
            ctx.exit(2)
        except PrepError as error:
            click.echo(f"{type(error).__name__}: {error}", err=True)
            ctx.exit(2)
        except OSError as error:
            if error.filename is None:  # of a pipe that was closed; click ends quietly then
                raise
            click.echo(f"{type(error).__name__}: {error.filename}: {error.strerror}.", err=True)
            ctx.exit(2)
        except KeyboardInterrupt:
            click.echo("Stopped: nothing was written, and what was there before is as it was.", err=True)
            ctx.exit(130)


@click.group(
    cls=Prep,
    context_settings={"help_option_names": ["-h", "--help"], "show_default": True, "max_content_width": 110},
    epilog=EPILOG,
    no_args_is_help=True,
)
@click.version_option(package_name="recbole-alibaba")
def main() -> None:
    """Turn Alibaba's raw logs into RecBole data sets.

    Reads a log, keeps the behaviours and items asked for, takes the first interaction of every (user, item) pair and
    the core in which every user and item has enough partners, and writes OUTPUT/NAME/NAME.inter, .item, .yaml with
    funnel.json and funnel.html, which tell where every row went.
    """
    log = logging.getLogger("dataset_prep")
    if not log.handlers:
        log.addHandler(Echo())
    log.setLevel(logging.INFO)


Command = Callable[..., None]


def with_options(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    def add(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return add


def choice(name: str, values: list[str], text: str) -> Callable[[Command], Command]:
    return click.option(name, default=values[0], type=click.Choice(values), help=text)


engine_options = (
    choice("--engine", ["duckdb", "spark"], "What runs the SQL; the files are the same to the byte."),
    click.option("--spark-url", default="local[2]", help="local[N], spark://... or sc://..."),
)

common = with_options(
    config_option,
    click.option("--output", default="dataset", type=click.Path(path_type=Path), help="Folder of the data sets."),
    click.option("--name", help="Name of the data set.  [default: SOURCE-log]"),
    click.option("--behaviors", metavar="LIST", help="Behaviours to keep, by value or name: 3,4 or cart,buy."),
    click.option("--min-user", default=2, help="Distinct items a user must have."),
    click.option("--min-item", default=2, help="Distinct users an item must have."),
    click.option("--min-interactions", default=1000, help="Least pairs of a usable data set ..."),
    click.option("--min-users", default=50, help="... and least users ..."),
    click.option("--min-items", default=50, help="... and least items; too few relax --min-user and --min-item."),
    click.option(
        "--min-known", default=0.5, help="Least share of the held-out rows whose user and item are in training; 0: any."
    ),
    click.option("--strict", is_flag=True, help="Refuse instead of relaxing."),
    choice("--protocol", ["novel", "repeat"], "Keep the first interaction of a pair, or every one."),
    choice(
        "--level", ["item", "category"], "What is recommended: items, or their categories (dense where items are thin)."
    ),
    click.option(
        "--split",
        metavar="HOW",
        help="Write the parts, too: last, 'ratio 0.8,0.1,0.1' or 'date 2014-12-17,2014-12-18'.",
    ),
    choice("--core-on", ["all", "train"], "Whose pairs the core counts; all is RecBole's habit and looks ahead."),
    choice("--cold", ["drop", "keep"], "Rows of validation and test with a user or item that training never saw."),
    click.option("--from", "since", metavar="WHEN", help="First day or moment to keep, Beijing time; '' for no bound."),
    click.option("--to", "until", metavar="WHEN", help="Last day or moment to keep, Beijing time; '' for no bound."),
    click.option("--max-bad", default=0.01, help="Stop when more than this share of the rows does not parse."),
    click.option("--force", is_flag=True, help="Replace a data set of another source or other settings."),
    click.option("--encoding", metavar="NAME", help="Of the log: gb18030, utf-16.  [default: recognised]"),
    click.option("--delimiter", metavar="CHAR", help="Of the log: ';', '|', ' '.  [default: recognised]"),
    choice("--reader", ["auto", "compiled", "engine", "careful"], "How the log is read; the files are the same."),
    *engine_options,
    click.option(
        "--memory-limit",
        metavar="SIZE",
        help="Such as 4GB: beyond it, the disk is used. For DuckDB, or Spark on this machine.",
    ),
)

log_option = click.option(
    "--log", "--users", "users", multiple=True, required=True, metavar="FILE",
    help="The log: .csv, .txt, .gz, .zip, a pattern, or s3:// and hdfs://; may be given several times.",
)  # fmt: skip


@main.command()
@log_option
@click.option("--items", multiple=True, metavar="FILE", help="Keep only the items this file lists (the item subset P).")
@click.option("--all-items", is_flag=True, help="Keep all items, even if --items is given.")
@click.option("--item-geohash", is_flag=True, help="Add each item's first place, from --items, to .item.")
@common
def mobile(users: tuple[str, ...], items: tuple[str, ...], all_items: bool, **options: Any) -> None:
    """Alibaba Mobile Recommendation: Tianchi 46 and the fresh_comp release.

    Behaviours: 1 click, 2 favourite, 3 cart, 4 buy; 3,4 unless you say otherwise.

    \b
    python -m dataset_prep mobile --users 'tianchi_fresh_comp_train_user*.csv' --name fresh
    python -m dataset_prep mobile --users user.csv.gz --items item.csv --behaviors buy --level category --name p
    python -m dataset_prep mobile --users user.zip --split 'date 2014-12-17,2014-12-18' --core-on train --name cut
    """
    dataset_prep.convert("mobile", users, items=None if all_items else items, quiet=False, **options)


@main.command()
@log_option
@common
def userbehavior(users: tuple[str, ...], **options: Any) -> None:
    """Taobao User Behavior: Tianchi 649, no header, Unix seconds.

    Behaviours: pv, fav, cart, buy; all unless you say otherwise. Rows outside the data set's own nine days
    (2017-11-25 to 2017-12-03) are dropped and counted; --from '' --to '' keeps them.

    \b
    python -m dataset_prep userbehavior --log UserBehavior.csv.zip --behaviors cart,buy --name taobao
    """
    dataset_prep.convert("userbehavior", users, quiet=False, **options)


@main.command()
@log_option
@click.option("--user-info", metavar="FILE", help="user_info_format1.csv of IJCAI-15, for .user (age_range, gender).")
@common
def tmall(users: tuple[str, ...], **options: Any) -> None:
    """Tmall: IJCAI-15 (user_log_format1.csv) or IJCAI-16, told apart by their columns.

    Behaviours: click, favourite, cart, buy (IJCAI-16: click, buy); all but clicks unless you say otherwise.

    \b
    python -m dataset_prep tmall --log user_log_format1.csv --user-info user_info_format1.csv --name tmall15
    """
    dataset_prep.convert("tmall", users, quiet=False, **options)


@main.command()
@log_option
@click.option("--user-column", required=True, help="Name in the header, or number from 1.")
@click.option("--item-column", required=True)
@click.option(
    "--time-column",
    help="Or month,day. Without one, no --from, --to or --split, and RecBole splits at random.",
)
@click.option(
    "--time-format", default="unix", help="unix, ms, hour, datetime, date, yyyymmdd, iso, or a pattern: %d/%m/%Y."
)
@click.option("--timezone", default="", help="Of times that state none: Europe/Berlin.  [default: Beijing]")
@click.option("--category-column", help="For .item and --level category.")
@click.option("--behavior-column", help="Needs --behavior-values.")
@click.option("--behavior-values", metavar="LIST", help="Its values, weakest first: click,cart,buy.")
@click.option("--items", multiple=True, metavar="FILE", help="Keep only the items in the first column of this file.")
@click.option("--all-items", is_flag=True, help="Keep all items, even if --items is given.")
@common
def csv(users: tuple[str, ...], items: tuple[str, ...], all_items: bool, **options: Any) -> None:
    """Any other log: name its columns.

    \b
    python -m dataset_prep csv --log my.csv --user-column uid --item-column sku --time-column when \\
        --time-format datetime --behavior-column event --behavior-values view,cart,buy --name mine
    """
    dataset_prep.convert("csv", users, items=None if all_items else items, quiet=False, **options)


@main.command(name="inspect")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--items", multiple=True, metavar="FILE", help="Count what is left inside this item subset, too.")
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), help="Write the report page here.")
@with_options(*engine_options)
def inspect_command(
    files: tuple[str, ...], items: tuple[str, ...], html: Path | None, engine: str, spark_url: str
) -> None:
    """Look at a raw log before any choice: what is in it, what every choice would leave, and a command to run.

    \b
    python -m dataset_prep inspect tianchi_mobile_recommend_train_user.csv --items ..._item.csv --html look.html
    """
    logging.getLogger("dataset_prep").setLevel(logging.WARNING)
    for line in dataset_prep.inspect(files, items, html=html, engine=engine, spark_url=spark_url).lines():
        click.echo(line)


@main.command()
@click.option("--train", required=True, metavar="FILE", help="Lines of 'user item item ...'; .gz and .zip, too.")
@click.option("--test", required=True, metavar="FILE")
@click.option("--valid", metavar="FILE")
@click.option("--valid-share", default=0.0, help="Without --valid: share of the training pairs to hold out.")
@click.option("--seed", default=2020, help="Of the pairs to hold out.")
@choice(
    "--form",
    ["auto", "lists", "pairs", "triples"],
    "A line is 'user item item ...', 'user item', or 'user item weight'; auto looks.",
)
@choice("--protocol", ["novel", "repeat"], "Drop from valid and test what stands in an earlier part, or keep it.")
@choice("--cold", ["keep", "drop"], "Pairs of valid and test with a user or item that training never saw.")
@click.option("--output", default="dataset", type=click.Path(path_type=Path), help="Folder of the data sets.")
@click.option("--name", required=True, help="Name of the data set.")
@click.option("--max-bad", default=0.01, help="Stop when more than this share of the lines does not parse.")
@click.option("--force", is_flag=True, help="Replace a data set of another source or other settings.")
def split(**options: Any) -> None:
    """A published split in LightGCN's form (Gowalla, Yelp2018, Amazon-book, Taobao) as RecBole's benchmark parts.

    \b
    python -m dataset_prep split --train gowalla/train.txt --test gowalla/test.txt --name gowalla-lightgcn
    """
    dataset_prep.convert_published(**options)


@main.command()
@click.option("--output", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder to write into.")
@click.option("--seed", default=2014, help="Another seed, another log with the same counts.")
def sample(output: Path, seed: int) -> None:
    """Write a made-up Tianchi log with planted tastes, to try everything on."""
    for path in dataset_prep.write_sample(output, seed):
        click.echo(path)


if __name__ == "__main__":
    main(prog_name="python -m dataset_prep")
