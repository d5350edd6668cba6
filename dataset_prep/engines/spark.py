"""Spark, on this machine or a cluster: the same SQL, for logs that are too large for one machine."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from dataset_prep.engines.base import ODD, ReadError
from dataset_prep.engines.sql import seconds_sql
from dataset_prep.errors import InputError, UsageError
from dataset_prep.machine import memory_of
from dataset_prep.sources.part import LONGEST_LINE, Part, RemoteFile
from dataset_prep.sources.times import BEIJING_OFFSET, TimeFormat

SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    # ANSI mode, so that "user_id:token" is a name as it is in DuckDB, not a text.
    "spark.sql.ansi.enabled": "true",
    "spark.sql.ansi.doubleQuotedIdentifiers": "true",
}
LOCAL = {"spark.ui.enabled": "false", "spark.sql.shuffle.partitions": "2"}
LEAST_MB = 512
"""Spark's minimum."""
COLUMNS = ("path", "length", "unix_seconds(modificationTime)")
"""The columns of Spark's file table that make a ``RemoteFile``."""


def _reason(error: BaseException) -> str:
    """The error in one line; of a Java error its first cause."""
    java = getattr(error, "java_exception", None)
    while java is not None and java.getCause() is not None:
        java = java.getCause()
    return str(java.toString() if java is not None else error).splitlines()[0]


def _gave_up(error: BaseException) -> bool:
    """True if Spark itself failed. A query that it does not understand is a bug of this program."""
    from py4j.protocol import Py4JError
    from pyspark.errors import AnalysisException, PySparkException

    return isinstance(error, Py4JError | PySparkException) and not isinstance(error, AnalysisException)


