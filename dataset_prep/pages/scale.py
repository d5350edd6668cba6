"""Where does a value stand on an axis, and which values get a tick?"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dataset_prep.pages.numbers import plain


@dataclass(frozen=True)
class Axis:
    """What an axis says.

    title: quantity and unit. log: logarithmic; values of 0 and less are left out. whole: ticks at integers only.
    least: the smallest range; noise on a flat curve then looks flat. include: values that the axis always shows.
    labels: value -> word, in place of numbers.
    """

    title: str
    log: bool = False
    whole: bool = False
    least: float = 0.0
    include: tuple[float, ...] = ()
    labels: Mapping[float, str] | None = None


class Scale:
    """The values of `axis` over the pixels from `start` to `end`."""

    def __init__(self, axis: Axis, values: Iterable[float], start: float, end: float, padding: float = 0.0) -> None:
        self.axis, self.start, self.end = axis, start, end
        shown = [value for value in (*values, *axis.include) if math.isfinite(value) and (value > 0 or not axis.log)]
        low, high = min(shown), max(shown)
        if axis.log:
            low, high = math.log10(low), math.log10(high)
        lacks = (0.1 if axis.log else max(axis.least, max(abs(low), abs(high)) * 1e-6 or 1.0)) - (high - low)
        if lacks > 0:
            low, high = low - lacks / 2, high + lacks / 2
        self.low, self.high = low - padding * (high - low), high + padding * (high - low)

    def at(self, value: float) -> float:
        """The pixel of a value."""
        place = math.log10(value) if self.axis.log else value
        return self.start + (place - self.low) / (self.high - self.low) * (self.end - self.start)

    def ticks(self, most: int) -> dict[float, str]:
        """At most about `most` values and their labels."""
        if self.axis.labels is not None:
            known = sorted(self.axis.labels)
            return {value: self.axis.labels[value] for value in known[:: math.ceil(len(known) / most)]}
        return self._powers(most) if self.axis.log else self._steps(self.low, self.high, most)

    def _steps(self, low: float, high: float, most: int) -> dict[float, str]:
        rough = (high - low) / most
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * (1 - 1e-9))
        if self.axis.whole:
            step = max(1.0, float(round(step)))
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        if last <= first and not self.axis.whole:
            return self._steps(low, high, 2 * most)  # one tick tells no scale
        return {number * step: plain(number * step, step) for number in range(first, last + 1)}

    def _powers(self, most: int) -> dict[float, str]:
        """Powers of ten; with 2 and 5 between them where there are few; even steps where the range holds none."""
        exponents = range(math.floor(self.low), math.ceil(self.high) + 1)
        for factors in ((1, 2, 5), (1,)):
            values = [factor * 10.0**power for power in exponents for factor in factors]
            inside = [value for value in values if self.low - 1e-9 <= math.log10(value) <= self.high + 1e-9]
            if len(inside) <= most:
                break
        if len(inside) < 2:
            return self._steps(10**self.low, 10**self.high, most)
        return {value: plain(value) for value in inside[:: math.ceil(len(inside) / most)]}
