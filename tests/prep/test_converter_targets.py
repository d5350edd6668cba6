"""The table of targets is told from the runs, and says where one is missed."""

from __future__ import annotations

import pytest

from benchmarks.converter_targets import figures, growth, into, targets

LINES = [
    "| 12,250,000 (496 MB) | everything | pandas plain | 20.00 | 19.61 | 2.11 | 5.00 |",
    "| 12,250,000 (496 MB) | everything | polars streaming | 4.00 | 5.52 | 0.96 | 1.00 |",
    "| 12,250,000 (496 MB) | everything | ours | 4.00 | 5.58 | 1.30 | 1.00 |",
    "| 98,000,000 (4,054 MB) | everything | ours, --memory-limit 4GB | 50.00 | 61.00 | 3.70 | 1.00 |",
]


def test_targets_are_told_from_the_runs() -> None:
    assert targets(figures(LINES), 4.5)[2:] == [
        "| 12.25 M rows, everything: against pandas plain | >= 4 times | 5.00 times | yes |",
        "| 12.25 M rows, everything: against polars streaming | >= 1.2 times | 1.00 times | no |",
        "| 12.25 M rows, everything: peak memory, ours | <= 1.2 GB | 1.30 GB | no |",
        "| 98 M rows, everything: peak memory, ours, --memory-limit 4GB | <= 4 GB | 3.70 GB | yes |",
        "| the core alone, 12 M pairs: against rounds of SQL | >= 5 times | 4.50 times | no |",
    ]
    assert growth(figures(LINES))[2:] == ["| 12,250,000 | 4.00 | 0.33 | 1.30 |"]


def test_a_page_keeps_what_stands_around_its_table() -> None:
    page = "a\n<!-- x -->\nold\n<!-- /x -->\nb\n"
    assert into(page, "x", ["new"]) == "a\n<!-- x -->\nnew\n<!-- /x -->\nb\n"
    with pytest.raises(ValueError, match="no place"):
        into(page, "y", [])
