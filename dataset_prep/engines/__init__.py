"""The engines that read with SQL: DuckDB inside this process, or Spark on a cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import cache
from pathlib import Path

from dataset_prep.engines.base import Engine


def open_engine(
    workdir: Path,
    engine: str = "duckdb",
    spark_url: str = "local[2]",
    memory_limit: str | None = None,
    quiet: bool = True,
) -> AbstractContextManager[Engine]:
    """The engine of this name. Each engine's package is imported only when it is used."""
    if engine == "spark":
        from dataset_prep.engines.spark import SparkEngine

        return SparkEngine(spark_url, memory_limit, quiet)
    from dataset_prep.engines.duckdb import DuckDBEngine

    return DuckDBEngine(workdir, memory_limit, quiet)


@contextmanager
def on_demand(workdir: Path, *words: object) -> Iterator[Callable[[], Engine]]:
    """A function that gives the engine and opens it at its first call; words: the rest of ``open_engine``."""
    with ExitStack() as stack:
        yield cache(lambda: stack.enter_context(open_engine(workdir, *words)))  # type: ignore[arg-type]
