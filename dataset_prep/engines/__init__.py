"""The engines that run the pipeline's SQL: DuckDB inside this process, or Spark on a cluster."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from dataset_prep.engines.base import Engine, LocalEngine, ReadError


def open_engine(
    workdir: Path,
    engine: str = "duckdb",
    spark_url: str = "local[2]",
    memory_limit: str | None = None,
    quiet: bool = True,
) -> AbstractContextManager[Engine]:
    """The engine of this name. Spark is imported only when asked for."""
    if engine == "spark":
        from dataset_prep.engines.spark import SparkEngine

        return SparkEngine(spark_url, memory_limit, quiet)
    from dataset_prep.engines.duckdb import DuckDBEngine

    return DuckDBEngine(workdir, memory_limit, quiet)


__all__ = ["Engine", "LocalEngine", "ReadError", "open_engine"]
