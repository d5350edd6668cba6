"""A chart of lines or points as SVG: no script, the page's own colours, and a text of what it shows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from dataset_prep.pages.labels import Box, labels
from dataset_prep.pages.numbers import plain
from dataset_prep.pages.scale import Axis, Scale
from dataset_prep.pages.svg import cut, head, text, text_width

WIDTH, PLOT = 400, 170  # pixels; wide enough for a phone, so text is never scaled down much
CLOSE, FEW = 12, 8  # pixels between two markers; where points lie closer, about this many of a line are marked
MARKERS = (
    "m-3 0a3 3 0 1 0 6 0a3 3 0 1 0-6 0",  # circle
    "m-2.5-2.5h5v5h-5z",  # square
    "m0-3.5l3.5 6h-7z",  # triangle
    "m0-3.5l3.5 3.5l-3.5 3.5l-3.5-3.5z",  # diamond
    "m-3-3l6 6m0-6l-6 6",  # cross
    "m0-3.5v7m-3.5-3.5h7",  # plus
)
COLOURS = 6


@dataclass(frozen=True)
class Series:
    """One curve. xs and ys of one length; a value that is None, NaN or infinite is a gap. line: joined by a line.

    style: which of the colours and markers; None for the next one of the chart.
    labels: a word beside each point; "" for none.
    """

    name: str
    xs: Sequence[float]
    ys: Sequence[float | None]
    line: bool = True
    style: int | None = None
    labels: Sequence[str] = ()


@dataclass(frozen=True)
class Mark:
    """A dashed line across the chart at a value of one axis ("x" or "y"), with a label."""

    axis: str
    value: float
    name: str


@dataclass(frozen=True)
class Chart:
    """Curves over two axes, and what is marked on them. width, plot: pixels, of the whole and of the plot's height."""

    title: str
    x: Axis
    y: Axis
    series: Sequence[Series]
    marks: Sequence[Mark] = ()
    width: int = WIDTH
    plot: int = PLOT

    def points(self) -> list[list[tuple[float, float]]]:
        """What each series can show."""
        return [
            [
                (float(x), math.nan if y is None else float(y))
                for x, y in zip(one.xs, one.ys, strict=True)
                if self._has(x, y)
            ]
            for one in self.series
        ]

    def _has(self, x: float, y: float | None) -> bool:
        return not (self.x.log and x <= 0) and not (self.y.log and y is not None and y <= 0)

    def _labelled(self, one: Series) -> list[tuple[float, float, str]]:
        """The points of a series that have a label."""
        return [
            (x, y, word)
            for x, y, word in zip(one.xs, one.ys, one.labels, strict=False)
            if word and y is not None and math.isfinite(y) and self._has(x, y)
        ]

    def empty(self) -> bool:
        """Whether no value can be shown."""
        return not any(math.isfinite(y) for points in self.points() for _, y in points)

    def size(self) -> tuple[int, int]:
        return self.width, self._top() + self.plot + 44

    def _named(self) -> bool:
        return len(self.series) > 1 or bool(self.series and self.series[0].name)

    def _top(self) -> int:
        return 44 + (18 * len(_lines(self.series, self.width)) if self._named() else 0)

    def in_words(self) -> str:
        """The alternative text: axes, and each curve's first, last, lowest and highest value, each labelled point."""
        says = [f"{self.title}. Horizontal: {self.x.title}. Vertical: {self.y.title}."]
        for one, points in zip(self.series, self.points(), strict=True):
            ys = [y for _, y in points if math.isfinite(y)]
            if one.labels:
                says += [f"{word}: {plain(x)}, {plain(y)}." for x, y, word in self._labelled(one)]
            elif ys:
                says.append(
                    f"{one.name or self.y.title}: {len(ys):,} points, first {plain(ys[0])}, last {plain(ys[-1])}, "
                    f"lowest {plain(min(ys))}, highest {plain(max(ys))}."
                )
        says += [f"Line at {mark.name}." for mark in self.marks]
        return " ".join(says)

    def svg(self) -> str:
        """An <svg> element; its colours are classes of chart.css."""
        series, top, bottom = self.points(), self._top(), self._top() + self.plot
        marks = {axis: [mark.value for mark in self.marks if mark.axis == axis] for axis in "xy"}
        finite = [point for points in series for point in points if math.isfinite(point[1])]
        y = Scale(self.y, [*(y for _, y in finite), *marks["y"]], bottom, top, 0.06)
        y_ticks = y.ticks(6)
        left = 10 + round(max(map(text_width, y_ticks.values())))
        x = Scale(self.x, [*(x for x, _ in finite), *marks["x"]], left + 8, self.width - 14, 0.01)
        widest = max(map(text_width, (self.x.labels or {}).values()), default=30)
        x_ticks = x.ticks(int((self.width - left) / (widest + 20)))
        out = [head(*self.size(), self.title, self.in_words())]
        out.append(text(0, 16, cut(self.title, 0.8 * self.width), "title"))
        out.append(text(0, 34, self.y.title, "soft"))
        for value, label in y_ticks.items():
            out.append(f'<path class="grid" d="M{left} {y.at(value):.1f}H{self.width}"/>')
            out.append(text(left - 6, y.at(value) + 4, label, "end"))
        for value, label in x_ticks.items():
            at, half = x.at(value), text_width(label) / 2
            out.append(f'<path class="axis" d="M{at:.1f} {bottom}v4"/>')
            out.append(text(min(at, self.width - half), bottom + 18, label, "middle"))
        out.append(f'<path class="axis" d="M{left} {top}V{bottom}H{self.width}"/>')
        out.append(text((left + self.width) / 2, bottom + 36, self.x.title, "middle soft"))
        if self._named():
            out += _legend(self.series, self.width)
        out += [self._mark(mark, x, y, (left, top, bottom), number) for number, mark in enumerate(self.marks)]
        for number, (one, points) in enumerate(zip(self.series, series, strict=True)):
            out += _curve(one, points, x, y, number if one.style is None else one.style)
        named = [point for one in self.series for point in self._labelled(one)]
        words = [cut(word, 0.45 * self.width) for _, _, word in named]
        out += labels([(x.at(a), y.at(b)) for a, b, _ in named], words, Box(left + 4, top, self.width, bottom))
        return "".join([*out, "</svg>"])

    def _mark(self, mark: Mark, x: Scale, y: Scale, box: tuple[int, int, int], number: int) -> str:
        left, top, bottom = box
        if mark.axis == "y":
            at = y.at(mark.value)
            label = text(self.width - 2, at - 4 if at > top + 14 else at + 13, mark.name, "end mark-name")
            return f'<path class="mark" d="M{left} {at:.1f}H{self.width}"/>{label}'
        at, height = x.at(mark.value), top + 12 + 15 * number
        right = at + 5 + text_width(mark.name) < self.width
        label = text(at + 5 if right else at - 5, height, mark.name, "mark-name" if right else "end mark-name")
        return f'<path class="mark" d="M{at:.1f} {top}V{bottom}"/>{label}'


