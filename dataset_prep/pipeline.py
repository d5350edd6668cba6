"""The conversion as a short list of SQL steps that every engine runs.

events   one row of the log each: user_id, item_id, item_category (and other item features), t, slot
users    user_id and its code u; codes follow the order of the ids
items    item_id, its code i and its features
pairs    distinct (u, i): mask of slots, n rows to keep, first = when and how it began

``slot`` tells what a row is: b (the behaviour's rank in its source), b + 8 when its item is in the subset (or no
subset was given), 16 when it is outside the dates. ``mask`` has bit 1 << slot for every slot a pair occurs in, so
every choice of behaviours and subset can be weighed afterwards without reading the log again.

``first`` packs the earliest moment and, of several in that moment, the strongest behaviour into one number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dataset_prep.engines.base import Engine
from dataset_prep.inputs import Part
from dataset_prep.sources.base import BEHAVIOR, CATEGORY, ITEM, TIME, USER, Source
from dataset_prep.times import FORMATS

INSIDE = 8
UNDATED = 16
# Moments before 1970 occur in the logs; shifted they pack into positive numbers.
SHIFT = 1 << 40
# What pandas, and so RecBole, reads as a missing value.
MISSING = (
    *("#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN"),
    *("<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"),
)


@dataclass(frozen=True)
class Reading:
    """How to turn raw columns into events: what is an id, which rows are inside."""

    source: Source
    integers: bool
    level: str = "item"
    subset: bool = False
    since: int | None = None
    until: int | None = None


def id_sql(column: str, integers: bool) -> str:
    """The id, or NULL for one that cannot be kept exactly."""
    if integers:
        number = f"TRY_CAST({column} AS BIGINT)"
        return f"CASE WHEN CAST({number} AS STRING) = {column} AND {number} >= 0 THEN {number} END"
    words = ", ".join(f"'{word}'" for word in MISSING)
    return f"CASE WHEN trim({column}) = {column} AND {column} NOT IN ({words}) THEN {column} END"


def order_sql(column: str, integers: bool) -> str:
    """Ids in the order of their length, then their characters: for whole numbers that is their numeric order."""
    return column if integers else f"length({column}), {column}"


def events_sql(engine: Engine, parts: Sequence[Part], reading: Reading) -> str:
    source = reading.source
    features = [c for c in source.item_features if c in source.columns]
    needed = [c for c in source.columns if c in (USER, ITEM, BEHAVIOR, TIME) or c in features]
    raw = engine.raw(parts, source.columns, needed)
    rank = " ".join(f"WHEN '{b.value}' THEN {n}" for n, b in enumerate(source.behaviors))
    b = f"CASE {BEHAVIOR} {rank} END" if BEHAVIOR in source.columns else "0"
    t = engine.epoch(TIME, FORMATS[source.time]) if TIME in source.columns else "0"
    ids = f"{id_sql(USER, reading.integers)} AS user_id, {id_sql(ITEM, reading.integers)} AS item_id"
    parsed = f"SELECT {ids}, {t} AS t, {b} AS b{''.join(', ' + f for f in features)} FROM {raw} AS raw"
    inside = f"{INSIDE}"
    if reading.subset:
        parsed = f"SELECT e.*, s.item_id AS wanted FROM ({parsed}) AS e LEFT JOIN subset AS s ON e.item_id = s.item_id"
        inside = f"CASE WHEN wanted IS NULL THEN 0 ELSE {INSIDE} END"
    bounds = [f"t < {reading.since}"] if reading.since is not None else []
    bounds += [f"t > {reading.until}"] if reading.until is not None else []
    slot = f"b + {inside}"
    if bounds:
        slot = f"CASE WHEN {' OR '.join(bounds)} THEN {UNDATED} ELSE {slot} END"
    item = "item_id"
    if reading.level == "category":
        item, features = id_sql(CATEGORY, reading.integers), []
    columns = ["user_id", f"{item} AS item_id", "t", f"CAST({slot} AS TINYINT) AS slot"]
    columns += [f"{f}" for f in features]
    return f"SELECT {', '.join(columns)} FROM ({parsed}) AS parsed"


BAD_EVENTS = (
    "SELECT count(*), sum(CASE WHEN user_id IS NULL OR item_id IS NULL OR t IS NULL OR slot IS NULL THEN 1 ELSE 0 END) "
    "FROM events"
)

TALLY = "SELECT slot, count(*) FROM events GROUP BY slot"


def users_sql(integers: bool) -> str:
    code = f"CAST(row_number() OVER (ORDER BY {order_sql('user_id', integers)}) - 1 AS INTEGER)"
    return f"SELECT user_id, {code} AS u FROM (SELECT DISTINCT user_id FROM events) AS d"


def items_sql(integers: bool, features: Sequence[str]) -> str:
    """Where an item carries several values of a feature, the smallest one counts: a fixed, if arbitrary, choice."""
    code = f"CAST(row_number() OVER (ORDER BY {order_sql('item_id', integers)}) - 1 AS INTEGER)"
    least = "".join(f", min({f}) AS {f}" for f in features)
    named = "".join(f", {f}" for f in features)
    return f"SELECT item_id, {code} AS i{named} FROM (SELECT item_id{least} FROM events GROUP BY item_id) AS d"


def kept_slots(ranks: Sequence[int]) -> str:
    return ", ".join(str(rank + INSIDE) for rank in ranks)


def first_sql(ranks: Sequence[int]) -> str:
    """min over kept rows of (moment, strongest behaviour first); ranks are below 8, so 4 bits are plenty."""
    return f"min(CASE WHEN slot IN ({kept_slots(ranks)}) THEN (t + {SHIFT}) * 16 + ({INSIDE + 7} - slot) END)"


def pairs_sql(ranks: Sequence[int]) -> str:
    n = f"CAST(sum(CASE WHEN slot IN ({kept_slots(ranks)}) THEN 1 ELSE 0 END) AS INTEGER)"
    mask = "bit_or(CAST(1 AS INTEGER) << CAST(slot AS INTEGER))"
    grouped = (
        f"SELECT user_id, item_id, {mask} AS mask, {n} AS n, {first_sql(ranks)} AS first "
        "FROM events GROUP BY user_id, item_id"
    )
    return (
        f"SELECT u, i, mask, n, first FROM ({grouped}) AS g "
        "JOIN users ON users.user_id = g.user_id JOIN items ON items.item_id = g.item_id"
    )


def moment_sql(first: str) -> str:
    return f"CAST(floor({first} / 16) AS BIGINT) - {SHIFT}"


def rank_sql(first: str) -> str:
    return f"(7 - ({first} % 16))"


def kept_sql(ranks: Sequence[int], protocol: str) -> str:
    """What goes into .inter: u, i, t and b (the behaviour's rank), of the users and items that survived."""
    survivors = "JOIN keep_users USING (u) JOIN keep_items USING (i)"
    if protocol == "novel":
        return f"SELECT u, i, {moment_sql('first')} AS t, {rank_sql('first')} AS b FROM pairs {survivors} WHERE n > 0"
    return (
        f"SELECT u, i, t, slot - {INSIDE} AS b FROM events JOIN users USING (user_id) JOIN items USING (item_id) "
        f"{survivors} WHERE slot IN ({kept_slots(ranks)})"
    )


def inter_sql(source: Source, where: str = "") -> str:
    """.inter, ordered by user, then time: RecBole's sort is stable, so moments it rounds together stay in order."""
    value = " ".join(f"WHEN {n} THEN '{b.value}'" for n, b in enumerate(source.behaviors))
    columns = ['user_id AS "user_id:token"', 'item_id AS "item_id:token"', 't AS "timestamp:float"']
    if source.behaviors:
        columns.append(f'CASE b {value} END AS "behavior_type:token"')
    return (
        f"SELECT {', '.join(columns)} FROM kept JOIN users USING (u) JOIN items USING (i) {where} ORDER BY u, t, i, b"
    )


def item_sql(features: Sequence[str]) -> str:
    named = "".join(f', {f} AS "{f}:token"' for f in features)
    return f'SELECT item_id AS "item_id:token"{named} FROM items JOIN keep_items USING (i) ORDER BY i'
