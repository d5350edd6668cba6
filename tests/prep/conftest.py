"""Logs for the converter's tests: the real slices where they are, small ones written by hand elsewhere."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from prep_data import real

from dataset_prep.sample import write_sample

HEADER = "user_id,item_id,behavior_type,user_geohash,item_category,time"


@pytest.fixture(scope="session")
def tianchi() -> tuple[Path, Path]:
    users, items = real(
        "tianchi_mobile/tianchi_mobile_recommend_train_user.csv.gz",
        "tianchi_mobile/tianchi_mobile_recommend_train_item.csv",
    )
    return users, items


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return write_sample(tmp_path_factory.mktemp("raw"))


@pytest.fixture(scope="session")
def spark() -> None:
    pytest.importorskip("pyspark", reason="needs pip install '.[spark]'")
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        pytest.skip("needs Java 17")


@pytest.fixture
def log(tmp_path: Path) -> Callable[..., Path]:
    """Write a log of (user, item, behaviour, category, time) rows in the mobile format."""

    def write(rows: list[tuple[object, ...]], name: str = "log.csv", header: bool = True) -> Path:
        lines = [HEADER] if header else []
        lines += [f"{u},{i},{b},,{c},{t}" for u, i, b, c, t in rows]
        path = tmp_path / name
        path.write_text("\n".join(lines) + "\n")
        return path

    return write
