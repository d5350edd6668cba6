"""Gowalla's page is what its records render; how a split is told from a random one."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("benchmarks.gowalla", reason="the benchmarks are in the repository, not in the package")

from benchmarks import gowalla, gowalla_split


def test_the_page_is_rendered_from_the_records_and_shows_the_run_of_the_shipped_settings() -> None:
    records = [json.loads(line) for line in gowalla.RECORDS.read_text("utf-8").splitlines()]
    probes = gowalla.PROBES.read_text("utf-8").splitlines() if gowalla.PROBES.is_file() else []
    page = gowalla.page(records, [json.loads(line) for line in probes])
    assert gowalla.PAGE.read_text("utf-8") == page
    assert f"`properties/experiment/gowalla.yaml` ({gowalla._mark_of_settings()})" in page


def test_a_split_against_chance_by_hand(tmp_path: Path) -> None:
    """Both users have half their pairs in test, so items 5 and 7, two pairs each, should be there once, give or take
    1/2; items 6 and 8 half a time, give or take 1/4."""
    for part, lines in (("train", "0 5 6\n1 5\n"), ("test", "0 7 8\n1 7\n")):
        with gzip.open(tmp_path / f"{part}.txt.gz", "wt") as file:
            file.write(lines)
    assert gowalla_split.measure(tmp_path, 0)["test"] == [("below 20", 4, 1.0, (2 + 1 + 2 + 1) / 4)]


def test_a_split_drawn_at_random_looks_like_one() -> None:
    rng = np.random.default_rng(0)
    users, items = np.unique(np.stack((rng.integers(0, 2_000, 60_000), rng.integers(0, 1_500, 60_000))), axis=1)
    held = rng.random(len(users)) < 0.2
    for _, _, share, squared in gowalla_split.spread((users[~held], items[~held]), (users[held], items[held])):
        assert share == pytest.approx(1, abs=0.02) and squared == pytest.approx(1, abs=0.15)
