"""Training, validation and test: cut the kept rows, count what training never saw, and drop it if so asked."""

from __future__ import annotations

import logging

from dataset_prep.core import Size
from dataset_prep.engines.base import Engine
from dataset_prep.filters import Weighed
from dataset_prep.funnel import Stage
from dataset_prep.guards import ThinDatasetError
from dataset_prep.splits import PARTS, cold_sql, counts_sql
from dataset_prep.times import day_of

log = logging.getLogger("dataset_prep")

COLD = "a user or item that training never saw"
COUNTED = ("rows", "pairs", "users", "items", "cold_rows", "cold_users", "cold_items")
PAIR = "CAST(u AS BIGINT) * 4294967296 + i"


def size_of(engine: Engine, table: str) -> tuple[int, Size]:
    """(rows, distinct pairs, users and items) of a table with u and i."""
    counted = f"count(*), count(DISTINCT {PAIR}), count(DISTINCT u), count(DISTINCT i)"
    rows, *size = engine.rows(f"SELECT {counted} FROM {table}")[0]
    return rows, Size(*size)


def part(weighed: Weighed) -> tuple[int, Size]:
    """Cut ``kept``, unless its rows have their part already; returns its rows and size.

    Raises ThinDatasetError where a part is empty: RecBole needs all three.
    """
    settings, engine = weighed.settings, weighed.engine
    assert settings.cut is not None
    engine.create("parted", settings.cut.sql("kept") if settings.core_on == "all" else "SELECT * FROM kept")
    engine.create("warmed", cold_sql("parted"))
    drop = settings.cold == "drop"
    engine.create("kept", f"SELECT * FROM warmed{' WHERE cold = 0' if drop else ''}")
    parts = weighed.facts.parts = _count(engine)
    for name, found in parts.items():
        line = f"{name}: {found['rows']:,} rows, {found['users']:,} users, {found['items']:,} items"
        if found["cold_rows"]:
            line += (
                f"; {found['cold_rows']:,} rows with {found['cold_users']:,} users, {found['cold_items']:,} items new "
                f"to training, {'dropped' if drop else 'kept'}"
            )
        log.info(line)
    rows, size = size_of(engine, "kept")
    if drop and any(found["cold_rows"] for found in parts.values()):
        weighed.add(Stage("known to training", rows, size, COLD))
    for name, found in parts.items():
        if not found["rows"]:
            first, last = engine.rows("SELECT min(t), max(t) FROM parted")[0]
            raise ThinDatasetError(
                f"--split {settings.cut}: the {name} part is empty, and RecBole needs all three. What is left runs "
                f"from {day_of(first)} to {day_of(last)}. Choose another --split"
                + (", or --cold keep." if found["cold_rows"] else "."),
                weighed.funnel,
            )
    return rows, size


def _count(engine: Engine) -> dict[str, dict[str, int]]:
    """For every part: what is kept, and how much of it was, or is, cold."""
    before = {number: counts for number, *counts in engine.rows(counts_sql("warmed"))}
    after = {number: counts for number, *counts in engine.rows(counts_sql("kept"))}
    none = [0] * len(COUNTED)
    parts = {}
    for number, name in enumerate(PARTS):
        kept = dict(zip(COUNTED, after.get(number, none), strict=True))
        cold = dict(zip(COUNTED, before.get(number, none), strict=True))
        parts[name] = kept | {key: n for key, n in cold.items() if key.startswith("cold")}
    return parts
