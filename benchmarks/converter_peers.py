"""The same conversion as people write it with other tools; each a process of its own, named on the command line.

python benchmarks/converter_peers.py PEER LOG ITEMS|- OUT_FOLDER BEHAVIORS [MEMORY_LIMIT]

All keep the behaviours and the items asked for, the first interaction of a pair (of one moment the strongest), the
(2, 2)-core to its fixed point, and write .inter and .item. None of the others checks the file for dirt, counts a
funnel, or writes a report; ours does.
"""

from __future__ import annotations

import sys
from pathlib import Path

MIN_USER = MIN_ITEM = 2
COLUMNS = ["user_id", "item_id", "behavior_type", "user_geohash", "item_category", "time"]
INTER = ["user_id:token", "item_id:token", "timestamp:float", "behavior_type:token"]
BEIJING = 8 * 3600


def pandas_plain(log: Path, items: Path | None, out: Path, behaviors: list[int]) -> None:
    """As in most notebooks: read everything, then one statement a step."""
    import pandas as pd

    df = pd.read_csv(log)
    df = df[df["behavior_type"].isin(behaviors)]
    if items:
        df = df[df["item_id"].isin(pd.read_csv(items)["item_id"])]
    df["timestamp"] = pd.to_datetime(df["time"], format="%Y-%m-%d %H").astype("int64") // 10**9 - BEIJING
    df = df.sort_values(["timestamp", "behavior_type"], ascending=[True, False])
    df = df.drop_duplicates(["user_id", "item_id"])
    while True:
        before = len(df)
        df = df[df.groupby("user_id")["item_id"].transform("size") >= MIN_USER]
        df = df[df.groupby("item_id")["user_id"].transform("size") >= MIN_ITEM]
        if len(df) == before:
            break
    df = df.sort_values(["user_id", "timestamp", "item_id"])
    inter = df[["user_id", "item_id", "timestamp", "behavior_type"]]
    inter.to_csv(out / "x.inter", sep="\t", index=False, header=INTER)
    item = df[["item_id", "item_category"]].drop_duplicates("item_id").sort_values("item_id")
    item.to_csv(out / "x.item", sep="\t", index=False, header=["item_id:token", "item_category:token"])


def pandas_tuned(log: Path, items: Path | None, out: Path, behaviors: list[int]) -> None:
    """Narrow types, only the columns needed, in pieces, categorical time, codes and bincount instead of groupby."""
    import numpy as np
    import pandas as pd

    kinds = {
        "user_id": "int64",
        "item_id": "int64",
        "behavior_type": "int8",
        "item_category": "int32",
        "time": "category",
    }
    wanted = pd.read_csv(items, usecols=["item_id"])["item_id"].unique() if items else None
    pieces = []
    for piece in pd.read_csv(log, usecols=list(kinds), dtype=kinds, chunksize=2_000_000):
        piece = piece[piece["behavior_type"].isin(behaviors)]
        if wanted is not None:
            piece = piece[piece["item_id"].isin(wanted)]
        moments = pd.to_datetime(piece["time"].cat.categories, format="%Y-%m-%d %H").astype("int64") // 10**9 - BEIJING
        piece = piece.assign(timestamp=moments.to_numpy()[piece["time"].cat.codes]).drop(columns="time")
        # Within a piece first: most repeats are neighbours.
        piece = piece.sort_values(["timestamp", "behavior_type"], ascending=[True, False])
        pieces.append(piece.drop_duplicates(["user_id", "item_id"]))
    df = pd.concat(pieces, ignore_index=True)
    del pieces
    df = df.sort_values(["timestamp", "behavior_type"], ascending=[True, False])
    df = df.drop_duplicates(["user_id", "item_id"])
    u, i = pd.factorize(df["user_id"])[0], pd.factorize(df["item_id"])[0]
    keep = np.arange(len(df))
    while True:
        good = (np.bincount(u[keep]) >= MIN_USER)[u[keep]] & (np.bincount(i[keep]) >= MIN_ITEM)[i[keep]]
        if good.all():
            break
        keep = keep[good]
    df = df.iloc[keep].sort_values(["user_id", "timestamp", "item_id"])
    inter = df[["user_id", "item_id", "timestamp", "behavior_type"]]
    inter.to_csv(out / "x.inter", sep="\t", index=False, header=INTER)
    item = df[["item_id", "item_category"]].drop_duplicates("item_id").sort_values("item_id")
    item.to_csv(out / "x.item", sep="\t", index=False, header=["item_id:token", "item_category:token"])


