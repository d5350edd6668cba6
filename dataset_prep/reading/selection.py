"""One block of a log: its lines read into columns, counted, and reduced to the rows that the filters may keep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dataset_prep.files.streams import Block
from dataset_prep.pairs.rows import RowBlock
from dataset_prep.pairs.sorting import Ints, Mask, distinct_pairs, narrow
from dataset_prep.pairs.table import INSIDE, UNDATED
from dataset_prep.reading.fields import (
    NUMBER,
    OPTIONAL,
    SKIP,
    WIDTH,
    Field,
    Lines,
    compiled,
    read_lines,
    time_field,
    word,
)
from dataset_prep.settings import Settings
from dataset_prep.sources.base import BEHAVIOR, CATEGORY, ITEM, TIME, USER
from dataset_prep.sources.times import BEIJING_OFFSET, DAY

RANKS = 8


@dataclass(frozen=True)
class Columns:
    """Rows that parse. item: the id that is recommended; with --level category that is the category's."""

    user: Ints
    item: Ints
    own_item: Ints
    t: Ints
    rank: npt.NDArray[np.int8]
    features: list[Ints]

    def where(self, chosen: Mask) -> Columns:
        if chosen.all():
            return self
        user, item, own_item, t = (column[chosen] for column in (self.user, self.item, self.own_item, self.t))
        return Columns(user, item, own_item, t, self.rank[chosen], [feature[chosen] for feature in self.features])


class Selection:
    """What the settings mean for every block.

    wanted: the item subset, sorted; None for all items. whole: keep the rows of every behaviour and date.
    """

    def __init__(self, settings: Settings, wanted: Ints | None, whole: bool = False) -> None:
        self.source, self.level = settings.source, settings.level
        self.features, self.wanted, self.whole = settings.features, wanted, whole
        self.since, self.until = settings.bounds
        self.kept = np.isin(np.arange(RANKS), settings.ranks)
        self.fields = {column: self._field(column, settings) for column in self.source.columns}

    @staticmethod
    def refusal(settings: Settings) -> str | None:
        """Why the compiled reader cannot read such a log, or None."""
        if compiled() is None:
            return "no C compiler was present at installation"
        if not settings.source.digits:
            return "ids may be text"
        if not all(1 <= len(b.value.encode()) <= WIDTH for b in settings.source.behaviors):
            return f"a behaviour is longer than {WIDTH} bytes"
        return None

    def _field(self, column: str, settings: Settings) -> Field:
        if column in (USER, ITEM) or (column == CATEGORY and self.level == "category"):
            return NUMBER
        if column in self.features:
            return OPTIONAL
        if column == BEHAVIOR:
            return word([behavior.value.encode() for behavior in self.source.behaviors])
        return time_field(settings.time_format) if column == TIME else SKIP

    def parse(self, block: Block, delimiter: str, columns: Sequence[str]) -> tuple[Columns, Lines]:
        """(the good rows, all that was read); columns: the role of each field. Raises GiveUpError."""
        lines = read_lines(block, delimiter, [self.fields.get(column, SKIP) for column in columns])
        found = dict(zip(columns, lines.values, strict=True))
        item = found[CATEGORY if self.level == "category" else ITEM]
        none = np.zeros(len(found[USER]), dtype=np.int64)
        rank, t = found.get(BEHAVIOR, none.astype(np.int8)), found.get(TIME, none)
        return Columns(found[USER], item, found[ITEM], t, rank, [found[f] for f in self.features]), lines

    def select(self, rows: Columns) -> RowBlock:
        """Count the rows and keep those that the filters may keep."""
        dated = np.ones(len(rows.t), dtype=bool)
        if self.since is not None:
            dated &= rows.t >= self.since
        if self.until is not None:
            dated &= rows.t <= self.until
        events, days = len(dated), _days(rows, dated)
        chosen = np.ones(events, dtype=bool) if self.whole else dated & self.kept[rows.rank]
        rows, dated = rows.where(chosen), dated[chosen]
        row_class = rows.rank.astype(np.uint8)
        if self.wanted is None:
            row_class += INSIDE
        else:
            row_class[_among(rows.own_item, self.wanted)] += INSIDE
        row_class[~dated] = UNDATED
        # Timestamps outside the dates are not used; they are replaced to save bits when pairs are packed.
        t = rows.t if dated.all() else np.where(dated, rows.t, rows.t[dated].min() if dated.any() else 0)
        features = [distinct_pairs(rows.item, feature) for feature in rows.features]
        return RowBlock(events, days, narrow(rows.user), narrow(rows.item), narrow(t), row_class, features)


def _days(rows: Columns, dated: Mask) -> dict[tuple[int, int], int]:
    """(Beijing day, rank) -> rows inside the dates"""
    t, rank = (rows.t, rows.rank) if dated.all() else (rows.t[dated], rows.rank[dated])
    if not len(t):
        return {}
    key = (t + BEIJING_OFFSET) // DAY * RANKS + rank
    first = int(key.min())
    if int(key.max()) - first > len(key):
        known, counts = np.unique(key, return_counts=True)
    else:
        every = np.bincount(key - first)
        known = np.flatnonzero(every)
        counts, known = every[known], known + first
    return {(k // RANKS, k % RANKS): n for k, n in zip(known.tolist(), counts.tolist(), strict=True)}


def _among(values: Ints, known: Ints) -> Mask:
    if not len(known):
        return np.zeros(len(values), dtype=bool)
    return known[np.minimum(np.searchsorted(known, values), len(known) - 1)] == values
