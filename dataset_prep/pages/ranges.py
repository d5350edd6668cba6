"""Named values, each with its interval: bars from zero, or points beside a line (a forest plot)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from dataset_prep.pages.chart import WIDTH, Mark
from dataset_prep.pages.numbers import plain
from dataset_prep.pages.scale import Axis, Scale
from dataset_prep.pages.svg import cut, head, text, text_width

ROW, TOP, UNDER, BAR = 22, 30, 44, 10


class Range(NamedTuple):
    """One row. A value that is None gets a row without a mark. low, high: the interval, if there is one."""

    name: str
    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Ranges:
    """Rows over one axis.

    bars: from zero to the value, else a point. interval: what low and high are. number: how values are written.
    """

    title: str
    x: Axis
    rows: Sequence[Range]
    marks: Sequence[Mark] = ()
    bars: bool = False
    interval: str = "interval"
    number: Callable[[float], str] = plain

    def empty(self) -> bool:
        return not self._finite()

    def size(self) -> tuple[int, int]:
        return WIDTH, TOP + ROW * len(self.rows) + UNDER

    def _finite(self) -> list[float]:
        numbers = [number for row in self.rows for number in row[1:] if number is not None]
        return [number for number in numbers if math.isfinite(number)]

    def in_words(self) -> str:
        """The alternative text: every row with its value and interval."""
        says = [f"{self.title}. Horizontal: {self.x.title}."]
        for row in self.rows:
            if row.value is None:
                says.append(f"{row.name}: no value.")
            elif row.low is None or row.high is None:
                says.append(f"{row.name}: {self.number(row.value)}.")
            else:
                low, high = self.number(row.low), self.number(row.high)
                says.append(f"{row.name}: {self.number(row.value)}, {self.interval} {low} to {high}.")
        return " ".join(says + [f"Line at {mark.name}." for mark in self.marks])

    def svg(self) -> str:
        """An <svg> element; its colours are classes of chart.css."""
        bottom = self.size()[1] - UNDER
        names = [cut(row.name, 0.4 * WIDTH) for row in self.rows]
        values = ["" if row.value is None else self.number(row.value) for row in self.rows]
        left = 8 + max(map(text_width, names))
        right = WIDTH - 10 - max(map(text_width, values))
        shown = [*self._finite(), *(mark.value for mark in self.marks), *([0.0] if self.bars else [])]
        scale = Scale(self.x, shown, left + (0 if self.bars else 8), right - 8, 0.0 if self.bars else 0.02)
        ticks = scale.ticks(max(2, int((right - left) / 40)))
        out = [head(*self.size(), self.title, self.in_words()), text(0, 16, self.title, "title")]
        out += [f'<path class="grid" d="M{scale.at(tick):.1f} {TOP}V{bottom}"/>' for tick in ticks]
        out += [f'<path class="mark" d="M{scale.at(mark.value):.1f} {TOP}V{bottom}"/>' for mark in self.marks]
        for number, (row, name, value) in enumerate(zip(self.rows, names, values, strict=True)):
            y = TOP + ROW * number + ROW / 2
            out += [text(0, y + 4, name), text(WIDTH, y + 4, value, "end")]
            out += self._row(row, scale, y)
        out.append(f'<path class="axis" d="M{left:.1f} {TOP}V{bottom}H{right:.1f}"/>')
        out += [text(scale.at(tick), bottom + 16, label, "middle") for tick, label in ticks.items()]
        middle = min((left + right) / 2, WIDTH - text_width(self.x.title) / 2)
        out.append(text(middle, bottom + 36, self.x.title, "middle soft"))
        return "".join([*out, "</svg>"])

    def _row(self, row: Range, scale: Scale, y: float) -> list[str]:
        out = []
        if row.value is not None and self.bars:
            start, end = sorted((scale.at(0.0), scale.at(row.value)))
            out.append(
                f'<rect class="bar" x="{start:.1f}" y="{y - BAR / 2}" width="{end - start:.1f}" height="{BAR}"/>'
            )
        if row.low is not None and row.high is not None:
            low, high = scale.at(row.low), scale.at(row.high)
            out.append(f'<path class="whisker" d="M{low:.1f} {y - 4}v8m0-4H{high:.1f}m0-4v8"/>')
        if row.value is not None and not self.bars:
            out.append(f'<rect class="point" x="{scale.at(row.value) - 3.5:.1f}" y="{y - 3.5}" width="7" height="7"/>')
        return out
