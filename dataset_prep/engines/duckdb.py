"""DuckDB inside this process: the default engine; what does not fit into memory goes to disk."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from dataset_prep.engines.base import ReadError
from dataset_prep.guards import InputError, UsageError
from dataset_prep.inputs import Part, part_of_address
from dataset_prep.progress import bar
from dataset_prep.times import BEIJING_OFFSET, TimeFormat


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


class DuckDBEngine:
    """See ``Engine``. Use as a context manager: an unclosed connection prints leaks at exit."""

    name = "duckdb"

    def __init__(self, workdir: Path, memory_limit: str | None = None, quiet: bool = False) -> None:
        self._connection = duckdb.connect()
        self._quiet = quiet
        self._views: set[str] = set()
        self._run(f"SET temp_directory = {quoted(str(workdir / 'spill'))}")
        self._run("SET preserve_insertion_order = false")
        if memory_limit:
            try:
                self._run(f"SET memory_limit = {quoted(memory_limit)}")
            except duckdb.Error as error:
                raise UsageError(f"--memory-limit: {memory_limit!r} is no size; write 4GB or 800MB.") from error

    def __enter__(self) -> DuckDBEngine:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def _run(self, sql: str) -> duckdb.DuckDBPyConnection:
        return self._connection.execute(sql)

    def raw(self, parts: Sequence[Part], columns: Sequence[str], needed: Sequence[str]) -> str:
        types = "{" + ", ".join(f"{quoted(c)}: 'VARCHAR'" for c in columns) + "}"
        alike: dict[tuple[str, bool, str], list[str]] = {}
        for part in parts:
            key = (part.delimiter, part.header, part.newline)
            alike.setdefault(key, []).append(quoted(str(part.path)))
        reads, fields = [], ", ".join(needed)
        for (delimiter, header, newline), paths in alike.items():
            form = f"auto_detect = false, columns = {types}, header = {str(header).lower()}, comment = ''"
            ends = f"delim = {quoted(delimiter)}"
            if newline:
                ends += f", new_line = {quoted(newline.encode('unicode_escape').decode())}"
            files = ", ".join(paths)
            reads.append(f"SELECT {fields} FROM read_csv([{files}], {form}, {ends}, quote = '', escape = '')")
        return "(" + " UNION ALL ".join(reads) + ")"

    def remote_part(self, address: str, headers: frozenset[str]) -> Part:
        one = "auto_detect = false, columns = {'line': 'VARCHAR'}, header = false, delim = '\\x01'"
        try:
            found = self.rows(f"SELECT line FROM read_csv({quoted(address)}, {one}, quote = '', escape = '') LIMIT 1")
        except duckdb.Error as error:
            raise InputError(f"{address}: DuckDB cannot read it ({str(error).splitlines()[0]})") from error
        return part_of_address(address, found[0][0] if found else "", headers)

    def epoch(self, column: str, time: TimeFormat) -> str:
        if time.strptime is None:
            number = f"TRY_CAST({column} AS BIGINT)"
            return f"CASE WHEN length({column}) <= 12 AND CAST({number} AS STRING) = {column} THEN {number} END"
        text = f"{quoted(time.prefix)} || {column}" if time.prefix else column
        moment = f"try_strptime({text}, {quoted(time.strptime)})"
        exact = f"strftime({moment}, {quoted(time.strptime)}) = {text}"
        return f"CASE WHEN {exact} THEN CAST(epoch({moment}) AS BIGINT) - {BEIJING_OFFSET} END"

    def create(self, table: str, select: str, rows: int | None = None) -> None:
        try:
            self._forget(table)
            with self._watched(table, rows):
                self._run(f"CREATE OR REPLACE TEMP TABLE {table} AS {select}")
        except duckdb.InvalidInputException as error:
            raise ReadError(str(error)) from error

    def drop(self, *tables: str) -> None:
        for table in tables:
            self._forget(table)
            self._run(f"DROP TABLE IF EXISTS {table}")

    def rows(self, select: str) -> list[tuple[Any, ...]]:
        return self._run(select).fetchall()

    def arrays(self, select: str) -> dict[str, np.ndarray]:
        return {name: np.asarray(column) for name, column in self._run(select).fetchnumpy().items()}

    def upload(self, table: str, columns: Mapping[str, np.ndarray]) -> None:
        self._connection.register("uploaded", dict(columns))
        self.create(table, "SELECT * FROM uploaded")
        self._connection.unregister("uploaded")

    def lend(self, table: str, columns: Mapping[str, np.ndarray]) -> None:
        self.drop(table)
        self._connection.register(table, dict(columns))
        self._views.add(table)

    def define(self, table: str, select: str) -> None:
        self.drop(table)
        self._run(f"CREATE TEMP VIEW {table} AS {select}")
        self._views.add(table)

    def _forget(self, table: str) -> None:
        """A table cannot replace a view, nor a view a table."""
        if table in self._views:
            self._views.discard(table)
            self._run(f"DROP VIEW {table}")

    def write(self, select: str, path: Path) -> None:
        options = r"FORMAT csv, HEADER true, DELIMITER '\t', QUOTE '', ESCAPE '', NULLSTR ''"
        self._run("SET preserve_insertion_order = true")
        self._run(f"COPY ({select}) TO {quoted(str(path))} ({options})")
        self._run("SET preserve_insertion_order = false")

    @contextmanager
    def _watched(self, what: str, rows: int | None) -> Iterator[None]:
        """A progress bar in rows, fed from DuckDB's own estimate."""
        if rows is None or self._quiet:
            yield
            return
        done = threading.Event()

        def watch() -> None:
            with bar(f"reading into {what}", rows, "rows") as shown:
                while not done.wait(0.2):
                    percent = max(self._connection.query_progress(), 0.0)
                    shown.update(int(rows * percent / 100) - shown.n)

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield
        finally:
            done.set()
            watcher.join()