def _lines(series: Sequence[Series], most: int) -> list[list[tuple[float, int]]]:
    """The legend's lines: (x, number of the series)."""
    lines: list[list[tuple[float, int]]] = [[]]
    x = 0.0
    for number, one in enumerate(series):
        width = 24 + text_width(one.name) + 14
        if lines[-1] and x + width > most:
            lines.append([])
            x = 0.0
        lines[-1].append((x, number))
        x += width
    return lines


def _legend(series: Sequence[Series], width: int) -> list[str]:
    out = []
    for row, line in enumerate(_lines(series, width)):
        for x, number in line:
            one, at = series[number], 52 + 18 * row
            style = number if one.style is None else one.style
            stroke = f'<path class="line s{style % COLOURS}" d="M{x:.1f} {at}h20"/>' if one.line else ""
            marker = _marker(style)
            out.append(f'{stroke}<path class="marker s{style % COLOURS}" d="M{x + 10:.1f} {at}{marker}"/>')
            out.append(text(x + 25, at + 4, one.name))
    return out


def _marker(style: int) -> str:
    """Where the colours come again, the marker is another one."""
    return MARKERS[(style + style // COLOURS) % len(MARKERS)]


def _curve(one: Series, points: list[tuple[float, float]], x: Scale, y: Scale, style: int) -> list[str]:
    """A line with gaps, and markers: at every point, or at some where the points are close. None is drawn twice."""
    places = [(x.at(a), y.at(b)) if math.isfinite(b) else None for a, b in points]
    out, colour = [], f"s{style % COLOURS}"
    if one.line:
        path, pen = "", "M"
        for place in places:
            path += f"{pen}{place[0]:.1f} {place[1]:.1f}" if place else ""
            pen = "L" if place else "M"
        out.append(f'<path class="line {colour}" d="{path}"/>')
    crowded = one.line and CLOSE * len(points) > x.end - x.start
    step = math.ceil(len(points) / FEW) if crowded else 1
    marker, marked = _marker(style), places[style * step // 3 % step :: step]
    dots = dict.fromkeys(f"M{place[0]:.0f} {place[1]:.0f}{marker}" for place in marked if place)
    out.append(f'<path class="marker {colour}" d="{"".join(dots)}"/>')
    return out
