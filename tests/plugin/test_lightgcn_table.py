"""The pages of LightGCN's splits are what their records render; how a split is told from a random one."""

import gzip
from pathlib import Path

import numpy as np
import pytest

page = pytest.importorskip("benchmarks.lightgcn_page", reason="the benchmarks are in the repository only")
random_split = pytest.importorskip("benchmarks.random_split", reason="the benchmarks are in the repository only")


@pytest.mark.parametrize("experiment", page.EXPERIMENTS)
def test_the_page_is_rendered_from_the_records_and_shows_the_run_of_the_shipped_settings(experiment: str) -> None:
    file, text = page.page_of(page.EXPERIMENTS[experiment])
    assert file.read_text("utf-8") == text
    assert f"`properties/experiment/{experiment}.yaml` ({page.mark_of(experiment)})" in text


def test_a_split_against_chance_by_hand(tmp_path: Path) -> None:
    """Both users have half their pairs in test, so items 5 and 7, two pairs each, should be there once, give or take
    1/2; items 6 and 8 half a time, give or take 1/4."""
    for part, lines in (("train", "0 5 6\n1 5\n"), ("test", "0 7 8\n1 7\n")):
        with gzip.open(tmp_path / f"{part}.txt.gz", "wt") as file:
            file.write(lines)
    assert random_split.measure(tmp_path, 0)["test"] == [("below 20", 4, 1.0, (2 + 1 + 2 + 1) / 4)]


def test_a_split_drawn_at_random_looks_like_one() -> None:
    rng = np.random.default_rng(0)
    users, items = np.unique(np.stack((rng.integers(0, 2_000, 60_000), rng.integers(0, 1_500, 60_000))), axis=1)
    held = rng.random(len(users)) < 0.2
    for _, _, share, squared in random_split.spread((users[~held], items[~held]), (users[held], items[held])):
        assert share == pytest.approx(1, abs=0.02) and squared == pytest.approx(1, abs=0.15)
