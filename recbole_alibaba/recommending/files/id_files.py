"""Ids that a user gives: in a file, on standard input, or as words with commas between them."""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from recbole_alibaba.host.errors import SavedRunError

STDIN = "-"
_ENDINGS = ("_ids", "_id", "ids", "id", "s", "")


def read_ids(given: str, kind: str) -> list[str]:
    """The ids of `user`s or `item`s in a file (its first column, or the one with that name), on stdin, or in words.

    Raises:
        SavedRunError: no id, or a file that is no UTF-8 text.
    """
    if given != STDIN and not Path(given).exists():
        if "/" in given or Path(given).suffix in (".txt", ".csv", ".tsv"):
            raise SavedRunError(f"There is no file {given}.")
        ids = [word.strip() for word in given.split(",") if word.strip()]
    else:
        ids = read_columns(given, (kind,))[kind].tolist()
    if not ids:
        raise SavedRunError(f"{given!r} names no {kind}: give at least one id.")
    return ids


def read_columns(source: str | Path, columns: Sequence[str]) -> pd.DataFrame:
    """The columns `user` or `item` or both, as texts, of a file with a line for each row; `-` is standard input.

    Fields are separated by tabs, commas, semicolons or, where there are several columns, blanks. A first line that
    names the columns (`user_id`, `item_id:token`, ...) gives their places; without it the first ones are taken. A byte
    order mark, CRLF, blanks around ids and empty lines do not matter.

    Raises:
        SavedRunError: the file cannot be read, is no UTF-8 text, or a line has too few fields.
    """
    lines = [(number, line) for number, line in enumerate(_text(source).splitlines(), start=1) if line.strip()]
    separator = next((one for one in "\t,;" if lines and one in lines[0][1]), None)
    rows = [(number, _fields(line, separator, len(columns))) for number, line in lines]
    places = list(range(len(columns)))
    if rows:
        names = [_column(field) for field in rows[0][1]]
        if any(column in names for column in columns):
            missing = [column for column in columns if column not in names]
            if missing:
                raise SavedRunError(f"{source}: the first line names no column {missing[0]}_id: {lines[0][1].strip()}")
            places = [names.index(column) for column in columns]
            rows = rows[1:]
        elif len(columns) == 1 and names[0] == "":  # `id`
            rows = rows[1:]
    found = []
    for number, fields in rows:
        if len(fields) <= max(places) or not all(fields[place] for place in places):
            raise SavedRunError(
                f"{source}, line {number}: {' and '.join(columns)} are needed, found {','.join(fields)!r}."
            )
        found.append([fields[place] for place in places])
    return pd.DataFrame(found, columns=list(columns), dtype=object)


def _text(source: str | Path) -> str:
    try:
        data = sys.stdin.buffer.read() if source == STDIN else Path(source).read_bytes()
    except OSError as error:
        raise SavedRunError(f"{source}: cannot be read ({error.strerror}).") from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SavedRunError(f"{source}: no UTF-8 text (byte {error.start}). Save it as UTF-8.") from error


def _fields(line: str, separator: str | None, wanted: int) -> list[str]:
    if separator is None:
        return line.split() if wanted > 1 else [line.strip()]
    return [field.strip() for field in next(csv.reader([line], delimiter=separator, skipinitialspace=True))]


def _column(field: str) -> str:
    """`User_ID:token` becomes `user`, `id` becomes ``."""
    name = field.lower().partition(":")[0].strip()
    ending = next(ending for ending in _ENDINGS if name.endswith(ending))
    return name.removesuffix(ending) if ending else name
