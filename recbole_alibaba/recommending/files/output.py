"""Tables of recommendations as CSV, Parquet or JSON lines: a file is whole or absent."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import duckdb
import pandas as pd

from dataset_prep.writing.whole_file import written
from recbole_alibaba.host.errors import SavedRunError
from recbole_alibaba.saved.parquet import copy_to

Write = Callable[[pd.DataFrame], object]
SUFFIXES = (".csv", ".parquet", ".jsonl")
_FORMULA = re.compile(r"[=+\-@](?![0-9.]+\Z)")  # a number is none


def check_output(path: Path | None) -> None:
    """Refuse, before any work, an output that cannot be written.

    Raises:
        SavedRunError: another suffix, or no such folder.
    """
    if path is None:
        return
    if path.suffix not in SUFFIXES:
        raise SavedRunError(f"--output {path}: the name must end in {', '.join(SUFFIXES)}.")
    if not path.parent.is_dir():
        raise SavedRunError(f"--output {path}: there is no folder {path.parent}. Make it first.")


def warn_of_formulas(path: Path | None, *columns: Iterable[str]) -> None:
    """Say that a spreadsheet would compute an id of a CSV file. Ids stay exact, because programs read them, too."""
    if path is not None and path.suffix != ".csv":
        return
    formula = next((text for texts in columns for text in texts if _FORMULA.match(text)), None)
    if formula is not None:
        click.echo(
            f"Warning: the id {formula[:40]!r} begins like a formula, and a spreadsheet would compute it. Ids are "
            "written as they are: import the columns as text, or write .parquet or .jsonl.",
            err=True,
        )


@contextmanager
def table_writer(path: Path | None) -> Iterator[Write]:
    """A function that appends a table to the file, by its suffix; None prints CSV.

    Raises:
        SavedRunError: the file cannot be written.
    """
    if path is None:
        yield _csv(lambda text: click.echo(text, nl=False))
        return
    check_output(path)
    try:
        with written(path) as part:
            if path.suffix == ".parquet":
                with duckdb.connect() as database:
                    yield _parquet(database)
                    if database.execute("FROM duckdb_tables()").fetchall():
                        copy_to(database, "result", part)
                return
            with part.open("w", encoding="utf-8", newline="") as file:
                yield _csv(file.write) if path.suffix == ".csv" else _json_lines(file.write)
    except OSError as error:
        raise SavedRunError(f"{path}: cannot be written ({error.strerror}).") from error


def _csv(write: Callable[[str], object]) -> Write:
    header = [True]

    def append(table: pd.DataFrame) -> None:
        write(_reasons_as_text(table).to_csv(index=False, header=header.pop() if header else False))

    return append


def _json_lines(write: Callable[[str], object]) -> Write:
    return lambda table: write(table.to_json(orient="records", lines=True, force_ascii=False) if len(table) else "")


def _parquet(database: duckdb.DuckDBPyConnection) -> Write:
    made: list[bool] = []

    def append(table: pd.DataFrame) -> None:
        database.register("block", _reasons_as_text(table))
        database.execute("INSERT INTO result FROM block" if made else "CREATE TABLE result AS FROM block")
        made.append(True)

    return append


def _reasons_as_text(table: pd.DataFrame) -> pd.DataFrame:
    """The column `because` as JSON, where the format has no lists."""
    if "because" not in table:
        return table
    return table.assign(because=[json.dumps(one, ensure_ascii=False) for one in table["because"]])
