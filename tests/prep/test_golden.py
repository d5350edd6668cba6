"""Does every conversion still write the same bytes, whatever reads the log, in any time zone?

After an intended change: python tests/prep/prep_golden.py --replace
GOLDEN_SPARK_EVERY=1 pytest tests/prep/test_golden.py gives all cases to Spark, many minutes, instead of every seventh.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from prep_data import real
from prep_golden import CASES, GOLDEN, converted, digests, words, write_logs

from dataset_prep.__main__ import main

RECORDED = json.loads(GOLDEN.read_text())
EVERY = int(os.environ.get("GOLDEN_SPARK_EVERY", "7"))
FOR_SPARK = [case for case in CASES if not case.startswith("split") and "shared/" not in case][4 % EVERY :: EVERY]


def readers(case: str) -> list[str]:
    """The words that choose each reader the command offers; one empty choice where it offers none."""
    options = {option.name: option.type for option in main.commands[case.split()[0]].params}
    kind = options.get("reader")
    return [f"--reader {name}" for name in kind.choices] if isinstance(kind, click.Choice) else [""]


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_logs(tmp_path_factory.mktemp("golden"))


@pytest.fixture
def case(request: pytest.FixtureRequest) -> str:
    """A command; skips where it needs a slice that is absent."""
    command: str = request.param
    real(*(word.removeprefix("shared/") for word in command.split() if word.startswith("shared/")))
    return command


@pytest.fixture(scope="module")
def session(spark: None) -> Iterator[None]:
    """One Spark for all: the engine takes the session that is there."""
    from pyspark.sql import SparkSession

    # The better compiler takes longer than it saves.
    settings = {"spark.ui.enabled": "false", "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1"}
    running = SparkSession.builder.master("local[2]").config(map=settings).getOrCreate()
    yield
    running.stop()


def test_every_case_is_recorded() -> None:
    assert list(RECORDED) == CASES


@pytest.mark.parametrize(
    ("case", "reader"), [(case, reader) for case in CASES for reader in readers(case)], indirect=["case"]
)
def test_the_same_bytes(case: str, reader: str, logs: Path, tmp_path: Path) -> None:
    assert converted(case, logs, tmp_path, *reader.split()) == RECORDED[case]


@pytest.mark.usefixtures("session")
@pytest.mark.parametrize("case", FOR_SPARK, indirect=True)
def test_the_same_bytes_by_spark(case: str, logs: Path, tmp_path: Path) -> None:
    assert converted(case, logs, tmp_path, "--engine", "spark") == RECORDED[case]


@pytest.mark.parametrize("case", [case for case in CASES if "date 2014" in case][:2], indirect=True)
def test_the_same_bytes_in_another_time_zone(case: str, logs: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "dataset_prep", *words(case, logs, tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"TZ": "America/New_York"})
    assert digests(done.returncode, done.stderr, tmp_path / "x") == RECORDED[case]