class SparkEngine:
    """See ``Engine``. A context manager. Files of this machine must be visible to the workers."""

    def __init__(self, url: str = "local[2]", memory_limit: str | None = None, quiet: bool = True) -> None:
        try:
            from pyspark.sql import SparkSession
        except ImportError as error:
            raise UsageError(
                "--engine spark needs PySpark: pip install 'recbole-alibaba[spark]', and Java 17."
            ) from error
        self._ours = SparkSession.getActiveSession() is None
        builder = SparkSession.builder.appName("dataset_prep")
        builder = builder.remote(url) if url.startswith("sc://") else builder.master(url)
        arrow = {"spark.sql.execution.arrow.pyspark.enabled": str(find_spec("pyarrow") is not None).lower()}
        chosen = SETTINGS | arrow
        if url.startswith("local"):
            os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # else Spark takes the first python3 of the PATH
            chosen |= LOCAL | {"spark.driver.memory": f"{max(memory_of(memory_limit) >> 20, LEAST_MB)}m"}
        needed = "Java 17 (on the PATH, or JAVA_HOME) for local[2], or the address of a running cluster as --spark-url"
        if url.startswith("sc://"):
            needed = "pip install 'recbole-alibaba[connect]', and a running Spark Connect server at that address"
        else:
            chosen["spark.ui.showConsoleProgress"] = str(not quiet and sys.stderr.isatty()).lower()
        for key, value in chosen.items():
            builder = builder.config(key, value)
        try:
            self._session = builder.getOrCreate()
        except Exception as error:
            raise UsageError(
                f"--engine spark: no Spark at {url} ({str(error).splitlines()[0]}). It needs {needed}."
            ) from error
        if not url.startswith("sc://"):
            self._session.sparkContext.setLogLevel("ERROR")
        self._tables: dict[str, Any] = {}
        self._views = 0

    def __enter__(self) -> SparkEngine:
        return self

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if error is None or not _gave_up(error):
            self._close()
            return
        with suppress(Exception):
            self._close()
        raise UsageError(
            f"--engine spark: Spark gave up ({_reason(error)}). Where it lacks memory, --memory-limit gives it more on "
            "this machine; a cluster has settings of its own."
        ) from error

    def _close(self) -> None:
        for frame in self._tables.values():
            frame.unpersist()
        if self._ours:
            self._session.stop()

    def listing(self, address: str) -> list[RemoteFile]:
        return [RemoteFile(*row) for row in self._remote(address, lambda: self._files(address, *COLUMNS))]

    def head(self, path: str, lines: int) -> list[str]:
        return [line for (line,) in self._remote(path, lambda: self._session.read.text(path).take(lines))]

    def look(self, file: RemoteFile) -> tuple[int, bool]:
        from pyspark.sql import functions as F

        line = F.col("value")
        odd = line.rlike(ODD) | (F.length(line) > LONGEST_LINE)
        try:
            found = self._session.read.text(file.path).agg(F.count("*"), F.count_if(odd)).collect()[0]
        except Exception as error:
            raise ReadError(_reason(error)) from error
        return found[0], not found[1]

    def fetch(self, file: RemoteFile, target: Path) -> None:
        content = self._remote(file.path, lambda: self._files(file.path, "content"))[0][0]
        target.write_bytes(content)

    def _files(self, address: str, *columns: str) -> list[tuple[Any, ...]]:
        files = self._session.read.format("binaryFile").load(address)
        return sorted(files.selectExpr(*columns).collect())

    def _remote(self, address: str, read: Callable[[], Sequence[tuple[Any, ...]]]) -> Sequence[tuple[Any, ...]]:
        try:
            return read()
        except Exception as error:
            raise InputError(f"{address}: Spark cannot read it ({_reason(error)})") from error

    def raw(self, parts: Sequence[Part], needed: Sequence[str]) -> str:
        """Lines are split here: Spark's CSV reader pads short lines and cuts long ones silently."""
        from pyspark.sql import functions as F

        alike: dict[tuple[str, bool, tuple[str, ...]], list[str]] = {}
        for part in parts:
            alike.setdefault((part.delimiter, part.header, part.columns), []).append(part.path)
        views = []
        for (delimiter, header, columns), paths in alike.items():
            lines = self._session.read.text(paths).where(F.col("value") != "")
            fields = F.split(F.col("value"), delimiter, -1)
            whole = F.size(fields) == len(columns)
            if header:
                first = self._session.read.text(paths[0]).first()
                lines = lines.where(F.col("value") != F.lit(first[0] if first else ""))
            chosen = [F.when(whole, F.nullif(fields[columns.index(c)], F.lit(""))).alias(c) for c in needed]
            self._views += 1
            lines.select(*chosen).createOrReplaceTempView(f"raw_{self._views}")
            views.append(f"SELECT * FROM raw_{self._views}")
        return "(" + " UNION ALL ".join(views) + ")"

    def epoch(self, column: str, time: TimeFormat) -> str:
        if time.java is None:
            return seconds_sql(column)
        text = f"concat('{time.prefix}', {column})" if time.prefix else column
        parsed = f"try_to_timestamp({text}, '{time.java}')"
        exact = f"date_format({parsed}, '{time.java}') = {text}"
        return f"CASE WHEN {exact} THEN unix_timestamp({parsed}) - {BEIJING_OFFSET} END"

    def create(self, table: str, select: str, rows: int | None = None) -> None:
        frame = self._session.sql(select).persist()
        frame.count()
        frame.createOrReplaceTempView(table)
        former = self._tables.get(table)
        self._tables[table] = frame
        if former is not None:
            former.unpersist()

    def rows(self, select: str) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in self._session.sql(select).collect()]

    def arrays(self, select: str) -> dict[str, np.ndarray]:
        return {str(name): column.to_numpy() for name, column in self._session.sql(select).toPandas().items()}

    def upload(self, table: str, columns: Mapping[str, np.ndarray]) -> None:
        kinds = {"i": "bigint", "O": "string"}
        schema = ", ".join(f"{name} {kinds[values.dtype.kind]}" for name, values in columns.items())
        rows = list(zip(*(values.tolist() for values in columns.values()), strict=True))
        frame = self._session.createDataFrame(rows, schema)
        frame.createOrReplaceTempView(f"{table}_uploaded")
        self.create(table, f"SELECT * FROM {table}_uploaded")
