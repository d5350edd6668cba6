"""The arrays that every reader hands over: the distinct pairs of a log, counts of its rows, features of its items.

A *row class* says what a row of the log is: the rank of its behaviour in the source (0 is the weakest); plus
``INSIDE`` if its item is in the item subset, or if there is no subset. A row outside the dates has class ``UNDATED``.
So any choice of behaviours and subset can be counted from the pairs, without another look at the log.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from dataset_prep.pairs.core import Codes, Core, Enough, Thresholds, core_of, count, strictest_core
from dataset_prep.pairs.sorting import Ints, Narrow, in_threads, pieces

INSIDE, UNDATED = 8, 16
DATED = (1 << UNDATED) - 1
EVERYTHING = (1 << (UNDATED + 1)) - 1
SHIFT = 1 << 40
"""Added to timestamps before packing: some logs hold times before 1970, and packed numbers must be positive."""
BLANK, FIRST_WORD = -1, -2


@dataclass(frozen=True)
class Column:
    """A column of whole numbers or of words.

    values: int64. Without *words* they are numbers. With words, ``BLANK`` is an empty field, ``FIRST_WORD - k`` is
        words[k], and 0 or more is the number itself.
    codes: for each row its position in *values*; None where *values* has one entry a row.
    """

    values: Ints
    words: Sequence[str] | None = None
    codes: Narrow | None = None

    @classmethod
    def of_words(cls, words: Sequence[str], codes: Narrow | None = None) -> Column:
        return cls(FIRST_WORD - np.arange(len(words)), words, codes)

    def __len__(self) -> int:
        return len(self.values if self.codes is None else self.codes)

    def rows(self, codes: Narrow) -> Column:
        """One row for each code."""
        return replace(self, codes=codes)

    def texts(self) -> list[str]:
        """Each row as text."""
        values = (self.values if self.codes is None else self.values[self.codes]).tolist()
        if self.words is None:
            return list(map(str, values))
        return ["" if v == BLANK else str(v) if v >= 0 else self.words[FIRST_WORD - v] for v in values]


@dataclass(frozen=True)
class Pairs:
    """Distinct (user, item) pairs, by user, then item. All arrays have one entry a pair.

    users, items: code -> id, in the order of the ids. u, i: codes, int32.
    mask: bit 1 << class for each row class the pair occurs in. n: its rows that are kept.
    first: its earliest kept row, of several at that time the strongest; see ``pack_first``.
    """

    users: Column
    items: Column
    u: Narrow
    i: Narrow
    mask: Narrow
    n: Narrow
    first: Narrow

    def select(self, bits: int) -> tuple[Codes, Codes]:
        """The pairs (u, i) that occur in one of these row classes."""
        if bits == EVERYTHING:
            return self.u, self.i
        chosen = (self.mask & bits) != 0
        return (self.u, self.i) if chosen.all() else (self.u[chosen], self.i[chosen])

    def rows_in(self, core: Core) -> int:
        """Kept rows of the core's users and items."""
        return int(self.n[core.users[self.u] & core.items[self.i]].sum())

    @property
    def shape(self) -> tuple[int, int]:
        """Number of users and of items."""
        return len(self.users), len(self.items)

    def degrees(self, pairs: tuple[Codes, Codes]) -> tuple[Codes, Codes]:
        """How many partners each user and each item has."""
        return count(pairs[0], self.shape[0]), count(pairs[1], self.shape[1])

    def core(self, pairs: tuple[Codes, Codes], thresholds: Thresholds) -> Core:
        return core_of(*pairs, thresholds, *self.shape)

    def strictest(
        self, pairs: tuple[Codes, Codes], asked: Thresholds, enough: Enough, accept: Callable[[Core], bool]
    ) -> Core | None:
        return strictest_core(*pairs, asked, enough, *self.shape, accept)


@dataclass(frozen=True)
class CodedRows:
    """Rows of the log, repeats included: codes of user and item, Unix seconds, row class."""

    u: Narrow
    i: Narrow
    t: Ints
    row_class: npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Counts:
    """Rows of the log.

    events: all that parse. dated: rank -> rows inside the dates. days: rank -> Beijing day -> rows inside the dates.
    carried: row class -> rows, of the classes that were read into pairs.
    """

    events: int
    dated: Mapping[int, int]
    days: Mapping[int, Mapping[str, int]]
    carried: Mapping[int, int]

    def rows(self, classes: Sequence[int]) -> int:
        return sum(self.carried.get(row_class, 0) for row_class in classes)


@dataclass(frozen=True)
class Table:
    """A log as arrays. features: name -> a value for each item. rows: None where the pairs are all that is needed."""

    counts: Counts
    pairs: Pairs
    features: Mapping[str, Column] = field(default_factory=dict)
    rows: CodedRows | None = None


def classes_of(ranks: Sequence[int], subset_only: bool) -> list[int]:
    """Row classes of these behaviours, inside the item subset or anywhere."""
    return [rank + INSIDE for rank in ranks] + ([] if subset_only else list(ranks))


def bits_of(ranks: Sequence[int], subset_only: bool) -> int:
    return sum(1 << row_class for row_class in classes_of(ranks, subset_only))


def pack_first(t: Ints, row_class: Ints) -> Ints:
    """Time and class in one number; smaller is earlier, then the stronger behaviour. Ranks are below 8."""
    return (t + SHIFT) * 16 + (INSIDE + 7 - row_class)


def unpack_first(first: Narrow) -> tuple[Ints, Narrow]:
    """(Unix seconds int64, behaviour's rank int8) of numbers made by ``pack_first``."""
    t, rank = np.empty(len(first), dtype=np.int64), np.empty(len(first), dtype=np.int8)

    def unpack(here: slice) -> None:
        packed = first[here].astype(np.int64, copy=False)
        t[here], rank[here] = (packed >> 4) - SHIFT, 7 - (packed & 15)

    in_threads(unpack, pieces(len(first)))
    return t, rank
