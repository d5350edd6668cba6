"""The demo tells the report's story, and README shows what it prints."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

README = Path(__file__).resolve().parent.parent.parent / "README.md"
NUMBER = re.compile(r"\d[\d,]*\.?\d*(?:e-\d+)?")


def numbers(line: str) -> list[float]:
    """The numbers of a line, without the seconds an epoch took."""
    return [float(text.replace(",", "")) for text in NUMBER.findall(re.sub(r"time: [\d.]+s, ", "", line))]


def test_the_demo_and_its_picture_in_readme(command: Callable[..., Result]) -> None:
    result = command("demo", "--output", "dataset")
    assert result.exit_code == 0, result.output
    printed = [line.strip() for line in result.output.splitlines()]

    def line_of(start: str, nth: int = 0) -> str:
        return [line for line in printed if line.startswith(start)][nth]

    # The chain of the report: 50,000 -> 5,037 -> 3,783 -> 0.
    assert "50,000 rows" in line_of("rows of the log")
    assert "5,037 rows" in line_of("behaviours 4")
    assert "3,783 rows" in line_of("items of the subset")
    assert "0 rows" in line_of("k-core (5, 5)")
    assert "Tried on this data" in result.output
    stuck, first, last = (
        numbers(line_of(start, nth)) for start, nth in (("epoch 4", 0), ("epoch 0", 1), ("epoch 59", 0))
    )
    assert stuck[2] == pytest.approx(0.6931, abs=0.0025)
    assert first[2] == pytest.approx(0.6931, abs=0.0025)
    assert last[2] < 0.3
    ours, popularity = numbers(line_of("AlibabaLightGCN"))[1], numbers(line_of("Pop"))[1]
    assert ours > 5 * popularity > 0

    shown = README.read_text(encoding="utf-8").split("```")[3].strip().splitlines()
    assert len(shown) > 20
    for line in (line.strip() for line in shown):
        if line and line != "...":
            words = NUMBER.sub("0", line)
            twins = [numbers(other) for other in printed if NUMBER.sub("0", other) == words]
            assert any(numbers(line) == pytest.approx(twin, abs=0.02) for twin in twins), line
