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
from dataset_prep.times import EARLIEST, FORMATS, LATEST

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
    if TIME in source.columns and FORMATS[source.time].strptime is not None:
        t = f"CASE WHEN {t} >= {EARLIEST} AND {t} < {LATEST} THEN {t} END"
    ids = f"{id_sql(USER, reading.integers)} AS user_id, {id_sql(ITEM, reading.integers)} AS item_id"
    parsed = f"SELECT {ids}, {t} AS t, {b} AS b{''.join(', ' + f for f in features)} FROM {raw} AS raw"
    inside = f"{INSIDE}"
    if reading.subset:
        # IN makes the engine hash the subset; an outer join may hash the log instead.
        parsed = f"SELECT e.*, e.item_id IN (SELECT item_id FROM subset) AS wanted FROM ({parsed}) AS e"
        inside = f"CASE WHEN wanted THEN {INSIDE} ELSE 0 END"
    bounds = [f"t < {reading.since}"] if reading.since is not None else []
    bounds += [f"t > {reading.until}"] if reading.until is not None else []
    slot = f"b + {inside}"
    if bounds:
        # An unknown behaviour is none at any time.
        slot = f"CASE WHEN b IS NULL THEN NULL WHEN {' OR '.join(bounds)} THEN {UNDATED} ELSE {slot} END"
    item = "item_id"
    if reading.level == "category":
        # What is no item makes a row bad even where only its category counts.
        item, features = f"CASE WHEN item_id IS NOT NULL THEN {id_sql(CATEGORY, reading.integers)} END", []
    columns = ["user_id", f"{item} AS item_id", "t", f"CAST({slot} AS TINYINT) AS slot"]
    columns += [f"{f}" for f in features]
    return f"SELECT {', '.join(columns)} FROM ({parsed}) AS parsed"


BAD_EVENTS = (
    "SELECT count(*), sum(CASE WHEN user_id IS NULL OR item_id IS NULL OR t IS NULL OR slot IS NULL THEN 1 ELSE 0 END) "
    "FROM events"
)

CODED = (
    "(SELECT u, i, t, slot FROM events JOIN users ON users.user_id = events.user_id "
    "JOIN items ON items.item_id = events.item_id) AS coded"
)
"""A FROM item: the events by codes; those of users and items that are not carried are not among them."""

TALLY = "SELECT slot, count(*) FROM events GROUP BY slot"


def carried(slots: Sequence[int]) -> str:
    """A FROM item: the events of these slots."""
    return f"(SELECT * FROM events WHERE slot IN ({', '.join(map(str, slots))})) AS e"


def users_sql(integers: bool, slots: Sequence[int]) -> str:
    code = f"CAST(row_number() OVER (ORDER BY {order_sql('user_id', integers)}) - 1 AS INTEGER)"
    return f"SELECT user_id, {code} AS u FROM (SELECT DISTINCT user_id FROM {carried(slots)}) AS d"


def items_sql(integers: bool, features: Sequence[str], slots: Sequence[int]) -> str:
    """Where an item carries several values of a feature, the smallest one counts: a fixed, if arbitrary, choice."""
    code = f"CAST(row_number() OVER (ORDER BY {order_sql('item_id', integers)}) - 1 AS INTEGER)"
    least = "".join(f", min({f}) AS {f}" for f in features)
    named = "".join(f", {f}" for f in features)
    distinct = f"SELECT item_id{least} FROM {carried(slots)} GROUP BY item_id"
    return f"SELECT item_id, {code} AS i{named} FROM ({distinct}) AS d"


def kept_slots(ranks: Sequence[int]) -> str:
    return ", ".join(str(rank + INSIDE) for rank in ranks)


def first_sql(ranks: Sequence[int]) -> str:
    """min over kept rows of (moment, strongest behaviour first); ranks are below 8, so 4 bits are plenty."""
    return f"min(CASE WHEN slot IN ({kept_slots(ranks)}) THEN (t + {SHIFT}) * 16 + ({INSIDE + 7} - slot) END)"


