"""What the report shows of a log: its days, how active users and items are, how dense and how repetitive it is."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from dataset_prep.core import Codes, Size
from dataset_prep.engines.base import Engine
from dataset_prep.pipeline import INSIDE, UNDATED
from dataset_prep.times import BEIJING_OFFSET, day_of

Histogram = dict[int, int]
"""Degree -> how many have it."""

DAY = f"CAST(floor((t + {BEIJING_OFFSET}) / 86400) AS BIGINT)"
MOST_DAYS = 400


@dataclass
class Facts:
    """days: behaviour -> Beijing day -> rows; labels: behaviour -> what people call it.

    Degrees count distinct partners, before and after the core.
    """

    days: dict[str, dict[str, int]] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    before: tuple[Histogram, Histogram] = field(default_factory=lambda: ({}, {}))
    after: tuple[Histogram, Histogram] = field(default_factory=lambda: ({}, {}))
    parts: dict[str, dict[str, int]] = field(default_factory=dict)


def density(size: Size) -> float:
    return size.pairs / (size.users * size.items) if size.users and size.items else 0.0


def degrees(codes: Codes) -> Histogram:
    return histogram(np.bincount(codes))


def histogram(degree: Codes) -> Histogram:
    """Of how many partners each has: 0 is left out."""
    counts = np.bincount(degree)
    return {int(d): int(counts[d]) for d in np.flatnonzero(counts) if d > 0}


def day_counts(engine: Engine) -> dict[int, dict[str, int]]:
    """Rows inside the dates by behaviour's rank and day."""
    found: dict[int, dict[str, int]] = {}
    counted = f"SELECT {DAY} AS day, slot, count(*) FROM events WHERE slot <> {UNDATED}"
    for day, slot, rows in engine.rows(f"{counted} GROUP BY {DAY}, slot ORDER BY day, slot"):
        by_day = found.setdefault(slot % INSIDE, {})
        text = day_of(day * 86400 - BEIJING_OFFSET)
        by_day[text] = by_day.get(text, 0) + rows
    return found
