"""Training, validation and test parts by time, as SQL over rows of (u, i, t, b)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from math import lcm

from dataset_prep.guards import UsageError
from dataset_prep.times import moment

TRAIN, VALID, TEST = 0, 1, 2
PARTS = ("train", "valid", "test")
# Ties in time are broken by item and behaviour, so that the parts do not depend on the order of the input.
IN_TIME = "row_number() OVER (PARTITION BY u ORDER BY t, i, b)"


@dataclass(frozen=True)
class Split:
    """How to cut. Each kind says in ``__str__`` what the command line says."""

    def part(self) -> str:
        """An expression over r (rank in the user's time, from 1), n (the user's rows) and t."""
        raise NotImplementedError

    def sql(self, table: str) -> str:
        ranked = f"SELECT u, i, t, b, {IN_TIME} AS r, count(*) OVER (PARTITION BY u) AS n FROM {table}"
        return f"SELECT u, i, t, b, CAST({self.part()} AS INTEGER) AS part FROM ({ranked}) AS ranked"


@dataclass(frozen=True)
class Last(Split):
    """Leave one out: a user's last row to test, the one before to validation; two rows: train, test; one: train."""

    def part(self) -> str:
        return f"CASE WHEN n > 1 AND r = n THEN {TEST} WHEN n > 2 AND r = n - 1 THEN {VALID} ELSE {TRAIN} END"

    def __str__(self) -> str:
        return "last"


@dataclass(frozen=True)
class Ratio(Split):
    """Shares of each user's rows, oldest first, as whole parts of their sum.

    As in RecBole, a part with a share gets at least one row as soon as training keeps one.
    """

    train: int
    valid: int
    test: int

    def part(self) -> str:
        total = self.train + self.valid + self.test

        def count(share: int, left: str) -> str:
            if not share:
                return "0"
            whole = f"CAST(floor(n * {share} / {total}) AS BIGINT)"
            return f"least(greatest({whole}, 1), {left} - 1)"

        test = count(self.test, "n")
        valid = count(self.valid, f"(n - {test})")
        return f"CASE WHEN r > n - {test} THEN {TEST} WHEN r > n - {test} - {valid} THEN {VALID} ELSE {TRAIN} END"

    def __str__(self) -> str:
        total = self.train + self.valid + self.test
        return "ratio " + ",".join(f"{share / total:g}" for share in (self.train, self.valid, self.test))


@dataclass(frozen=True)
class Date(Split):
    """One cut for all: before *valid* to training, from *test* on to test. Unix seconds."""

    valid: int
    test: int
    text: str

    def part(self) -> str:
        return f"CASE WHEN t < {self.valid} THEN {TRAIN} WHEN t < {self.test} THEN {VALID} ELSE {TEST} END"

    def __str__(self) -> str:
        return f"date {self.text}"


def parse_split(text: str) -> Split:
    """'last', 'ratio 0.8,0.1,0.1' or 'date 2014-12-17,2014-12-18'. Raises UsageError."""
    kind, _, rest = re.sub(r"[:=]", " ", text.strip(), count=1).partition(" ")
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
        valid, test = (moment(value, "--split date") for value in values)
        if valid >= test:
            raise UsageError(f"--split: in {text!r} validation must begin before the test does.")
        return Date(valid, test, ",".join(values))
    raise UsageError(f"--split: {text!r} is none of 'last', 'ratio 0.8,0.1,0.1', 'date 2014-12-17,2014-12-18'.")


def cold_sql(parted: str) -> str:
    """The rows of *parted* with ``cold``: 1 where validation or test has a user or item that training never saw."""
    train = f"FROM {parted} WHERE part = {TRAIN}"
    unseen = f"part <> {TRAIN} AND (k.u IS NULL OR l.i IS NULL)"
    return (
        f"SELECT p.u, p.i, p.t, p.b, p.part, CASE WHEN {unseen} THEN 1 ELSE 0 END AS cold, "
        f"CASE WHEN k.u IS NULL THEN 1 ELSE 0 END AS new_user, CASE WHEN l.i IS NULL THEN 1 ELSE 0 END AS new_item "
        f"FROM {parted} AS p LEFT JOIN (SELECT DISTINCT u {train}) AS k ON p.u = k.u "
        f"LEFT JOIN (SELECT DISTINCT i {train}) AS l ON p.i = l.i"
    )


def counts_sql(table: str) -> str:
    """For every part: rows, distinct pairs, users, items, and how much of them is cold."""
    pair = "CAST(u AS BIGINT) * 4294967296 + i"
    return (
        f"SELECT part, count(*), count(DISTINCT {pair}), count(DISTINCT u), count(DISTINCT i), sum(cold), "
        "count(DISTINCT CASE WHEN new_user = 1 THEN u END), count(DISTINCT CASE WHEN new_item = 1 THEN i END) "
        f"FROM {table} GROUP BY part ORDER BY part"
    )
