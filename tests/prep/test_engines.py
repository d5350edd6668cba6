"""The same files from both engines, in any time zone, by the fast reader and by the careful one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from dataset_prep.swift.block import BlockReader
from prep_data import files, real

from dataset_prep import UsageError, convert, inputs, output, reading


def both(source: str, users: Path | list[Path], folder: Path, **words: object) -> None:
    written = {}
    for engine in ("duckdb", "spark"):
        result = convert(source, users, folder / engine, "same", engine=engine, **words)  # type: ignore[arg-type]
        written[engine] = files(result.path)
    assert written["duckdb"].keys() == written["spark"].keys()
    for name, content in written["duckdb"].items():
        assert content == written["spark"][name], name


@pytest.mark.usefixtures("spark")
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


@pytest.mark.usefixtures("spark")
def test_spark_on_the_real_userbehavior_slice(tmp_path: Path) -> None:
    both("userbehavior", real("userbehavior/UserBehavior.csv"), tmp_path, since="", until="", protocol="repeat")


@pytest.mark.slow
@pytest.mark.usefixtures("spark")
@pytest.mark.parametrize("subset", [True, False])
def test_spark_on_the_real_tianchi_slice(tianchi: tuple[Path, Path], tmp_path: Path, subset: bool) -> None:
    both("mobile", [tianchi[0]], tmp_path, items=tianchi[1] if subset else None, behaviors="1,2,3,4")


@pytest.mark.usefixtures("spark")
def test_what_stops_spark_is_told_and_what_is_wrong_with_a_query_is_ours() -> None:
    from pyspark.errors import AnalysisException

    from dataset_prep.engines.spark import SparkEngine

    with pytest.raises(UsageError, match=r"Spark gave up \(.*no room"), SparkEngine() as engine:
        engine.rows("SELECT raise_error('no room')")
    with pytest.raises(AnalysisException), SparkEngine() as engine:
        engine.rows("SELECT nothing")


def test_any_time_zone_gives_the_same_bytes(tmp_path: Path, sample: tuple[Path, Path]) -> None:
    written = []
    for zone in ("UTC", "America/New_York", "Asia/Shanghai"):
        folder = tmp_path / zone.replace("/", "-")
        command = [sys.executable, "-m", "dataset_prep", "mobile", "--users", str(sample[0]), "--output", str(folder)]
        subprocess.run([*command, "--name", "x"], check=True, capture_output=True, env=os.environ | {"TZ": zone})
        written.append(files(folder / "x") | {"funnel.html": (folder / "x" / "funnel.html").read_bytes()})
    assert written[0] == written[1] == written[2]


def test_every_reader_gives_the_same_bytes(
    tmp_path: Path, sample: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The swift reader, with its writer and with the engine's; the engine's own; the careful one."""
    swift = convert("mobile", sample[0], tmp_path / "swift", "x", behaviors="1,2,3,4")
    with monkeypatch.context() as patch:
        patch.setattr(output, "can_write", lambda: False)
        written = convert("mobile", sample[0], tmp_path / "written", "x", behaviors="1,2,3,4")
    monkeypatch.setattr(BlockReader, "can_read", lambda settings: False)
    engine = convert("mobile", sample[0], tmp_path / "engine", "x", behaviors="1,2,3,4")
    monkeypatch.setattr(inputs._Look, "one_line_end", False)
    careful = convert("mobile", sample[0], tmp_path / "careful", "x", behaviors="1,2,3,4")
    assert files(swift.path) == files(written.path) == files(engine.path) == files(careful.path)


def test_what_does_not_fit_into_memory_goes_by_the_disk(
    tmp_path: Path, sample: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    arrays = convert("mobile", sample[0], tmp_path / "arrays", "x")
    monkeypatch.setattr(reading, "memory_of", lambda limit: 100_000)
    disk = convert("mobile", sample[0], tmp_path / "disk", "x")
    assert files(arrays.path) == files(disk.path)
