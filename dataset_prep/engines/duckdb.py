"""DuckDB inside this process: the default engine. Data that does not fit into memory goes to disk."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from dataset_prep.engines.base import ODD, ReadError
from dataset_prep.engines.sql import seconds_sql
from dataset_prep.errors import InputError, OutputError, UsageError
from dataset_prep.machine import memory_of
from dataset_prep.progress import bar
from dataset_prep.sources.part import LONGEST_LINE, Part, RemoteFile
from dataset_prep.sources.times import BEIJING_OFFSET, TimeFormat

BYTES_A_THREAD = 1 << 26
"""Every thread of DuckDB needs memory of its own. With many of them a small limit is too little for any log."""


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _lines(path: str) -> str:
    """A FROM item: the file's lines as they are."""
    one = "auto_detect = false, columns = {'line': 'VARCHAR'}, header = false, delim = '\\x01', comment = ''"
    return f"read_csv({quoted(path)}, {one}, quote = '', escape = '')"


class DuckDBEngine:
    """See ``Engine``. A context manager: an open connection would print leaks at exit."""

    def __init__(self, workdir: Path, memory_limit: str | None = None, quiet: bool = False) -> None:
        self._connection = duckdb.connect()
        self._quiet = quiet
        self._memory_limit = memory_limit
        self._run(f"SET temp_directory = {quoted(str(workdir / 'spill'))}")
        self._run("SET preserve_insertion_order = false")
        if memory_limit:
            try:
                self._run(f"SET memory_limit = {quoted(memory_limit)}")
            except duckdb.Error as error:
                raise UsageError(f"--memory-limit: {memory_limit!r} is no size; write 4GB or 800MB.") from error
            threads = min(os.cpu_count() or 1, max(1, memory_of(memory_limit) // BYTES_A_THREAD))
            self._run(f"SET threads = {threads}")

    def __enter__(self) -> DuckDBEngine:
        return self

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        self._connection.close()
        if isinstance(error, duckdb.OutOfMemoryException):
            limit = self._memory_limit or "the default"
            reason = str(error).splitlines()[0]
            raise UsageError(f"--memory-limit: {limit} is too little ({reason}).") from error
        if isinstance(error, duckdb.IOException):
            raise OutputError(f"DuckDB cannot read or write a file ({error}).") from error

    def _run(self, sql: str) -> duckdb.DuckDBPyConnection:
        return self._connection.execute(sql)

    def raw(self, parts: Sequence[Part], needed: Sequence[str]) -> str:
        alike: dict[tuple[str, bool, str, tuple[str, ...]], list[str]] = {}
        for part in parts:
            key = (part.delimiter, part.header, part.newline, part.columns)
            alike.setdefault(key, []).append(quoted(str(part.path)))
        reads, fields = [], ", ".join(needed)
        for (delimiter, header, newline, columns), paths in alike.items():
            named = (c if c in needed else f"other_{n}" for n, c in enumerate(columns))
            types = "{" + ", ".join(f"{quoted(c)}: 'VARCHAR'" for c in named) + "}"
            form = f"auto_detect = false, columns = {types}, header = {str(header).lower()}, comment = ''"
            ends = f"delim = {quoted(delimiter)}"
            if newline:
                ends += f", new_line = {quoted(newline.encode('unicode_escape').decode())}"
            files = ", ".join(paths)
            reads.append(f"SELECT {fields} FROM read_csv([{files}], {form}, {ends}, quote = '', escape = '')")
        return "(" + " UNION ALL ".join(reads) + ")"

    def listing(self, address: str) -> list[RemoteFile]:
        if address.startswith("hdfs://"):
            raise InputError(f"{address}: DuckDB does not read hdfs://; --engine spark does.")
        columns = "filename, size, CAST(epoch(last_modified) AS BIGINT)"
        found = self._remote(address, f"SELECT {columns} FROM read_blob({quoted(address)}) ORDER BY filename")
        return [RemoteFile(*row) for row in found]

    def head(self, path: str, lines: int) -> list[str]:
        found = self._remote(path, f"SELECT line FROM {_lines(path)} LIMIT {lines}")
        return [line or "" for (line,) in found]

    def look(self, file: RemoteFile) -> tuple[int, bool]:
        odd = f"regexp_matches(line, {quoted(ODD)}) OR length(line) > {LONGEST_LINE}"
        try:
            with self._watched(f"looking over {file.path}", file.size, "B"):
                lines, found = self.rows(f"SELECT count(*), count_if({odd}) FROM {_lines(file.path)}")[0]
        except duckdb.Error as error:
            raise ReadError(str(error)) from error
        return lines, not found

    def fetch(self, file: RemoteFile, target: Path) -> None:
        content = self._remote(file.path, f"SELECT content FROM read_blob({quoted(file.path)})")[0][0]
        target.write_bytes(content)

    def _remote(self, address: str, select: str) -> list[tuple[Any, ...]]:
        try:
            return self.rows(select)
        except duckdb.Error as error:
            raise InputError(f"{address}: DuckDB cannot read it ({str(error).splitlines()[0]})") from error

    def epoch(self, column: str, time: TimeFormat) -> str:
        if time.strptime is None:
            return seconds_sql(column)
        text = f"{quoted(time.prefix)} || {column}" if time.prefix else column
        parsed = f"try_strptime({text}, {quoted(time.strptime)})"
        exact = f"strftime({parsed}, {quoted(time.strptime)}) = {text}"
        return f"CASE WHEN {exact} THEN CAST(epoch({parsed}) AS BIGINT) - {BEIJING_OFFSET} END"

    def create(self, table: str, select: str, rows: int | None = None) -> None:
        try:
            with self._watched(f"reading into {table}", rows, "rows"):
                self._run(f"CREATE OR REPLACE TEMP TABLE {table} AS {select}")
        except duckdb.InvalidInputException as error:
            raise ReadError(str(error)) from error

    def rows(self, select: str) -> list[tuple[Any, ...]]:
        return self._run(select).fetchall()

    def arrays(self, select: str) -> dict[str, np.ndarray]:
        return {name: np.asarray(column) for name, column in self._run(select).fetchnumpy().items()}

    def upload(self, table: str, columns: Mapping[str, np.ndarray]) -> None:
        self._connection.register("uploaded", dict(columns))
        self.create(table, "SELECT * FROM uploaded")
        self._connection.unregister("uploaded")

    def append(self, table: str, columns: Mapping[str, np.ndarray]) -> None:
        """Add rows to a table, which is created first where it does not exist."""
        self._connection.register("appended", dict(columns))
        self._run(f"CREATE TEMP TABLE IF NOT EXISTS {table} AS SELECT * FROM appended LIMIT 0")
        self._run(f"INSERT INTO {table} SELECT * FROM appended")
        self._connection.unregister("appended")

    @contextmanager
    def _watched(self, what: str, total: int | None, unit: str) -> Iterator[None]:
        """A progress bar, fed from DuckDB's own estimate."""
        if total is None or self._quiet:
            yield
            return
        done = threading.Event()

        def watch() -> None:
            with bar(what, total, unit) as shown:
                while not done.wait(0.2):
                    percent = max(self._connection.query_progress(), 0.0)
                    shown.update(int(total * percent / 100) - shown.n)

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield
        finally:
            done.set()
            watcher.join()
