"""Where does the label of each point stand, so that no label covers another or a point?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from dataset_prep.pages.svg import TEXT, text, text_width

Point = tuple[float, float]
RADII = (10, 18, 28, 40, 54, 70)
STEPS = (0, 8, 1, 15, 7, 9, 4, 12, 2, 14, 6, 10, 3, 13, 5, 11)  # sixteenths of a turn: right, left, then the others
DOT = 5.0


class Box(NamedTuple):
    """A rectangle in pixels; top < bottom."""

    left: float
    top: float
    right: float
    bottom: float

    def shared(self, other: Box) -> float:
        """The area that both cover."""
        across = min(self.right, other.right) - max(self.left, other.left)
        return max(0.0, across) * max(0.0, min(self.bottom, other.bottom) - max(self.top, other.top))


def places(points: Sequence[Point], words: Sequence[str], plot: Box) -> list[Box]:
    """A box for each label: the nearest place that is free; the one that covers least where none is."""
    taken = [Box(x - DOT, y - DOT, x + DOT, y + DOT) for x, y in points]
    found: dict[int, Box] = {}
    for number in sorted(range(len(points)), key=lambda at: (-len(words[at]), at)):
        found[number] = _place(*points[number], text_width(words[number]), taken, plot)
        taken.append(found[number])
    return [found[number] for number in range(len(points))]


def _place(x: float, y: float, width: float, taken: Sequence[Box], plot: Box) -> Box:
    best, least = Box(x, y, x, y), math.inf
    for radius in RADII:
        for step in STEPS:
            across, down = math.cos(step * math.pi / 8), math.sin(step * math.pi / 8)
            left = x + across * radius - width * (1 - across) / 2
            left = min(max(left, plot.left), plot.right - width)
            top = y + down * radius - TEXT / 2
            box = Box(left, top, left + width, top + TEXT + 1)
            lost = width * TEXT - box.shared(plot)
            covered = sum(box.shared(other) for other in taken) + max(0.0, lost)
            if covered < least:
                best, least = box, covered
            if not covered:
                return box
    return best


def labels(points: Sequence[Point], words: Sequence[str], plot: Box) -> list[str]:
    """The labels as SVG, each with a thin line to its point where it stands apart from it."""
    out = []
    for (x, y), name, box in zip(points, words, places(points, words, plot), strict=True):
        near = min(max(x, box.left), box.right), min(max(y, box.top), box.bottom)
        if math.dist(near, (x, y)) > 2 * DOT + 1:
            out.append(f'<path class="leader" d="M{x:.1f} {y:.1f}L{near[0]:.1f} {near[1]:.1f}"/>')
        out.append(text(box.left, box.top + TEXT - 2, name, "name"))
    return out
