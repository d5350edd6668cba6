"""Exact counts on the real Tianchi slice."""

from __future__ import annotations

from pathlib import Path

import pytest
from dataset_prep.convert import Conversion
from dataset_prep.core import Size
from dataset_prep.filters import tabulate
from dataset_prep.tables import Tables
from dataset_prep.weigh import bits_of

from dataset_prep import EmptyDatasetError, Settings, Thresholds, convert
from dataset_prep.engines import open_engine
from dataset_prep.sources import MOBILE

Z = Size(0, 0, 0)

# behaviours, subset, rows, pairs, and the (5, 5), (3, 3), (2, 2)-core
TABLE = [
    ("4", True, 486, 427, Z, Z, Z),
    ("4", False, 7_753, 6_618, Z, Z, Size(23, 7, 11)),
    ("3,4", True, 1_545, 1_050, Z, Z, Size(4, 2, 2)),
    ("3,4", False, 31_258, 21_974, Z, Z, Size(390, 115, 188)),
    ("2,3,4", False, 49_490, 37_371, Z, Z, Size(1_121, 231, 535)),
    ("1,2,3,4", True, 37_550, 12_530, Z, Size(1_323, 214, 348), Size(3_978, 453, 1_535)),
    ("1,2,3,4", False, 808_593, 307_000, Size(5_328, 344, 824), Size(21_156, 583, 5_456), Size(50_741, 635, 20_218)),
]


@pytest.fixture(scope="module")
def read_once(tianchi: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Tables:
    users, items = tianchi
    folder = tmp_path_factory.mktemp("slice")
    settings = Settings(MOBILE, (str(users),), folder, "slice", (str(items),), quiet=True, behaviors="1,2,3,4")
    with open_engine(folder) as engine:
        return tabulate(engine, settings, folder, whole=True)[1]


@pytest.mark.parametrize(("behaviors", "subset", "rows", "n_pairs", "five", "three", "two"), TABLE)
def test_every_row_of_the_table(
    read_once: Tables,
    behaviors: str,
    subset: bool,
    rows: int,
    n_pairs: int,
    five: Size,
    three: Size,
    two: Size,
) -> None:
    ranks = [int(b) - 1 for b in behaviors.split(",")]
    slots = [r + 8 for r in ranks] + ([] if subset else ranks)
    bits = bits_of(ranks, subset)
    assert read_once.rows(slots) == rows
    pairs = read_once.pairs.select(bits)
    assert len(pairs[0]) == n_pairs
    for k, expected in ((5, five), (3, three), (2, two)):
        assert read_once.space.core(pairs, Thresholds(k, k)).size == expected


def test_converted_from_end_to_end(tianchi: tuple[Path, Path], tmp_path: Path) -> None:
    result: Conversion = convert("mobile", tianchi[0], tmp_path, "everything", behaviors="1,2,3,4")
    assert (result.asked, result.used, result.size) == (Thresholds(2, 2), Thresholds(2, 2), Size(50_741, 635, 20_218))
    lines = (result.path / "everything.inter").read_text().splitlines()
    assert lines[0] == "user_id:token\titem_id:token\ttimestamp:float\tbehavior_type:token"
    assert len(lines) - 1 == 50_741
    assert len((result.path / "everything.item").read_text().splitlines()) - 1 == 20_218


def test_refused_as_the_report_tells_it(tianchi: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(EmptyDatasetError) as caught:
        convert("mobile", tianchi[0], tmp_path, items=tianchi[1], behaviors="4", min_user=5, min_item=5, strict=True)
    stages = caught.value.funnel.stages
    assert [stage.rows for stage in stages] == [808_593, 7_753, 486, 427, 0]
    assert stages[2].size is not None
    assert stages[2].size.pairs == 427
    options = [remedy.command_line for remedy in caught.value.remedies]
    assert options and all(remedy.size.pairs >= 1000 for remedy in caught.value.remedies)
    assert not list(tmp_path.iterdir())
