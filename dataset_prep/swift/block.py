"""One block of a log: its lines parsed, counted, and those the filters may keep, in narrow columns."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from dataset_prep.order import Narrow, distinct_pairs, narrow
from dataset_prep.pipeline import INSIDE, UNDATED
from dataset_prep.settings import Settings
from dataset_prep.sources.base import BEHAVIOR, CATEGORY, ITEM, TIME, USER
from dataset_prep.swift.lines import (
    NUMBER,
    OPTIONAL,
    SKIP,
    WIDTH,
    Bytes,
    Field,
    Flags,
    Ints,
    Lines,
    compiled,
    moment,
    read_lines,
    word,
)
from dataset_prep.times import BEIJING_OFFSET

KINDS = 8


@dataclass(frozen=True)
class Columns:
    """Parsed rows. subject: the item, also where categories are recommended and ``item`` is the category."""

    user: Ints
    item: Ints
    subject: Ints
    t: Ints
    rank: npt.NDArray[np.int8]
    features: list[Ints]

    def where(self, chosen: Flags) -> Columns:
        if chosen.all():
            return self
        user, item, subject, t = (column[chosen] for column in (self.user, self.item, self.subject, self.t))
        return Columns(user, item, subject, t, self.rank[chosen], [feature[chosen] for feature in self.features])


@dataclass(frozen=True)
class Carried:
    """What of some rows is needed later.

    events: of these, rows; days: (Beijing day, rank) -> rows inside the dates; undated: rows outside them.
    columns: user, item, t, slot of the rows carried; features: for each, distinct (item, code).
    """

    events: int
    undated: int
    days: dict[tuple[int, int], int]
    user: Narrow
    item: Narrow
    t: Narrow
    slot: npt.NDArray[np.uint8]
    features: list[tuple[Narrow, Narrow]] = field(default_factory=list)

    @cached_property
    def span(self) -> tuple[int, int]:
        """Least and largest user."""
        return int(self.user.min()), int(self.user.max())


class BlockReader:
    """What the settings mean for every block. *wanted*: the item subset, sorted, None for all items."""

    def __init__(self, settings: Settings, wanted: Ints | None, whole: bool = False) -> None:
        self.source, self.level = settings.source, settings.level
        self.features, self.wanted, self.whole = settings.features, wanted, whole
        self.since, self.until = settings.bounds
        self.kept = np.isin(np.arange(KINDS), settings.ranks)
        self.fields = [self._field(column, settings) for column in self.source.columns]

    @staticmethod
    def can_read(settings: Settings) -> bool:
        """Whole-number ids, behaviours short enough for one machine word, and a compiled reader."""
        source = settings.source
        short = all(1 <= len(b.value.encode()) <= WIDTH for b in source.behaviors)
        return source.digits and short and compiled() is not None

    def _field(self, column: str, settings: Settings) -> Field:
        if column in (USER, ITEM) or (column == CATEGORY and self.level == "category"):
            return NUMBER
        if column in self.features:
            return OPTIONAL
        if column == BEHAVIOR:
            return word([behavior.value.encode() for behavior in self.source.behaviors])
        return moment(settings.time_format) if column == TIME else SKIP

    def parse(self, buffer: Bytes, span: range, delimiter: str) -> tuple[Columns, Lines]:
        """(rows; all that was read, with the lines that are for the careful reader). Raises GiveUpError."""
        lines = read_lines(buffer, span, delimiter, self.fields)
        found = dict(zip(self.source.columns, lines.values, strict=True))
        item = found[CATEGORY if self.level == "category" else ITEM]
        none = np.zeros(len(found[USER]), dtype=np.int64)
        rank, t = found.get(BEHAVIOR, none.astype(np.int8)), found.get(TIME, none)
        features = [found[feature] for feature in self.features]
        return Columns(found[USER], item, found[ITEM], t, rank, features), lines

    def select(self, rows: Columns) -> Carried:
        """Count the rows, and keep what the filters may keep; everything, if the whole log is asked for."""
        dated = np.ones(len(rows.t), dtype=bool)
        if self.since is not None:
            dated &= rows.t >= self.since
        if self.until is not None:
            dated &= rows.t <= self.until
        days = _days(rows, dated)
        chosen = np.ones(len(dated), dtype=bool) if self.whole else dated & self.kept[rows.rank]
        events, undated = len(dated), int(len(dated) - np.count_nonzero(dated))
        rows, dated = rows.where(chosen), dated[chosen]
        slot = rows.rank.astype(np.uint8)
        if self.wanted is None:
            slot += INSIDE
        else:
            slot[_among(rows.subject, self.wanted)] += INSIDE
        slot[~dated] = UNDATED
        # When a row outside the dates was is never asked; a moment far away would only make the keys of pairs longer.
        t = rows.t if dated.all() else np.where(dated, rows.t, rows.t[dated].min() if dated.any() else 0)
        features = [distinct_pairs(rows.item, feature) for feature in rows.features]
        return Carried(events, undated, days, narrow(rows.user), narrow(rows.item), narrow(t), slot, features)


def _days(rows: Columns, dated: Flags) -> dict[tuple[int, int], int]:
    t, rank = (rows.t, rows.rank) if dated.all() else (rows.t[dated], rows.rank[dated])
    if not len(t):
        return {}
    key = (t + BEIJING_OFFSET) // 86_400 * KINDS + rank
    first = int(key.min())
    if int(key.max()) - first > len(key):
        known, counts = np.unique(key, return_counts=True)
    else:
        every = np.bincount(key - first)
        known = np.flatnonzero(every)
        counts, known = every[known], known + first
    pairs = zip(known.tolist(), counts.tolist(), strict=True)
    return {(key // KINDS, key % KINDS): n for key, n in pairs}


def _among(values: Ints, known: Ints) -> Flags:
    if not len(known):
        return np.zeros(len(values), dtype=bool)
    return known[np.minimum(np.searchsorted(known, values), len(known) - 1)] == values
