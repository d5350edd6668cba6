"""The commands recommend, similar, export and score-tianchi. Only the work itself imports torch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from recbole_alibaba.console.endings import one_sentence
from recbole_alibaba.host.errors import BadInput

if TYPE_CHECKING:
    import pandas as pd

    from recbole_alibaba.recommending.model import SavedModel

CONTEXT = {"help_option_names": ["-h", "--help"]}
CHOICES = ("full", "train")
run_argument = click.argument("run")
trust_option = click.option("--trust", is_flag=True, help="Read RUN even if it is a .pth file, which can run code.")
output_option = click.option("--output", type=click.Path(path_type=Path), help="x.csv, x.parquet or x.jsonl; else CSV.")
answers = one_sentence("Stopped: no file was written or changed.")


@click.command(context_settings=CONTEXT)
@run_argument
@click.option("--users", help="A file of user ids, - for standard input, or ids: u1,u2. Without it: every user.")
@click.option("--new-users", help="A file (or -) with the columns user and item: users that the data do not have.")
@click.option("--history", default="full", show_default=True, help="What a user has had: full, or train (no test).")
@click.option("--k", default=10, show_default=True, help="Items for each user.")
@click.option("--seen", is_flag=True, help="Also items that the user has had.")
@click.option("--items", help="A file of item ids (or -, or ids with commas): only these are recommended.")
@click.option("--unknown", type=click.Choice(["error", "popular"]), default="error", show_default=True)
@click.option("--explain", is_flag=True, help="Add each user's own items that carry the score (LightGCN).")
@output_option
@click.option("--format", "form", type=click.Choice(["tianchi"]), help="The competition's file: user_id,item_id.")
@click.option("--pairs", type=click.IntRange(min=1), help="With tianchi: this many pairs, not the best by F1.")
@click.option("--truth", help="With tianchi: a file with the last known day's purchases, user and item.")
@trust_option
@answers
def recommend(
    run: str,
    users: str | None,
    new_users: str | None,
    history: str,
    k: int,
    seen: bool,
    items: str | None,
    unknown: str,
    explain: bool,
    output: Path | None,
    form: str | None,
    pairs: int | None,
    truth: str | None,
    trust: bool,
) -> None:
    """Recommend items from a trained model. RUN is a run's folder, `latest`, or a .pth file with --trust.

    \b
    recbole-alibaba recommend latest --output=lists.parquet
    recbole-alibaba recommend saved/RUN --users=u1,u2 --k=5 --explain
    recbole-alibaba recommend saved/RUN --new-users=baskets.csv

    Columns: user, rank, item, score. Of equal scores the item that the data set has first comes first.
    `--history FILE` is the same as `--new-users FILE`.
    """
    from dataset_prep.progress import bar
    from recbole_alibaba.recommending.files.id_files import read_columns, read_ids
    from recbole_alibaba.recommending.files.output import check_output, table_writer, warn_of_formulas

    if history not in CHOICES:  # a file of new users
        if new_users is not None:
            raise BadInput(f"--history {history}: use {' or '.join(CHOICES)}; the new users are in --new-users.")
        if history != "-" and not Path(history).exists():
            raise BadInput(
                f"--history {history}: use {' or '.join(CHOICES)}, or name a file; there is none of that name."
            )
        new_users, history = history, "full"
    if (pairs or truth) and form is None:
        raise BadInput("--pairs and --truth belong to --format=tianchi.")
    if form and (new_users or explain):
        raise BadInput("--format=tianchi has no place for --new-users and --explain.")
    check_output(output)
    listed = read_ids(users, "user") if users is not None else None
    only = read_ids(items, "item") if items is not None else None
    baskets = read_columns(new_users, ("user", "item")) if new_users is not None else None
    model = _load(run, trust)
    warn_of_formulas(output, [] if baskets is None else baskets["user"], model.users.texts, model.items.texts)
    if form:
        _tianchi(model, listed, k, seen, only, unknown, history, output, pairs, truth)
        return
    with table_writer(output) as write:
        if baskets is not None:
            click.echo(f"New users: the items in {new_users}.{_left_out(seen)}", err=True)
            write(model.fold_in(baskets, k, seen, only))
        if baskets is None or listed is not None:
            blocks = model.recommend_in_blocks(listed, k, seen, only, history, unknown, explain)
            _say_history(history, seen)
            with bar("recommending", len(listed or model.users.texts[1:]), "users") as shown:
                for table in blocks:
                    write(table)
                    shown.update(table["user"].nunique())


@click.command(context_settings=CONTEXT)
@run_argument
@click.option("--item", help="The item whose neighbours are asked for.")
@click.option("--user", help="The user whose neighbours are asked for.")
@click.option("--k", default=10, show_default=True, help="How many.")
@output_option
@trust_option
@answers
def similar(run: str, item: str | None, user: str | None, k: int, output: Path | None, trust: bool) -> None:
    """The items (or users) that are nearest to one, by the cosine of their vectors."""
    from recbole_alibaba.recommending.files.output import check_output, table_writer, warn_of_formulas

    check_output(output)
    found = _load(run, trust).similar(item=item, user=user, k=k)
    warn_of_formulas(output, found.iloc[:, 1])
    with table_writer(output) as write:
        write(found)


@click.command(context_settings=CONTEXT)
@run_argument
@click.option("--format", "kind", type=click.Choice(["npy", "parquet", "faiss"]), default="npy", show_default=True)
@click.option("--output", default="vectors", show_default=True, type=click.Path(path_type=Path), help="A new folder.")
@click.option("--history", type=click.Choice(CHOICES), default="full", show_default=True, help="As in recommend.")
@trust_option
@answers
def export(run: str, kind: str, output: Path, history: str, trust: bool) -> None:
    """Write the vectors of users and items, with the data's own ids. Their dot product is the score."""
    from recbole_alibaba.recommending.files.export import export as write

    for file in write(_load(run, trust), kind, output, history):
        click.echo(str(file))


