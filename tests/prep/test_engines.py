"""The same files from both engines, in any time zone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from prep_data import files, real
from prep_golden import CASES, GOLDEN, converted

from dataset_prep import UsageError, convert

EVERY = int(os.environ.get("GOLDEN_SPARK_EVERY", "24"))
GOLDEN_CASES = [case for case in CASES if not case.startswith("split") and "shared/" not in case][4 % EVERY :: EVERY]


@pytest.mark.usefixtures("spark_session")
@pytest.mark.parametrize("case", GOLDEN_CASES)
def test_spark_writes_the_golden_bytes(case: str, golden_logs: Path, tmp_path: Path) -> None:
    assert converted(case, golden_logs, tmp_path, "--engine", "spark") == json.loads(GOLDEN.read_text())[case]


def both(source: str, users: Path | Sequence[Path], folder: Path, **options: Any) -> None:
    written = {}
    for engine in ("duckdb", "spark"):
        result = convert(source, users, output=folder / engine, name="same", engine=engine, **options)
        written[engine] = files(result.path)
    assert written["duckdb"].keys() == written["spark"].keys()
    for name, content in written["duckdb"].items():
        assert content == written["spark"][name], name


@pytest.mark.usefixtures("spark_session")
def test_spark_writes_the_same_bytes(tmp_path: Path, sample: tuple[Path, Path]) -> None:
    """Dirt, ids that are no plain integers, a subset, a split, a cold part: all at once."""
    users, items = sample
    lines = users.read_text().splitlines()
    parts = [tmp_path / "1.csv", tmp_path / "2.csv"]
    parts[0].write_text("\n".join([*lines[:20_000], "1,2,3", "007,12,4,,1,2014-12-01 00"]) + "\n")
    parts[1].write_text("\r\n".join(lines[20_000:]) + "\r\n")
    both(
        "mobile", parts, tmp_path, items=items, split="ratio 0.8,0.1,0.1", core_on="train", since="2014-11-20",
        item_geohash=True, cold="keep",
    )  # fmt: skip


@pytest.mark.usefixtures("spark_session")
def test_spark_on_the_real_userbehavior_slice(tmp_path: Path) -> None:
    both("userbehavior", real("userbehavior/UserBehavior.csv"), tmp_path, since="", until="", protocol="repeat")


@pytest.mark.slow
@pytest.mark.usefixtures("spark_session")
@pytest.mark.parametrize("subset", [True, False])
def test_spark_on_the_real_tianchi_slice(tianchi: tuple[Path, Path], tmp_path: Path, subset: bool) -> None:
    both("mobile", [tianchi[0]], tmp_path, items=tianchi[1] if subset else None, behaviors="1,2,3,4")


@pytest.mark.usefixtures("spark_session")
def test_a_failure_of_spark_is_a_sentence_and_a_wrong_query_is_a_bug() -> None:
    from pyspark.errors import AnalysisException

    from dataset_prep.engines.spark import SparkEngine

    with pytest.raises(UsageError, match=r"Spark gave up \(.*no room"), SparkEngine() as engine:
        engine.rows("SELECT raise_error('no room')")
    with pytest.raises(AnalysisException), SparkEngine() as engine:
        engine.rows("SELECT nothing")


def test_duckdb_without_enough_memory_is_a_sentence(tmp_path: Path, sample: tuple[Path, Path]) -> None:
    with pytest.raises(UsageError, match="--memory-limit: 1KB is too little"):
        convert("mobile", sample[0], output=tmp_path, name="x", reader="engine", memory_limit="1KB")


def test_any_time_zone_gives_the_same_bytes(tmp_path: Path, sample: tuple[Path, Path]) -> None:
    """The report page, too."""
    written = []
    for zone in ("UTC", "America/New_York"):
        folder = tmp_path / zone.replace("/", "-")
        command = [sys.executable, "-m", "dataset_prep", "mobile", "--users", str(sample[0]), "--output", str(folder)]
        subprocess.run([*command, "--name", "x"], check=True, capture_output=True, env=os.environ | {"TZ": zone})
        written.append({path.name: path.read_bytes() for path in (folder / "x").iterdir()})
    assert written[0] == written[1] and "funnel.html" in written[0]
