"""The engines that run the pipeline's SQL: DuckDB inside this process, or Spark on a cluster."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from dataset_prep.engines.base import Engine, LocalEngine, ReadError

if TYPE_CHECKING:
    from dataset_prep.settings import Settings


def open_engine(settings: Settings, workdir: Path) -> AbstractContextManager[Engine]:
    """The engine the settings name. Spark is imported only when asked for."""
    if settings.engine == "spark":
        from dataset_prep.engines.spark import SparkEngine

        return SparkEngine(settings.spark_url)
    from dataset_prep.engines.duckdb import DuckDBEngine

    return DuckDBEngine(workdir, settings.memory_limit, settings.quiet)


__all__ = ["Engine", "LocalEngine", "ReadError", "open_engine"]
