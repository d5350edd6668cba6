"""Tables as Parquet files, by DuckDB."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from dataset_prep.writing.whole_file import written


def write_parquet(path: Path, table: pd.DataFrame, columns: str = "*") -> None:
    """Write the table, whole or not at all. `columns` is SQL, for types that pandas lacks."""
    with written(path) as part, duckdb.connect() as database:
        database.register("source", table)
        database.execute(f"COPY (SELECT {columns} FROM source) TO '{_quoted(part)}' (FORMAT parquet)")


def read_parquet(path: Path, query: str) -> dict[str, Any]:
    """The columns of `query`, which reads the table `source`, as numpy arrays by name."""
    with duckdb.connect() as database:
        database.execute(f"CREATE VIEW source AS SELECT * FROM read_parquet('{_quoted(path)}')")
        return dict(database.execute(query).fetchnumpy())


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
