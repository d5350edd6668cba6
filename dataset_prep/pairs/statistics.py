"""What the report shows of a log: its days, the degrees of users and items, its density."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from dataset_prep.pairs.core import Codes, Size

Histogram = dict[int, int]
"""Degree -> how many users or items have it."""


@dataclass
class Statistics:
    """Counts for the report.

    days: behaviour -> Beijing day -> rows. labels: behaviour -> the word for people.
    before, after: degrees of users and of items before and after the core.
    parts: train, valid, test -> counts.
    """

    days: dict[str, dict[str, int]] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    before: tuple[Histogram, Histogram] = field(default_factory=lambda: ({}, {}))
    after: tuple[Histogram, Histogram] = field(default_factory=lambda: ({}, {}))
    parts: dict[str, dict[str, int]] = field(default_factory=dict)


def density(size: Size) -> float:
    return size.pairs / (size.users * size.items) if size.users and size.items else 0.0


def histogram(degree: Codes) -> Histogram:
    """Degrees -> how many have each; 0 is left out."""
    counts = np.bincount(degree)
    return {int(d): int(counts[d]) for d in np.flatnonzero(counts) if d > 0}


def degrees(pairs: tuple[Codes, Codes]) -> tuple[Histogram, Histogram]:
    """Histograms of the users' and the items' degrees in distinct pairs."""
    return histogram(np.bincount(pairs[0])), histogram(np.bincount(pairs[1]))