def pairs_sql(ranks: Sequence[int], slots: Sequence[int]) -> str:
    n = f"CAST(sum(CASE WHEN slot IN ({kept_slots(ranks)}) THEN 1 ELSE 0 END) AS INTEGER)"
    mask = "bit_or(CAST(1 AS INTEGER) << CAST(slot AS INTEGER))"
    grouped = (
        f"SELECT user_id, item_id, {mask} AS mask, {n} AS n, {first_sql(ranks)} AS first "
        f"FROM {carried(slots)} GROUP BY user_id, item_id"
    )
    return (
        f"SELECT u, i, mask, n, first FROM ({grouped}) AS g "
        "JOIN users ON users.user_id = g.user_id JOIN items ON items.item_id = g.item_id"
    )


def moment_sql(first: str) -> str:
    return f"CAST(floor({first} / 16) AS BIGINT) - {SHIFT}"


def rank_sql(first: str) -> str:
    return f"(7 - ({first} % 16))"


def rows_sql(ranks: Sequence[int], protocol: str, coded: str) -> str:
    """The rows the filters leave: u, i, t and b (the behaviour's rank); under novel the first of each pair."""
    if protocol == "novel":
        return f"SELECT u, i, {moment_sql('first')} AS t, {rank_sql('first')} AS b FROM pairs WHERE n > 0"
    return slots_sql([rank + INSIDE for rank in ranks], coded)


def slots_sql(slots: Sequence[int], coded: str) -> str:
    """Every row of these slots, repeats and all."""
    return f"SELECT u, i, t, slot % {INSIDE} AS b FROM {coded} WHERE slot IN ({', '.join(map(str, slots))})"


def first_of_sql(slots: Sequence[int], coded: str) -> str:
    """The first moment of every pair within these slots; for weighing another choice than the one asked for."""
    return f"SELECT u, i, min(t) AS t, 0 AS b FROM ({slots_sql(slots, coded)}) AS r GROUP BY u, i"


def core_sql(rows: str, where: str = "") -> str:
    """The rows whose user and item survived the core."""
    return (
        f"SELECT r.* FROM ({rows}) AS r JOIN keep_users ON keep_users.u = r.u JOIN keep_items ON keep_items.i = r.i"
        + (f" WHERE {where}" if where else "")
    )


def inter_columns(source: Source) -> dict[str, str]:
    """The columns of .inter, and which of the rows that are kept each is; b is a behaviour's rank."""
    columns = {"user_id:token": "user_id", "item_id:token": "item_id"}
    if TIME in source.columns:
        columns["timestamp:float"] = "t"
    if BEHAVIOR in source.columns:
        columns["behavior_type:token"] = "b"
    return columns


def inter_sql(source: Source, where: str = "") -> str:
    """.inter, ordered by user, then time: RecBole's sort is stable, so moments it rounds together stay in order."""
    values = " ".join(f"WHEN {n} THEN '{b.value}'" for n, b in enumerate(source.behaviors))
    told = {"b": f"CASE b {values} END"}
    columns = [f'{told.get(column, column)} AS "{name}"' for name, column in inter_columns(source).items()]
    return (
        f"SELECT {', '.join(columns)} FROM kept JOIN users ON users.u = kept.u JOIN items ON items.i = kept.i {where} "
        "ORDER BY kept.u, t, kept.i, b"
    )


def item_sql(features: Sequence[str], geohash: bool = False, kept: str = "kept") -> str:
    """.item, of the items that are in any part; *kept*: a table of them, repeats and all."""
    columns = ['items.item_id AS "item_id:token"', *(f'{f} AS "{f}:token"' for f in features)]
    if geohash:
        columns.append('places.geohash AS "item_geohash:token"')
    places = "LEFT JOIN places ON places.item_id = items.item_id " if geohash else ""
    return f"SELECT {', '.join(columns)} FROM items {places}WHERE items.i IN (SELECT i FROM {kept}) ORDER BY items.i"


def user_sql() -> str:
    """.user, of the users that are in any part; those the file does not know get the words it has for unknown."""
    return (
        'SELECT users.user_id AS "user_id:token", coalesce(age_range, \'0\') AS "age_range:token", '
        "coalesce(gender, '2') AS \"gender:token\" FROM users LEFT JOIN people ON people.user_id = users.user_id "
        "WHERE users.u IN (SELECT u FROM kept) ORDER BY users.u"
    )
