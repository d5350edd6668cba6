"""A pandas, polars or Arrow table as a log: it is written as CSV in the form of its source and read like a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dataset_prep.errors import InputError, UsageError
from dataset_prep.sources import SOURCES
from dataset_prep.sources.base import BEHAVIOR, ITEM, TIME, USER, Source
from dataset_prep.sources.columns import Columns
from dataset_prep.sources.names import ROLES, plain
from dataset_prep.sources.times import BEIJING_OFFSET, FORMATS

NAME = "table.csv"
ESSENTIAL = (USER, ITEM, BEHAVIOR, TIME)


def is_frame(users: object) -> bool:
    return hasattr(users, "columns") or hasattr(users, "__arrow_c_stream__")


def frame_to_csv(frame: Any, source: str | Source, columns: Columns | None, folder: Path) -> str:
    """Write the table's columns in the order of the source -> path.

    Columns are found by the names of the source's roles or of the data set's own files, in any case.

    Raises:
        InputError: the table lacks a column of the source.
        UsageError: there is no such source.
    """
    import duckdb

    with duckdb.connect() as connection:
        connection.register("frame", frame)
        types = {name: kind for name, kind, *_ in connection.execute("DESCRIBE frame").fetchall()}
        if columns is not None or source == "csv":
            time_format = columns.time_format if columns else "unix"
            fields = [_text(name, types[name], time_format) for name in types]
        else:
            fields = _fields(_edition(source, types), types)
        target = folder / NAME
        selected = ", ".join(fields)
        connection.execute(f"COPY (SELECT {selected} FROM frame) TO '{target}' (FORMAT csv, HEADER true)")
    return str(target)


def _edition(source: str | Source, types: dict[str, str]) -> Source:
    """The source; of those that share a name (tmall, tmall-ijcai16) the one with the most columns in the table."""
    if isinstance(source, Source):
        return source
    editions = [s for s in SOURCES.values() if s.name == source or s.name.startswith(f"{source}-")]
    if not editions:
        raise UsageError(f"There is no source {source!r}. There are {', '.join(SOURCES)} and csv.")
    return max(editions, key=lambda s: sum(column in _places(s, types) for column in s.columns))


def _places(source: Source, types: dict[str, str]) -> dict[str, str]:
    """Role -> the table's column."""
    by_name = {name.lower(): name for name in types}
    own_names = source.names or source.columns
    names = zip(source.columns, own_names, strict=True)
    known = {ROLES[plain(name)]: name for name in reversed(types) if plain(name) in ROLES}
    found = {role: by_name.get(role.lower(), by_name.get(own.lower(), known.get(role))) for role, own in names}
    return {role: name for role, name in found.items() if name is not None}


def _fields(source: Source, types: dict[str, str]) -> list[str]:
    places = _places(source, types)
    for role in source.columns:
        if role in ESSENTIAL and role not in places:
            names = ", ".join(source.names or source.columns)
            raise InputError(f"The table has no column for {role}. It has {', '.join(types)}; needed are {names}.")
    fields = []
    for role in source.columns:
        text = _text(places[role], types[places[role]], source.time, role) if role in places else f"'' AS {role}"
        fields.append(text)
    return fields


def _text(name: str, kind: str, time_format: str, role: str | None = None) -> str:
    """The column as the file would write it."""
    column = '"' + name.replace('"', '""') + '"'
    value, title = column, role or name
    if kind.startswith(("TIMESTAMP", "DATE")):
        strptime = FORMATS[time_format].strptime
        if strptime is None:
            value = f"CAST(epoch({column}) AS BIGINT) - {BEIJING_OFFSET}"
        else:
            strptime = strptime.removeprefix("%Y") if FORMATS[time_format].prefix else strptime
            value = f"strftime({column}, '{strptime}')"
    elif kind in ("DOUBLE", "FLOAT"):
        # pandas stores whole numbers as floats where some are missing.
        whole = f"{column} = floor({column})"
        value = f"CASE WHEN {whole} THEN CAST(CAST({column} AS BIGINT) AS VARCHAR) ELSE CAST({column} AS VARCHAR) END"
    return f'{value} AS "{title}"'
