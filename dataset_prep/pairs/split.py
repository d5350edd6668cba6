"""Training, validation and test parts by time, and what of them training never saw."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dataset_prep.errors import UsageError
from dataset_prep.pairs.kept import Rows
from dataset_prep.pairs.sorting import Ints, Mask, Narrow, changes, in_threads, pieces, runs_in_pieces
from dataset_prep.sources.times import timestamp

TRAIN, VALID, TEST = 0, 1, 2
PARTS = ("train", "valid", "test")
PartOf = npt.NDArray[np.int8]
"""For each row its part: TRAIN, VALID or TEST."""


@dataclass(frozen=True)
class Split:
    """How to split. ``str`` gives the words of the command line."""

    def part(self, r: Ints, n: Ints, t: Ints) -> Ints:
        """r: the row's rank in its user's time, from 1. n: rows of its user. t: Unix seconds."""
        raise NotImplementedError

    def part_of(self, rows: Rows) -> PartOf:
        """The part of each row; rows in the order of ``in_order``, so ties in time go by item, then behaviour."""
        part = np.empty(len(rows), dtype=np.int8)

        def fill(here: slice) -> None:
            u = rows.u[here]
            starts = np.flatnonzero(changes(u))
            n = np.diff(starts, append=len(u))
            r = np.arange(1, len(u) + 1) - np.repeat(starts, n)
            part[here] = self.part(r, np.repeat(n, n), rows.t[here])

        in_threads(fill, runs_in_pieces(rows.u))
        return part


@dataclass(frozen=True)
class Last(Split):
    """Leave one out: a user's last row to test, the one before to validation. Two rows: train, test. One: train."""

    def part(self, r: Ints, n: Ints, t: Ints) -> Ints:
        return np.select([(n > 1) & (r == n), (n > 2) & (r == n - 1)], [TEST, VALID], TRAIN)

    def __str__(self) -> str:
        return "last"


@dataclass(frozen=True)
class Ratio(Split):
    """Shares of each user's rows, oldest first, as whole parts of their sum.

    As in RecBole, validation and test get at least one row each as soon as one is left for training.
    """

    train: int
    valid: int
    test: int

    def part(self, r: Ints, n: Ints, t: Ints) -> Ints:
        sizes = np.arange(int(n.max(initial=0)) + 1)  # the counts of a user depend on the number of its rows only
        test = self._count(self.test, sizes, sizes)
        held_out = test + self._count(self.valid, sizes, sizes - test)
        return np.select([r > (sizes - test)[n], r > (sizes - held_out)[n]], [TEST, VALID], TRAIN)

    def _count(self, share: int, n: Ints, left: Ints) -> Ints:
        whole = n * share // (self.train + self.valid + self.test)
        return np.minimum(np.maximum(whole, 1), left - 1)

    def __str__(self) -> str:
        total = self.train + self.valid + self.test
        return "ratio " + ",".join(f"{share / total:g}" for share in (self.train, self.valid, self.test))


@dataclass(frozen=True)
class Date(Split):
    """The same times for all users: before *valid* to training, from *test* on to test. Unix seconds."""

    valid: int
    test: int
    text: str

    def part(self, r: Ints, n: Ints, t: Ints) -> Ints:
        return np.select([t < self.valid, t < self.test], [TRAIN, VALID], TEST)

    def __str__(self) -> str:
        return f"date {self.text}"


def parse_split(text: str) -> Split:
    """'last', 'ratio 0.8,0.1,0.1' or 'date 2014-12-17,2014-12-18'. Raises UsageError."""
    kind, _, rest = re.sub(r"^(\w+)[:=]", r"\1 ", text.strip()).partition(" ")
    values = [value.strip() for value in rest.split(",") if value.strip()]
    if kind == "last" and not values:
        return Last()
    if kind == "ratio":
        try:
            shares = [Fraction(value) for value in values]
        except (ValueError, ZeroDivisionError):
            shares = []
        if len(shares) != 3 or min(shares) <= 0:
            raise UsageError(f"--split: {text!r} needs three shares above 0, such as 'ratio 0.8,0.1,0.1'.")
        common = lcm(*(share.denominator for share in shares))
        return Ratio(*(int(share * common) for share in shares))
    if kind == "date":
        if len(values) != 2:
            raise UsageError(f"--split: {text!r} needs two moments, such as 'date 2014-12-17,2014-12-18'.")
        valid, test = (timestamp(value, "--split date") for value in values)
        if valid >= test:
            raise UsageError(f"--split: in {text!r} validation must begin before the test does.")
        return Date(valid, test, ",".join(values))
    raise UsageError(f"--split: {text!r} is none of 'last', 'ratio 0.8,0.1,0.1', 'date 2014-12-17,2014-12-18'.")


class Cold(NamedTuple):
    """For each row: is its user, its item new to training?"""

    user: Mask
    item: Mask

    @property
    def either(self) -> Mask:
        return self.user | self.item


def cold_rows(rows: Rows, part: PartOf) -> Cold:
    return Cold(*(_unknown(codes, part) for codes in (rows.u, rows.i)))


def _unknown(codes: Narrow, part: PartOf) -> Mask:
    """True where a code is in no row of training."""
    known, new = np.zeros(int(codes.max(initial=-1)) + 1, dtype=bool), np.empty(len(codes), dtype=bool)

    def learn(here: slice) -> None:
        known[codes[here][part[here] == TRAIN]] = True

    def look(here: slice) -> None:
        np.logical_not(known[codes[here]], out=new[here])

    for step in (learn, look):
        in_threads(step, pieces(len(codes)))
    return new


def count_parts(rows: Rows, part: PartOf, cold: Cold, keep: Mask) -> dict[str, dict[str, int]]:
    """For each part: what is kept of it, and how much of it is, or was, cold."""
    parts = {}
    for number, name in enumerate(PARTS):
        here = part == number
        kept = rows.where(here & keep)
        new_users, new_items = (
            np.unique(codes[here & new]) for codes, new in ((rows.u, cold.user), (rows.i, cold.item))
        )
        parts[name] = {
            "rows": len(kept),
            **kept.size()._asdict(),
            "cold_rows": int((here & cold.either).sum()),
            "cold_users": len(new_users),
            "cold_items": len(new_items),
        }
    return parts