@click.command("score-tianchi", context_settings=CONTEXT)
@click.argument("submission")
@click.option("--truth", required=True, help="The day's purchases: a file with the columns user and item.")
@click.option("--items", help="A file with the item subset: purchases of other items do not count.")
@answers
def score_tianchi(submission: str, truth: str, items: str | None) -> None:
    """The competition's precision, recall and F1 of a submission; repeated pairs count once."""
    from recbole_alibaba.recommending.files.id_files import read_columns, read_ids
    from recbole_alibaba.recommending.files.tianchi import score

    handed_in, bought = (read_columns(file, ("user", "item")) for file in (submission, truth))
    if items is not None:
        bought = bought[bought["item"].isin(read_ids(items, "item"))]
    if not len(bought):
        raise BadInput(f"{truth}: no purchase{' of an item in the subset' if items else ''}, so nothing can be scored.")
    found = score(handed_in, bought)
    click.echo(f"pairs handed in: {found.pairs:,}\npairs bought:    {found.truth:,}\npairs in both:   {found.hits:,}")
    click.echo(f"precision: {found.precision:.6f}\nrecall:    {found.recall:.6f}\nF1:        {found.f1:.6f}")


def _load(run: str, trust: bool) -> SavedModel:
    from recbole_alibaba.recommending.load import load

    return load(run, trust)


def _left_out(seen: bool) -> str:
    return " Items already had may come again." if seen else " Items already had are left out."


def _say_history(history: str, seen: bool) -> None:
    from recbole_alibaba.recommending.history import CHOICES as words

    if history in words:
        click.echo(f"History: {history}, {words[history]}.{_left_out(seen)}", err=True)


def _tianchi(
    model: SavedModel,
    listed: list[str] | None,
    k: int,
    seen: bool,
    only: list[str] | None,
    unknown: str,
    history: str,
    output: Path | None,
    pairs: int | None,
    truth: str | None,
) -> None:
    from recbole_alibaba.recommending.files.id_files import read_columns
    from recbole_alibaba.recommending.files.output import table_writer
    from recbole_alibaba.recommending.files.tianchi import best_number, by_score, last_known_day

    only = model.known_items(only) if only is not None else None

    def ranked(choice: str) -> pd.DataFrame:
        return by_score(model.recommend(listed, k, seen, only, choice, unknown))

    if pairs is None:
        if truth is None:
            day, words = last_known_day(model)
        else:
            day, words = read_columns(truth, ("user", "item")), truth
        if only is not None:
            day = day[day["item"].isin(only)]
        chosen = best_number(ranked("train"), day)
        pairs = chosen.pairs
        click.echo(
            f"{pairs:,} pairs have the best F1, {chosen.f1:.4f}, on {words}: precision {chosen.precision:.4f}, recall "
            f"{chosen.recall:.4f} of {chosen.truth:,} pairs.",
            err=True,
        )
    _say_history(history, seen)
    table = ranked(history)[:pairs]
    with table_writer(output) as write:
        write(table[["user", "item"]].rename(columns={"user": "user_id", "item": "item_id"}))
