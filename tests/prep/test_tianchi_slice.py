"""Exact counts on the real Tianchi slice."""

from __future__ import annotations

from pathlib import Path

import pytest
from prep_data import columns, lines

from dataset_prep import EmptyDatasetError, Inspection, Size, Thresholds, convert, inspect

Z = Size(0, 0, 0)

# behaviours, subset, pairs, and the (5, 5), (3, 3), (2, 2)-core
TABLE = [
    ("4", True, 427, Z, Z, Z),
    ("4", False, 6_618, Z, Z, Size(23, 7, 11)),
    ("3,4", True, 1_050, Z, Z, Size(4, 2, 2)),
    ("3,4", False, 21_974, Z, Z, Size(390, 115, 188)),
    ("2,3,4", False, 37_371, Z, Z, Size(1_121, 231, 535)),
    ("1,2,3,4", True, 12_530, Z, Size(1_323, 214, 348), Size(3_978, 453, 1_535)),
    ("1,2,3,4", False, 307_000, Size(5_328, 344, 824), Size(21_156, 583, 5_456), Size(50_741, 635, 20_218)),
]


@pytest.fixture(scope="module")
def inspected(tianchi: tuple[Path, Path]) -> Inspection:
    return inspect([str(tianchi[0])], [str(tianchi[1])])


@pytest.mark.parametrize(("behaviors", "subset", "pairs", "five", "three", "two"), TABLE)
def test_every_row_of_the_table(
    inspected: Inspection, behaviors: str, subset: bool, pairs: int, five: Size, three: Size, two: Size
) -> None:
    (choice,) = [c for c in inspected.choices if (",".join(c.behaviors), c.subset) == (behaviors, subset)]
    assert choice.pairs == pairs
    assert [core.size for core in choice.cores] == [five, three, two]


def test_the_look_as_text(inspected: Inspection) -> None:
    text = "\n".join(inspected.lines())
    assert "808,593 rows, 307,000 pairs, 642 users, 276,473 items" in text
    assert "1,2,3,4, subset: 12,530; (5, 5): 0, 0, 0; (3, 3): 1,323, 214, 348; (2, 2): 3,978, 453, 1,535" in text
    assert inspected.command is not None and "--behaviors 1,2,3,4 --min-user 2 --min-item 2" in inspected.command


def test_converted_from_end_to_end(tianchi: tuple[Path, Path], tmp_path: Path) -> None:
    result = convert("mobile", tianchi[0], output=tmp_path, name="everything", behaviors="1,2,3,4")
    assert (result.asked, result.used, result.size) == (Thresholds(2, 2), Thresholds(2, 2), Size(50_741, 635, 20_218))
    rows = columns(result.path / "everything.inter")
    assert len(rows) == len({(row[0], row[1]) for row in rows}) == 50_741
    assert len(lines(result.path / "everything.item")) == 20_218


def test_refused_as_in_the_report(tianchi: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(EmptyDatasetError) as caught:
        convert(
            "mobile", tianchi[0], output=tmp_path, items=tianchi[1], behaviors="4", min_user=5, min_item=5, strict=True
        )
    stages = caught.value.funnel.stages
    assert [stage.rows for stage in stages] == [808_593, 7_753, 486, 427, 0]
    assert stages[2].size is not None
    assert stages[2].size.pairs == 427
    assert caught.value.remedies and all(remedy.size.pairs >= 1000 for remedy in caught.value.remedies)
    assert not list(tmp_path.iterdir())
