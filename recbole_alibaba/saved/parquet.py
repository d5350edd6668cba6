"""Tables as Parquet files, by DuckDB."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from dataset_prep.writing.whole_file import written


def write_parquet(path: Path, table: pd.DataFrame, columns: str = "*") -> None:
    """Write the table, whole or not at all. `columns` is SQL, for types that pandas lacks.

    Raises:
        OSError: the disk is full, or the file cannot be written.
    """
    with written(path) as part, duckdb.connect() as database:
        database.register("source", table)
        copy_to(database, f"(SELECT {columns} FROM source)", part)


def copy_to(database: duckdb.DuckDBPyConnection, source: str, path: Path) -> None:
    """Write a table or query of the database as a Parquet file.

    Raises:
        OSError: in place of DuckDB's own error of the disk.
    """
    try:
        database.execute(f"COPY {source} TO '{_quoted(path)}' (FORMAT parquet)")
    except duckdb.IOException as error:
        number = errno.ENOSPC if os.strerror(errno.ENOSPC) in str(error) else errno.EIO
        raise OSError(number, os.strerror(number), str(path)) from error


def read_parquet(path: Path, query: str) -> dict[str, Any]:
    """The columns of `query`, which reads the table `source`, as numpy arrays by name."""
    with duckdb.connect() as database:
        database.execute(f"CREATE VIEW source AS SELECT * FROM read_parquet('{_quoted(path)}')")
        return dict(database.execute(query).fetchnumpy())


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
