"""A pandas, polars or Arrow table, or Parquet files, as a log: written as CSV and read like a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dataset_prep.errors import InputError, UsageError
from dataset_prep.sources import SOURCES
from dataset_prep.sources.base import Source
from dataset_prep.sources.columns import Columns
from dataset_prep.sources.names import ROLES, plain
from dataset_prep.sources.times import BEIJING_OFFSET, FORMATS

NAME = "table.csv"
PARQUET = b"PAR1"


def is_frame(users: object) -> bool:
    return hasattr(users, "columns") or hasattr(users, "__arrow_c_stream__")


def is_parquet(files: Sequence[str]) -> bool:
    """Whether the log is Parquet files, here on this machine."""
    here = [file for file in files if Path(file).is_file()]
    return bool(here) and len(here) == len(files) and all(_begins(file) == PARQUET for file in here)


def _begins(file: str) -> bytes:
    with Path(file).open("rb") as stream:
        return stream.read(len(PARQUET))


def frame_to_csv(frame: Any, source: str | Source, columns: Columns | None, folder: Path) -> str:
    """Write the columns of a table, or of Parquet files, under their own names -> path.

    Of csv all columns are written, of another source those with a name that it knows.

    Raises:
        InputError: the files cannot be read. UsageError: there is no such source.
    """
    import duckdb

    if isinstance(source, str) and source not in ("csv", "tmall", *SOURCES):
        raise UsageError(f"There is no source {source!r}. There are {', '.join(SOURCES)} and csv.")
    with duckdb.connect() as connection:
        try:
            if isinstance(frame, list):
                connection.from_parquet(frame, union_by_name=True).create_view("frame")
            else:
                connection.register("frame", frame)
            types = {name: kind for name, kind, *_ in connection.execute("DESCRIBE frame").fetchall()}
            own = {plain(name) for name in (*source.columns, *source.names)} if isinstance(source, Source) else set()
            every = columns is not None or source == "csv"
            chosen = [name for name in types if every or plain(name) in ROLES or plain(name) in own] or list(types)
            time_format = columns.time_format if columns else "unix" if source == "userbehavior" else "datetime"
            fields = ", ".join(_text(name, types[name], time_format) for name in chosen)
            target = folder / NAME
            connection.execute(f"COPY (SELECT {fields} FROM frame) TO '{target}' (FORMAT csv, HEADER true)")
        except duckdb.Error as error:
            raise InputError(f"The table cannot be read ({str(error).splitlines()[0]}).") from error
    return str(target)


def _text(name: str, kind: str, time_format: str) -> str:
    """The column as a file would write it; a time without zone is Beijing time."""
    column = '"' + name.replace('"', '""') + '"'
    value = column
    if kind.startswith(("TIMESTAMP", "DATE")):
        if time_format not in FORMATS:
            raise UsageError(f"--time-format: {name} is a time already; leave the option out.")
        shift = 0 if "ZONE" in kind else BEIJING_OFFSET
        strptime = FORMATS[time_format].strptime
        if strptime is None:
            value = f"CAST(floor(epoch({column})) AS BIGINT) - {shift}"
        else:
            strptime = strptime.removeprefix("%Y") if FORMATS[time_format].prefix else strptime
            wall = f"make_timestamp(epoch_us({column}) + {BEIJING_OFFSET * 1_000_000})" if "ZONE" in kind else column
            value = f"strftime({wall}, '{strptime}')"
    elif kind in ("DOUBLE", "FLOAT"):
        # pandas stores whole numbers as floats where some are missing.
        whole = f"{column} = floor({column})"
        value = f"CASE WHEN {whole} THEN CAST(CAST({column} AS BIGINT) AS VARCHAR) ELSE CAST({column} AS VARCHAR) END"
    return f"{value} AS {column}"
