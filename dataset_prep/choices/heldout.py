"""Can a model learn from these rows? What the split holds out, and how much of it training knows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dataset_prep.pairs.core import Enough
from dataset_prep.pairs.kept import Rows
from dataset_prep.pairs.sorting import changes
from dataset_prep.pairs.split import TEST, TRAIN, VALID, PartOf, Ratio, Split, cold_rows

RECBOLE = Ratio(8, 1, 1)
"""What the YAML of the data set asks RecBole for where the parts are not written (``writing/recbole_yaml``)."""
PARTS_OF = 20
"""A part needs one row that can be predicted for so many pairs of ``Enough``: 50 for 1,000, where one hit is 2 %."""
ONCE = 0.5
"""Largest share of the users with a single training row: such a row relates no two items."""


class HeldOut(NamedTuple):
    """Of validation and test.

    valid, test: rows whose user and item are in training. known: their share of all held-out rows.
    once: share of the training users with a single row.
    """

    valid: float
    test: float
    known: float
    once: float

    def lacks(self, enough: Enough) -> str:
        """What is missing, as the end of a sentence; empty where nothing is."""
        if not enough.known:
            return ""
        least = enough.pairs // PARTS_OF
        smallest = min(self.valid, self.test)
        if self.known < enough.known:
            return (
                f"training knows user and item of {self.known:.1%} of the held-out rows; needed are "
                f"{enough.known:.0%} (--min-known)"
            )
        if smallest < least:
            part = "validation" if self.valid == smallest else "test"
            return f"the {part} part has {smallest:,.0f} rows that training can predict; needed are {least:,}"
        if self.once > ONCE:
            return f"{self.once:.0%} of the users have a single training row; at most {ONCE:.0%} may (--min-user)"
        return ""


def held_out(rows: Rows, timed: bool, split: Split | None, whole_parts: PartOf | None = None) -> HeldOut:
    """What the split will hold out of *rows*, which are in the order of ``in_order``.

    Args:
        timed: without time RecBole splits at random; then the counts are what is expected.
        split: None for RecBole's own.
        whole_parts: the part of each row, where only training was cut to a core: its rare items are dropped from the
            other parts, so their share says nothing, and ``known`` is 1.
    """
    if not len(rows):
        return HeldOut(0, 0, 0, 0)
    if split is None and not timed:
        return _at_random(rows)
    part = (split or RECBOLE).part_of(rows) if whole_parts is None else whole_parts
    known = ~cold_rows(rows, part).either
    valid, test = (int((known & (part == number)).sum()) for number in (VALID, TEST))
    held = int((part != TRAIN).sum())
    share = (valid + test) / max(held, 1) if whole_parts is None else 1.0
    degree = np.add.reduceat(part == TRAIN, np.flatnonzero(changes(rows.u)), dtype=np.int32)
    return HeldOut(valid, test, share, float((degree == 1).sum() / max((degree > 0).sum(), 1)))


def _at_random(rows: Rows) -> HeldOut:
    """Each row of a user is held out with the same chance; its user is in training always."""
    starts = np.flatnonzero(changes(rows.u))
    n = np.diff(starts, append=len(rows))
    part = RECBOLE.part_of(rows)
    valid, test = (np.add.reduceat((part == number).astype(np.int64), starts) for number in (VALID, TEST))
    chance = np.repeat((valid + test) / n, n)
    # An item is unknown to training where all of its other rows are held out, too.
    with np.errstate(divide="ignore"):
        logs = np.log(chance)
    surely = np.isneginf(logs)
    summed = np.bincount(rows.i, weights=np.where(surely, 0.0, logs))
    always = np.bincount(rows.i, weights=surely)
    others = summed[rows.i] - np.where(surely, 0.0, logs)
    known = 1.0 - np.where(always[rows.i] - surely > 0, 0.0, np.exp(others))
    parts = [float((np.repeat(side / n, n) * known).sum()) for side in (valid, test)]
    once = float((n - valid - test == 1).sum() / len(n))
    return HeldOut(parts[0], parts[1], sum(parts) / max(float(chance.sum()), 1e-9), once)
