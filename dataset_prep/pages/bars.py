"""Horizontal bars as SVG, each with its exact number; a bar is visible however small it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dataset_prep.pages.chart import WIDTH
from dataset_prep.pages.numbers import count, percent
from dataset_prep.pages.scale import Axis, Scale
from dataset_prep.pages.svg import head, text

ROW, TOP, BAR = 40, 34, 12
NARROW = 2.0
STEEP = 50  # a smallest bar below 1/50 of the largest asks for a logarithmic axis


@dataclass(frozen=True)
class Bars:
    """Named counts, the first of which is the whole. unit: what is counted."""

    title: str
    unit: str
    rows: Sequence[tuple[str, int]]

    def empty(self) -> bool:
        return not any(value for _, value in self.rows)

    def size(self) -> tuple[int, int]:
        return WIDTH, TOP + ROW * len(self.rows) + 44

    def in_words(self) -> str:
        """The alternative text: every bar with its number and its share of the first."""
        whole = self.rows[0][1]
        return f"{self.title}. " + " ".join(
            f"{name}: {count(value)} {self.unit}, {percent(value, whole)}." for name, value in self.rows
        )

    def svg(self) -> str:
        """An <svg> element; its colours are classes of chart.css."""
        whole, bottom = self.rows[0][1], self.size()[1] - 44
        positive = [value for _, value in self.rows if value]
        log = max(positive) > STEEP * min(positive)
        axis = Axis(
            self.unit + (" (logarithmic scale)" if log else ""), log=log, whole=True, include=(1 if log else 0,)
        )
        scale = Scale(axis, [value for _, value in self.rows], 4, WIDTH - 14)
        out = [head(*self.size(), self.title, self.in_words()), text(0, 16, self.title, "title")]
        ticks = scale.ticks(6 if max(positive) < 1e6 else 5)
        out += [f'<path class="grid" d="M{scale.at(tick):.1f} {TOP - 4}V{bottom}"/>' for tick in ticks]
        for number, (name, value) in enumerate(self.rows):
            y, width = TOP + ROW * number, max(scale.at(value) - scale.start, NARROW) if value else 0.0
            out.append(text(4, y + 12, name))
            out.append(text(WIDTH, y + 12, f"{count(value)} ({percent(value, whole)})", "end strong"))
            out.append(f'<rect class="bar" x="{scale.start}" y="{y + 18}" width="{width:.1f}" height="{BAR}"/>')
        out.append(f'<path class="axis" d="M{scale.start} {TOP - 4}V{bottom}H{WIDTH}"/>')
        for tick, label in ticks.items():
            at = scale.at(tick)
            kind = "" if at < 20 else "end" if at > WIDTH - 30 else "middle"
            out.append(text(at + (6 if kind == "end" else 0), bottom + 16, label, kind))
        out.append(text(WIDTH / 2, bottom + 36, axis.title, "middle soft"))
        return "".join([*out, "</svg>"])
