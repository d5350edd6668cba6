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
from dataset_prep.swift.lines import Lines
from dataset_prep.swift.words import WIDTH, Flags, Ints, clock
from dataset_prep.times import BEIJING_OFFSET

KINDS = 8
BLANK = -1
"""Code of a feature that is not there; a number is its own code, other texts have codes below."""


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
        self.words = [behavior.value.encode() for behavior in self.source.behaviors]
        self.clock = clock(settings.time_format) if TIME in self.source.columns else None

    @staticmethod
    def can_read(settings: Settings) -> bool:
        """Whole-number ids, and behaviours short enough for one machine word."""
        source = settings.source
        return source.digits and all(1 <= len(b.value.encode()) <= WIDTH for b in source.behaviors)

    def parse(self, lines: Lines) -> tuple[Columns, list[tuple[int, bytes]]]:
        """(rows, (number from 0, text) of the lines that are for the careful reader)."""
        columns = self._columns(lines)
        odd = np.flatnonzero(~lines.ok).tolist()
        return columns.where(lines.ok) if odd else columns, [(n, lines.text(n)) for n in odd]

    def _columns(self, lines: Lines) -> Columns:
        found: dict[str, Ints] = {}
        rank = np.zeros(len(lines.ok), dtype=np.int8)
        ids = {USER, ITEM} | ({CATEGORY} if self.level == "category" else set())
        for column in self.source.columns:
            last = column == self.source.columns[-1]
            if column in ids:
                found[column] = lines.number(last)
            elif column in self.features:
                found[column] = lines.number(last, BLANK)
            elif column == BEHAVIOR:
                rank = lines.rank(last, self.words)
            elif column == TIME and self.clock:
                found[TIME] = lines.moment(last, self.clock)
            elif column == TIME:
                # Moments before 1970, and those no log should hold, are for the careful reader.
                found[TIME] = lines.number(last)
                lines.ok &= found[TIME] < 10**11
            else:
                lines.skip(last)
        t = found.get(TIME)
        if t is None:
            t = np.zeros(len(rank), dtype=np.int64)
        item = found[CATEGORY if self.level == "category" else ITEM]
        return Columns(found[USER], item, found[ITEM], t, rank, [found[feature] for feature in self.features])

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
