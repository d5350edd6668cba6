"""What the converter set out to reach, and what the table of converter.md says of it."""

from __future__ import annotations

import re
from collections.abc import Sequence

SMALL, FULL, LARGE = 1_000_000, 12_250_000, 98_000_000
OURS = "ours"

Figures = dict[tuple[int, str, str], tuple[float, float]]
"""(rows, task, who) -> (wall seconds, peak GB)"""


def figures(lines: Sequence[str]) -> Figures:
    """From the lines of the table."""
    found: Figures = {}
    for line in lines:
        size, task, who, wall, _, peak, _ = (cell.strip() for cell in line.strip("|").split("|"))
        found[int(size.split(" ")[0].replace(",", "")), task, who] = float(wall), float(peak)
    return found


def targets(found: Figures, core: float | None) -> list[str]:
    """A line each: what, target, found, met. What was not measured is not told."""
    told = ["| | target | found | met |", "|---|---:|---:|---|"]

    def add(what: str, target: float, value: float, unit: str, least: bool = True) -> None:
        met = value >= target if least else value <= target
        told.append(
            f"| {what} | {'>=' if least else '<='} {target:g}{unit} | {value:.2f}{unit} | {'yes' if met else 'no'} |"
        )

    def ratio(rows: int, task: str, peer: str, target: float) -> None:
        if (rows, task, peer) in found and (rows, task, OURS) in found:
            times = found[rows, task, peer][0] / found[rows, task, OURS][0]
            add(f"{rows / 1e6:g} M rows, {task}: against {peer}", target, times, " times")

    def peak(rows: int, task: str, who: str, target: float) -> None:
        if (rows, task, who) in found:
            add(f"{rows / 1e6:g} M rows, {task}: peak memory, {who}", target, found[rows, task, who][1], " GB", False)

    ratio(SMALL, "everything", "duckdb alone", 1)
    ratio(SMALL, "everything", "polars streaming", 1)
    ratio(FULL, "everything", "pandas plain", 4)
    ratio(FULL, "everything", "duckdb alone", 1.3)
    ratio(FULL, "everything", "polars streaming", 1.2)
    peak(FULL, "everything", OURS, 1.2)
    ratio(FULL, "filtered", "pandas plain", 4)
    peak(FULL, "filtered", OURS, 0.6)
    ratio(LARGE, "everything", "pandas tuned", 4)
    peak(LARGE, "everything", f"{OURS}, --memory-limit 4GB", 4)
    if core is not None:
        add("the core alone, 12 M pairs: against rounds of SQL", 5, core, " times")
    return told


def growth(found: Figures) -> list[str]:
    """Ours, everything kept: seconds a million rows, at every size."""
    told = ["| rows | wall s | s a million rows | peak GB |", "|---:|---:|---:|---:|"]
    for rows, task, who in sorted(found):
        if (task, who) == ("everything", OURS):
            wall, peak = found[rows, task, who]
            told.append(f"| {rows:,} | {wall:.2f} | {wall / rows * 1e6:.2f} | {peak:.2f} |")
    return told


def into(page: str, name: str, lines: Sequence[str]) -> str:
    """The page with these lines between the two comments of that name."""
    opening, closing = f"<!-- {name} -->", f"<!-- /{name} -->"
    pattern = re.compile(f"{re.escape(opening)}.*?{re.escape(closing)}", re.DOTALL)
    if not pattern.search(page):
        raise ValueError(f"the page has no place {opening} ... {closing}")
    return pattern.sub(lambda _: "\n".join([opening, *lines, closing]), page)
