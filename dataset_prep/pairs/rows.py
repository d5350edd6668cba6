"""Rows on their way from a reader to the pairs: columns of ids, in the blocks in which they were read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from dataset_prep.pairs.sorting import Narrow, distinct_pairs
from dataset_prep.pairs.table import Counts
from dataset_prep.sources.times import BEIJING_OFFSET, DAY, day_of

BYTES_A_ROW = 40
"""Memory that a carried row needs until the pairs are found."""


@dataclass(frozen=True)
class RowBlock:
    """What is needed later of a block of lines.

    events: rows that parse. days: (Beijing day, rank) -> rows inside the dates.
    user, item, t, row_class: the rows that the filters may keep. features: for each, distinct (item, code).
    """

    events: int
    days: dict[tuple[int, int], int]
    user: Narrow
    item: Narrow
    t: Narrow
    row_class: npt.NDArray[np.uint8]
    features: list[tuple[Narrow, Narrow]] = field(default_factory=list)

    @cached_property
    def span(self) -> tuple[int, int]:
        """Smallest and largest user."""
        return int(self.user.min()), int(self.user.max())


@dataclass
class LogRows:
    """The blocks of a whole log, with the counts of all rows.

    words: features that are not plain numbers; see ``Column``.
    limit: bytes for the blocks. Beyond it *overflow* takes them, and only their features stay here.
    """

    limit: int
    overflow: Callable[[RowBlock], None]
    blocks: list[RowBlock] = field(default_factory=list)
    features: list[tuple[Narrow, Narrow]] = field(default_factory=list)
    events: int = 0
    days: Counter[tuple[int, int]] = field(default_factory=Counter)
    carried: Counter[int] = field(default_factory=Counter)
    words: list[str] = field(default_factory=list)
    held: int = 0
    overflowed: bool = False

    def add(self, block: RowBlock) -> None:
        self.events += block.events
        self.days.update(block.days)
        classes = np.bincount(block.row_class)
        self.carried.update({int(row_class): int(classes[row_class]) for row_class in np.flatnonzero(classes)})
        if not len(block.row_class):
            return
        self.blocks.append(block)
        self.held += len(block.row_class)
        if self.held * BYTES_A_ROW > self.limit:
            self.flush()
            self.limit = min(self.limit, BYTES_A_ROW << 22)  # the database now needs memory as well

    def flush(self) -> None:
        """Give all blocks to *overflow*."""
        if self.blocks:
            self.features = [self.of_feature(place) for place in range(len(self.blocks[0].features))]
            for block in self.blocks:
                self.overflow(block)
            self.blocks.clear()
        self.held, self.overflowed = 0, True

    def of_feature(self, place: int) -> tuple[Narrow, Narrow]:
        """Distinct (item, code) of a feature, of all blocks."""
        known = [self.features[place]] if self.features else []
        known += [block.features[place] for block in self.blocks]
        return distinct_pairs(*(np.concatenate(side) for side in zip(*known, strict=True)))

    def counts(self) -> Counts:
        dated, days = Counter[int](), dict[int, dict[str, int]]()
        for (day, rank), n in sorted(self.days.items()):
            dated[rank] += n
            days.setdefault(rank, {})[day_of(day * DAY - BEIJING_OFFSET)] = n
        return Counts(self.events, dated, days, self.carried)
