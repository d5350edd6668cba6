"""Logs and places for the converter's tests."""

from __future__ import annotations

import logging
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from prep_data import mobile_log, real
from prep_golden import write_logs

import dataset_prep
from dataset_prep.sources.sample import write_sample


@pytest.fixture(scope="session")
def tianchi() -> tuple[Path, Path]:
    users, items = real(
        "tianchi_mobile/tianchi_mobile_recommend_train_user.csv.gz",
        "tianchi_mobile/tianchi_mobile_recommend_train_item.csv",
    )
    return users, items


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The made-up log and its item subset."""
    return write_sample(tmp_path_factory.mktemp("raw"))


@pytest.fixture(scope="session")
def golden_logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the golden conversions read."""
    return write_logs(tmp_path_factory.mktemp("golden"))


@pytest.fixture(scope="session")
def spark() -> None:
    pytest.importorskip("pyspark", reason="needs pip install '.[spark]'")
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        pytest.skip("needs Java 17")


@pytest.fixture(scope="session")
def spark_session(spark: None) -> Iterator[None]:
    """One Spark for all tests: the engine takes the session that is there. Starting one takes longer than a test."""
    from pyspark.logger import PySparkLogger
    from pyspark.sql import SparkSession

    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # else the first python3 of the PATH
    builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
    running = builder.config("spark.sql.shuffle.partitions", "2").getOrCreate()
    with pytest.MonkeyPatch.context() as patch:
        # pytest adds its handlers to loggers that do not propagate; PySpark's turn what those write into JSON.
        patch.setattr(PySparkLogger, "addHandler", logging.Logger.addHandler)
        yield
    running.stop()


@pytest.fixture(scope="session")
def without_compiler(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package as it is where no C compiler was present at installation: for PYTHONPATH."""
    folder = tmp_path_factory.mktemp("without_compiler")
    package = Path(dataset_prep.__file__).parent
    shutil.copytree(package, folder / package.name, ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    return folder


@pytest.fixture
def log(tmp_path: Path) -> Callable[..., Path]:
    """Write a log of (user, item, behaviour, category, time) rows in the mobile format."""
    return lambda rows, name="log.csv", header=True: mobile_log(tmp_path / name, rows, header)
