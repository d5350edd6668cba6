"""The tables ``users``, ``items`` and ``pairs`` of the rows that count: by SQL, or from the swift reader's arrays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dataset_prep import pipeline
from dataset_prep.engines.base import Engine, LocalEngine
from dataset_prep.facts import day_counts
from dataset_prep.pipeline import INSIDE, UNDATED
from dataset_prep.reading import Log
from dataset_prep.settings import Settings
from dataset_prep.swift.lines import BLANK
from dataset_prep.swift.pairs import Found, find_pairs, places
from dataset_prep.swift.reader import Rows
from dataset_prep.times import BEIJING_OFFSET, UNITS, day_of
from dataset_prep.weigh import Pairs, Space, slots_of

ALL_SLOTS = tuple(range(UNDATED + 1))


def carried_slots(settings: Settings, whole: bool) -> Sequence[int]:
    """Rows of other slots are counted and go no further."""
    return ALL_SLOTS if whole else slots_of(settings.ranks, False)


@dataclass(frozen=True)
class Tables:
    """What of the tables is weighed as arrays, and the rows behind them.

    tally: slot -> rows, of the slots carried; dated: behaviour's rank -> rows inside the dates; days: rank -> Beijing
    day -> rows. coded: a FROM item, the carried rows as u, i, t and slot. found: the pairs, where they are arrays.
    """

    events: int
    dated: Mapping[int, int]
    days: Mapping[int, Mapping[str, int]]
    tally: Mapping[int, int]
    space: Space
    pairs: Pairs
    coded: str
    found: Found | None = None

    def rows(self, slots: Sequence[int]) -> int:
        return sum(self.tally.get(slot, 0) for slot in slots)


def by_sql(engine: Engine, settings: Settings, read: Log, whole: bool) -> Tables:
    """From the table ``events``."""
    slots = carried_slots(settings, whole)
    engine.create("users", pipeline.users_sql(read.integers, slots))
    engine.create("items", pipeline.items_sql(read.integers, read.features, slots))
    engine.create("pairs", pipeline.pairs_sql(settings.ranks, slots))
    n_users, n_items = (engine.rows(f"SELECT count(*) FROM {table}")[0][0] for table in ("users", "items"))
    tally: dict[int, int] = dict(engine.rows(pipeline.TALLY))
    dated = Counter[int]()
    for slot, rows in tally.items():
        if slot != UNDATED:
            dated[slot % INSIDE] += rows
    return Tables(
        sum(tally.values()),
        dated,
        day_counts(engine),
        {slot: tally.get(slot, 0) for slot in slots},
        Space(n_users, n_items),
        Pairs.of(engine.arrays("SELECT u, i, mask, n FROM pairs")),
        pipeline.CODED,
    )


def by_arrays(engine: LocalEngine, settings: Settings, read: Log, rows: Rows) -> Tables:
    """From the rows the swift reader carried. Raises GiveUpError."""
    slots = slots_of(settings.ranks, True)
    tally = sum((np.bincount(block.slot, minlength=UNDATED + 1) for block in rows.blocks), np.zeros(UNDATED + 1, int))
    all_rows = settings.protocol != "novel" or settings.core_on != "all"  # else the pairs say all that is asked
    unit = UNITS[settings.source.time] if settings.source.timed else 1
    found = find_pairs(rows, slots, unit, len(read.features), release=not all_rows)
    engine.lend("users", {"user_id": found.users, "u": np.arange(len(found.users), dtype=np.int32)})
    _lend_items(engine, read, rows, found)
    engine.lend("pairs", {"u": found.u, "i": found.i, "mask": found.mask, "n": found.n, "first": found.first})
    dated, days = Counter[int](), dict[int, dict[str, int]]()
    for (day, rank), n in sorted(rows.days.items()):
        dated[rank] += n
        days.setdefault(rank, {})[day_of(day * 86_400 - BEIJING_OFFSET)] = n
    coded = pipeline.CODED
    if all_rows:
        _lend_coded(engine, rows, found)
        coded = "coded"
    return Tables(
        rows.events,
        dated,
        days,
        dict(enumerate(tally.tolist())),
        Space(len(found.users), len(found.items)),
        Pairs(found.u, found.i, found.mask, found.n),
        coded,
        found,
    )


def _lend_items(engine: LocalEngine, read: Log, rows: Rows, found: Found) -> None:
    """Features that are numbers are their own codes; only where there are others are the texts looked up."""
    columns: dict[str, np.ndarray] = {"item_id": found.items, "i": np.arange(len(found.items), dtype=np.int32)}
    joins, fields = "", ""
    if rows.texts:
        codes = np.arange(BLANK - 1, BLANK - 1 - len(rows.texts), -1)
        engine.upload("texts", {"code": codes, "text": np.array(rows.texts, dtype=object)})
    for feature, codes in zip(read.features, found.features, strict=True):
        columns[feature] = codes
        value = f"CASE WHEN coded_items.{feature} >= 0 THEN coded_items.{feature} END"
        if rows.texts:
            joins += f" LEFT JOIN texts AS of_{feature} ON of_{feature}.code = coded_items.{feature}"
            value = f"coalesce(of_{feature}.text, CAST({value} AS VARCHAR))"
        fields += f", {value} AS {feature}"
    engine.lend("coded_items", columns)
    engine.define("items", f"SELECT item_id, i{fields} FROM coded_items{joins}")


def _lend_coded(engine: LocalEngine, rows: Rows, found: Found) -> None:
    """Repeats and all: for what needs every row, not only every pair."""
    blocks = rows.blocks
    u = [places(block.user, found.users).astype(np.int32) for block in blocks]
    i = [np.searchsorted(found.items, block.item).astype(np.int32) for block in blocks]
    columns: dict[str, tuple[type, list[np.ndarray]]] = {
        "u": (np.int32, u),
        "i": (np.int32, i),
        "t": (np.int64, [block.t for block in blocks]),
        "slot": (np.uint8, [block.slot for block in blocks]),
    }
    engine.lend("coded", {name: np.concatenate([np.zeros(0, kind), *c]) for name, (kind, c) in columns.items()})
