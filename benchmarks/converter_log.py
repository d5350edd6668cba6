"""A seeded log in the Tianchi format, of any length, with the real one's repeats, tail and column widths."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import duckdb
import numpy as np

ROWS_A_USER = 1_225
PAIRS_A_ROW = 0.38
CATEGORIES = 9_000
HOURS = 31 * 24
CHUNK = 12_250_000
BEHAVIORS = [0.939, 0.023, 0.028, 0.010]

ROW = """
SELECT u + 10000000 AS user_id, (i * 7 + 13) % 404562491 AS item_id, b AS behavior_type,
  CASE WHEN g < 30 THEN '9' || substr(md5(CAST(i AS VARCHAR)), 1, 6) ELSE '' END AS user_geohash,
  (i * 7919) % {categories} + 1 AS item_category,
  strftime(TIMESTAMP '2014-11-18' + to_hours(CAST(t AS INTEGER)), '%Y-%m-%d %H') AS time
FROM rows
"""


def _chunk(rng: np.random.Generator, rows: int, first_user: int, n_items: int) -> dict[str, np.ndarray]:
    """Pairs first, most of a user's items seen by nobody else, then repeats of them until there are enough rows."""
    n_users, n_pairs = max(rows // ROWS_A_USER, 1), int(rows * PAIRS_A_ROW)
    activity = rng.lognormal(0, 1, n_users)
    users = np.sort(rng.choice(n_users, n_pairs, p=activity / activity.sum())).astype(np.int32)
    popular = (n_items // 12 * rng.random(n_pairs) ** 3).astype(np.int64)
    rare = rng.integers(n_items // 12, n_items, n_pairs)
    items = np.where(rng.random(n_pairs) < 0.55, popular, rare)
    repeat = 1 + rng.multinomial(rows - n_pairs, np.full(n_pairs, 1 / n_pairs))
    pick = np.repeat(np.arange(n_pairs), repeat)
    # Two of three repeats fall into the same hour with the same behaviour: exact duplicates, as in the real log.
    again = np.concatenate([[False], pick[1:] == pick[:-1]]) & (rng.random(rows) < 0.6)
    hours = rng.integers(0, HOURS, rows, dtype=np.int16)
    kinds = rng.choice(np.arange(1, 5, dtype=np.int8), rows, p=BEHAVIORS)
    source = np.maximum.accumulate(np.where(again, 0, np.arange(rows)))
    return {
        "u": users[pick] + np.int32(first_user),
        "i": items[pick],
        "b": kinds[source],
        "t": hours[source],
        "g": rng.integers(0, 100, rows, dtype=np.int8)[source],
    }


def write_log(path: Path, rows: int, seed: int = 46) -> tuple[Path, Path]:
    """-> (log, item subset). Same rows and seed, same bytes."""
    rng = np.random.default_rng(seed)
    n_items = max(int(rows * 0.3), 100)
    path.unlink(missing_ok=True)
    done = 0
    while done < rows:
        size = min(CHUNK, rows - done)
        columns = _chunk(rng, size, done // ROWS_A_USER, n_items)
        part = path.with_suffix(".part")
        with duckdb.connect() as con:
            con.register("rows", columns)
            header = "true" if not done else "false"
            con.execute(
                f"COPY ({ROW.format(categories=CATEGORIES)}) TO '{part}' (FORMAT csv, HEADER {header}, QUOTE '')"
            )
        with path.open("ab") as whole, part.open("rb") as piece:
            shutil.copyfileobj(piece, whole, 1 << 24)
        part.unlink()
        done += size
    subset = path.with_suffix(".items.csv")
    wanted = rng.choice(n_items, n_items // 5, replace=False)
    with subset.open("w") as file:
        file.write("item_id,item_geohash,item_category\n")
        file.writelines(f"{(i * 7 + 13) % 404562491},,{(i * 7919) % CATEGORIES + 1}\n" for i in wanted.tolist())
    return path, subset


if __name__ == "__main__":
    write_log(Path(sys.argv[1]), int(sys.argv[2]))