def polars_streaming(log: Path, items: Path | None, out: Path, behaviors: list[int]) -> None:
    import polars as pl

    # Thirty in a hundred places are text; none is read.
    kinds = {"user_id": pl.Int64, "item_id": pl.Int64, "behavior_type": pl.Int8, "item_category": pl.Int32}
    rows = pl.scan_csv(log, schema_overrides=kinds | {"user_geohash": pl.String, "time": pl.String})
    rows = rows.select("user_id", "item_id", "behavior_type", "item_category", "time")
    rows = rows.filter(pl.col("behavior_type").is_in(behaviors))
    if items:
        wanted = pl.scan_csv(items, schema_overrides={"item_geohash": pl.String}).select("item_id").unique()
        rows = rows.join(wanted, on="item_id", how="semi")
    # Polars wants minutes where there is an hour.
    moment = (pl.col("time") + ":00").str.to_datetime("%Y-%m-%d %H:%M").dt.epoch("s") - BEIJING
    # One number that sorts by moment, then strongest behaviour.
    packed = (moment.cast(pl.Int64) * 16 + 15 - pl.col("behavior_type").cast(pl.Int64)).alias("first")
    pairs = (
        rows.with_columns(packed)
        .group_by("user_id", "item_id")
        .agg(pl.col("first").min(), pl.col("item_category").min())
        .collect(engine="streaming")
    )
    while True:
        before = pairs.height
        users = pairs.group_by("user_id").len().filter(pl.col("len") >= MIN_USER)
        pairs = pairs.join(users, on="user_id", how="semi")
        few = pairs.group_by("item_id").len().filter(pl.col("len") >= MIN_ITEM)
        pairs = pairs.join(few, on="item_id", how="semi")
        if pairs.height == before:
            break
    pairs = pairs.with_columns((pl.col("first") // 16).alias("t"), (15 - pl.col("first") % 16).alias("b"))
    inter = pairs.sort("user_id", "t", "item_id").select("user_id", "item_id", "t", "b")
    inter.rename(dict(zip(inter.columns, INTER, strict=True))).write_csv(out / "x.inter", separator="\t")
    item = pairs.group_by("item_id").agg(pl.col("item_category").min()).sort("item_id")
    item.rename({"item_id": "item_id:token", "item_category": "item_category:token"}).write_csv(
        out / "x.item", separator="\t"
    )


def duckdb_alone(log: Path, items: Path | None, out: Path, behaviors: list[int]) -> None:
    """SQL throughout, the core as rounds of SQL."""
    import duckdb

    types = "{'user_id': 'BIGINT', 'item_id': 'BIGINT', 'behavior_type': 'TINYINT', 'user_geohash': 'VARCHAR', "
    types += "'item_category': 'INTEGER', 'time': 'TIMESTAMP'}"
    with duckdb.connect() as con:
        con.execute(f"SET temp_directory = '{out / 'spill'}'")
        con.execute("SET preserve_insertion_order = false")
        subset = f"AND item_id IN (SELECT item_id FROM read_csv('{items}'))" if items else ""
        con.execute(
            "CREATE TEMP TABLE pairs AS SELECT user_id, item_id, "
            "min((epoch(time)::BIGINT - 28800) * 16 + 15 - behavior_type) AS first, "
            f" min(item_category) AS item_category FROM read_csv('{log}', columns = {types}, header = true, "
            f"delim = ',', auto_detect = false, timestampformat = '%Y-%m-%d %H') "
            f"WHERE behavior_type IN ({', '.join(map(str, behaviors))}) {subset} GROUP BY user_id, item_id"
        )
        count = con.execute("SELECT count(*) FROM pairs").fetchall()[0][0]
        while True:
            for key, least in (("user_id", MIN_USER), ("item_id", MIN_ITEM)):
                con.execute(
                    f"CREATE OR REPLACE TEMP TABLE pairs AS SELECT * FROM pairs WHERE {key} IN "
                    f"(SELECT {key} FROM pairs GROUP BY {key} HAVING count(*) >= {least})"
                )
            before, count = count, con.execute("SELECT count(*) FROM pairs").fetchall()[0][0]
            if count == before:
                break
        tabs = r"(FORMAT csv, HEADER true, DELIMITER '\t')"
        con.execute(
            'COPY (SELECT user_id AS "user_id:token", item_id AS "item_id:token", first // 16 AS "timestamp:float", '
            f'15 - first % 16 AS "behavior_type:token" FROM pairs ORDER BY user_id, first // 16, item_id) '
            f"TO '{out / 'x.inter'}' {tabs}"
        )
        con.execute(
            'COPY (SELECT item_id AS "item_id:token", min(item_category) AS "item_category:token" FROM pairs '
            f"GROUP BY item_id ORDER BY item_id) TO '{out / 'x.item'}' {tabs}"
        )


def ours(log: Path, items: Path | None, out: Path, behaviors: list[int], memory_limit: str | None = None) -> None:
    """All of it: every byte and field checked, the funnel, the report, whole or absent."""
    from dataset_prep import convert

    chosen = ",".join(map(str, behaviors))
    convert(
        "mobile", log, output=out, name="x", items=items, behaviors=chosen, min_user=MIN_USER, min_item=MIN_ITEM,
        min_known=0, memory_limit=memory_limit,  # the shortest filtered log is too thin to hold out parts of
    )  # fmt: skip


PEERS = {f.__name__: f for f in (pandas_plain, pandas_tuned, polars_streaming, duckdb_alone, ours)}

if __name__ == "__main__":
    peer, log, items, out, behaviors, *limit = sys.argv[1:]
    subset = None if items == "-" else Path(items)
    PEERS[peer](Path(log), subset, Path(out), [int(b) for b in behaviors.split(",")], *limit)
