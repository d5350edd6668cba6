"""Parquet files as a log: written as CSV under their own names and read like a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dataset_prep.errors import InputError

MAGIC = b"PAR1"
NAME = "table.csv"


def is_parquet(files: Sequence[str]) -> bool:
    """Whether the log is Parquet files, all of them, here on this machine."""
    return bool(files) and all(Path(file).is_file() and _begins(file) == MAGIC for file in files)


def _begins(file: str) -> bytes:
    with Path(file).open("rb") as stream:
        return stream.read(len(MAGIC))


def parquet_to_csv(files: Sequence[str], folder: Path) -> str:
    """Write the columns of the files -> path. A time with a zone becomes Beijing time. Raises InputError."""
    import duckdb

    target = folder / NAME
    with duckdb.connect() as connection:
        try:
            connection.from_parquet(list(files), union_by_name=True).create_view("frame")
            types = {name: kind for name, kind, *_ in connection.execute("DESCRIBE frame").fetchall()}
            fields = ", ".join(_text(name, kind) for name, kind in types.items())
            connection.execute(f"COPY (SELECT {fields} FROM frame) TO '{target}' (FORMAT csv, HEADER true)")
        except duckdb.Error as error:
            raise InputError(f"{files[0]}: cannot be read as Parquet ({str(error).splitlines()[0]}).") from error
    return str(target)


def _text(name: str, kind: str) -> str:
    column = '"' + name.replace('"', '""') + '"'
    if not kind.startswith("TIMESTAMP"):
        return column
    wall = f"make_timestamp(epoch_us({column}) + 8 * 3600 * 1000000)" if "ZONE" in kind else column
    return f"strftime({wall}, '%Y-%m-%d %H:%M:%S') AS {column}"
