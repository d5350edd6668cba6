"""The SQL that both engines run: from the fields of the log to its distinct pairs, which become arrays.

events   one row of the log each: user_id, item_id, t, row_class and the item features
users    user_id and its code u; codes follow the order of the ids
items    item_id, its code i and its features
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from dataset_prep.engines.base import Engine
from dataset_prep.pairs.table import BLANK, INSIDE, SHIFT, UNDATED, CodedRows, Column, Counts, Pairs, Table, classes_of
from dataset_prep.settings import Settings
from dataset_prep.sources.base import BEHAVIOR, CATEGORY, ITEM, MISSING, TIME, USER
from dataset_prep.sources.part import Part
from dataset_prep.sources.times import BEIJING_OFFSET, DAY, EARLIEST, LATEST, SECONDS_DIGITS, day_of

BAD_EVENTS = (
    "SELECT count(*), sum(CASE WHEN user_id IS NULL OR item_id IS NULL OR t IS NULL OR row_class IS NULL "
    "THEN 1 ELSE 0 END) FROM events"
)


PAIR_TYPES = {"u": np.int32, "i": np.int32, "mask": np.int32, "n": np.int32, "first": np.int64}


def id_sql(column: str, integers: bool) -> str:
    """The id; NULL where it cannot be kept exactly."""
    if integers:
        number = f"TRY_CAST({column} AS BIGINT)"
        return f"CASE WHEN CAST({number} AS STRING) = {column} AND {number} >= 0 THEN {number} END"
    words = ", ".join(f"'{word}'" for word in MISSING)
    return f"CASE WHEN trim({column}) = {column} AND {column} NOT IN ({words}) THEN {column} END"


def seconds_sql(column: str) -> str:
    """Unix seconds as the grammar takes them; else NULL."""
    number, most = f"TRY_CAST({column} AS BIGINT)", 10**SECONDS_DIGITS - 1
    exact = f"CAST({number} AS STRING) = {column}"
    return f"CASE WHEN {exact} AND {number} BETWEEN -{most} AND {most} THEN {number} END"


def events_sql(engine: Engine, parts: Sequence[Part], settings: Settings, integers: bool) -> str:
    """Where there is an item subset, the table ``subset`` must hold its item_id."""
    source = settings.source
    features = [c for c in source.item_features if c in source.columns]
    needed = [c for c in source.columns if c in (USER, ITEM, BEHAVIOR, TIME) or c in features]
    raw = engine.raw(parts, needed)
    rank = " ".join(f"WHEN '{b.value}' THEN {n}" for n, b in enumerate(source.behaviors))
    b = f"CASE {BEHAVIOR} {rank} END" if BEHAVIOR in source.columns else "0"
    t = engine.epoch(TIME, settings.time_format) if source.timed else "0"
    if source.timed and settings.time_format.strptime is not None:
        t = f"CASE WHEN {t} >= {EARLIEST} AND {t} < {LATEST} THEN {t} END"
    user = id_sql(USER, integers)
    if source.headers and not integers:
        # A header between the rows is for the careful reader.
        names = ", ".join("'" + name.replace("'", "''") + "'" for name in source.headers)
        user = f"CASE WHEN lower({USER}) NOT IN ({names}) THEN {user} END"
    ids = f"{user} AS user_id, {id_sql(ITEM, integers)} AS item_id"
    parsed = f"SELECT {ids}, {t} AS t, {b} AS b{''.join(', ' + f for f in features)} FROM {raw} AS raw"
    inside = f"{INSIDE}"
    if settings.items:
        # IN lets the engine hash the subset; an outer join may hash the log instead.
        parsed = f"SELECT e.*, e.item_id IN (SELECT item_id FROM subset) AS wanted FROM ({parsed}) AS e"
        inside = f"CASE WHEN wanted THEN {INSIDE} ELSE 0 END"
    since, until = settings.bounds
    bounds = [f"t < {since}"] if since is not None else []
    bounds += [f"t > {until}"] if until is not None else []
    row_class = f"b + {inside}"
    if bounds:
        # An unknown behaviour is bad, whether inside the dates or not.
        row_class = f"CASE WHEN b IS NULL THEN NULL WHEN {' OR '.join(bounds)} THEN {UNDATED} ELSE {row_class} END"
    item = "item_id"
    if settings.level == "category":
        # A row without a good item is bad, even where only its category counts.
        item, features = f"CASE WHEN item_id IS NOT NULL THEN {id_sql(CATEGORY, integers)} END", []
    columns = ["user_id", f"{item} AS item_id", "t", f"CAST({row_class} AS TINYINT) AS row_class", *features]
    return f"SELECT {', '.join(columns)} FROM ({parsed}) AS parsed"


def carried_classes(settings: Settings, whole: bool) -> Sequence[int]:
    """The row classes that are read into pairs; rows of the others are counted only."""
    return range(UNDATED + 1) if whole else classes_of(settings.ranks, False)


MOST_ROWS = 1 << 25
"""Rows that are kept only for the times of other choices of behaviours. Beyond, the first time of the pair serves."""


def needs_rows(settings: Settings, whole: bool, rows: int) -> bool:
    """Whether repeats of a pair matter; else the pairs are enough."""
    return settings.protocol != "novel" or (whole and rows <= MOST_ROWS)


def table_of(engine: Engine, settings: Settings, integers: bool, features: Sequence[str], whole: bool) -> Table:
    """The table ``events`` as arrays."""
    classes = carried_classes(settings, whole)
    carried = f"(SELECT * FROM events WHERE row_class IN ({_listed(classes)})) AS e"
    engine.create("users", f"SELECT user_id, {_code('user_id', integers)} AS u FROM {_distinct('user_id', carried)}")
    # Of several values of a feature the smallest counts.
    least = "".join(f", min({f}) AS {f}" for f in features)
    engine.create(
        "items",
        f"SELECT item_id, {_code('item_id', integers)} AS i{''.join(', ' + f for f in features)} "
        f"FROM {_distinct('item_id', carried, least)}",
    )
    pairs = engine.arrays(_pairs_sql(classes_of(settings.ranks, True), carried))
    users = engine.arrays("SELECT user_id FROM users ORDER BY u")["user_id"]
    items = engine.arrays(f"SELECT item_id{''.join(', ' + f for f in features)} FROM items ORDER BY i")
    counts = _counts(engine, classes)
    return Table(
        counts,
        Pairs(
            _ids(users, integers),
            _ids(items["item_id"], integers),
            *(pairs[name].astype(kind) for name, kind in PAIR_TYPES.items()),
        ),
        {feature: _feature(items[feature]) for feature in features},
        _rows(engine, carried) if needs_rows(settings, whole, sum(counts.carried.values())) else None,
    )


def _listed(classes: Sequence[int]) -> str:
    return ", ".join(map(str, classes))


def _code(column: str, integers: bool) -> str:
    """Codes in the order of the ids: by length, then characters. For whole numbers that is their numeric order."""
    order = column if integers else f"length({column}), {column}"
    return f"CAST(row_number() OVER (ORDER BY {order}) - 1 AS INTEGER)"


def _distinct(column: str, carried: str, least: str = "") -> str:
    return f"(SELECT {column}{least} FROM {carried} GROUP BY {column}) AS d"


def _pairs_sql(kept: Sequence[int], carried: str) -> str:
    is_kept = f"row_class IN ({_listed(kept)})"
    n = f"CAST(sum(CASE WHEN {is_kept} THEN 1 ELSE 0 END) AS INTEGER)"
    mask = "bit_or(CAST(1 AS INTEGER) << CAST(row_class AS INTEGER))"
    first = f"coalesce(min(CASE WHEN {is_kept} THEN (t + {SHIFT}) * 16 + ({INSIDE + 7} - row_class) END), 0)"
    grouped = (
        f"SELECT user_id, item_id, {mask} AS mask, {n} AS n, {first} AS first FROM {carried} GROUP BY user_id, item_id"
    )
    return f"SELECT u, i, mask, n, first FROM ({grouped}) AS g {_JOINED.format('g')} ORDER BY u, i"


_JOINED = "JOIN users ON users.user_id = {0}.user_id JOIN items ON items.item_id = {0}.item_id"


def _rows(engine: Engine, carried: str) -> CodedRows:
    found = engine.arrays(f"SELECT u, i, t, row_class FROM {carried} {_JOINED.format('e')}")
    kinds = {"u": np.int32, "i": np.int32, "t": np.int64, "row_class": np.uint8}
    return CodedRows(**{name: found[name].astype(kind) for name, kind in kinds.items()})


def _counts(engine: Engine, classes: Sequence[int]) -> Counts:
    tally: dict[int, int] = dict(engine.rows("SELECT row_class, count(*) FROM events GROUP BY row_class"))
    dated = Counter[int]()
    for row_class, rows in tally.items():
        if row_class != UNDATED:
            dated[row_class % INSIDE] += rows
    day = f"CAST(floor((t + {BEIJING_OFFSET}) / {DAY}) AS BIGINT)"
    days: dict[int, dict[str, int]] = {}
    for number, row_class, rows in engine.rows(
        f"SELECT {day} AS day, row_class, count(*) FROM events WHERE row_class <> {UNDATED} "
        f"GROUP BY {day}, row_class ORDER BY day, row_class"
    ):
        of_rank = days.setdefault(row_class % INSIDE, {})
        text = day_of(number * DAY - BEIJING_OFFSET)
        of_rank[text] = of_rank.get(text, 0) + rows
    return Counts(sum(tally.values()), dated, days, {c: tally.get(c, 0) for c in classes})


def _ids(values: np.ndarray, integers: bool) -> Column:
    return Column(values.astype(np.int64)) if integers else Column.of_words(values.tolist())


def _feature(values: np.ndarray) -> Column:
    """Texts, None for a blank."""
    texts = ["" if value is None or value != value else value for value in values.tolist()]
    column = Column.of_words(texts)
    blank = np.array([not text for text in texts], dtype=bool)
    return Column(np.where(blank, BLANK, column.values), texts)
