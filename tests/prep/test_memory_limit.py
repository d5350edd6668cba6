"""Rows that do not fit into the memory limit, or into 63 bits, go through the database: the files are the same."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prep_data import ANY, columns, files

from dataset_prep import UsageError, convert
from dataset_prep.pairs.rows import BYTES_A_ROW, LogRows, RowBlock
from dataset_prep.pairs.sorting import distinct_pairs
from dataset_prep.pairs.table import INSIDE
from dataset_prep.reading.fields import compiled

pytestmark = pytest.mark.skipif(compiled() is None, reason="no C compiler was present at installation")
TMALL = "user_id,item_id,cat_id,seller_id,brand_id,time_stamp,action_type\n"


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Tmall log of 1.2 million rows, most of them repeats. Items have several sellers, brands in words or none."""
    rng = random.Random(4)
    path = tmp_path_factory.mktemp("memory") / "log.csv"
    rows = []
    for _ in range(75_000):
        u, i = rng.randrange(2_000), rng.randrange(3_000)
        brand = rng.choice(["", "5", "10", "Zara"]) if i % 3 == 0 and u % 99 == 0 else i % 7
        rows.append(f"{u},{i},{i % 50},{(u + i) % 9},{brand},{rng.randrange(8, 12):02}11,{rng.randrange(4)}\n")
    path.write_text(TMALL + "".join(rows) * 16)
    return path


@pytest.mark.parametrize(
    "options",
    [
        {"protocol": "repeat"},
        {"behaviors": "0,1,2,3", "since": "2014-09-01", "split": "ratio 8,1,1", "core_on": "train", "cold": "keep"},
    ],
    ids=["repeat", "novel"],
)
def test_rows_beyond_the_limit_go_into_the_database(options: dict[str, Any], log: Path, tmp_path: Path) -> None:
    """The rows need 36 MB: they overflow once, and the last ones follow."""
    small, large = (
        convert("tmall", log, output=tmp_path / limit, name="x", memory_limit=limit, reader="compiled", **options)
        for limit in ("34MB", "4GB")
    )
    assert small.rows > 50_000
    assert files(small.path) == files(large.path)


@given(st.lists(st.lists(st.tuples(st.integers(0, 3), st.integers(-2, 3)), max_size=9), max_size=5), st.integers(0, 9))
def test_features_stay_when_rows_overflow(blocks: list[list[tuple[int, int]]], room: int) -> None:
    gone: list[int] = []
    rows = LogRows(room * BYTES_A_ROW, lambda block: gone.extend(block.item.tolist()))
    for known in blocks:
        item, code = (np.array([row[side] for row in known], dtype=np.int64) for side in (0, 1))
        days = {(7, 2): len(known)} if known else {}
        inside = np.full(len(known), INSIDE + 2, dtype=np.uint8)
        rows.add(RowBlock(len(known), days, item, item, item, inside, [distinct_pairs(item, code)]))
        assert rows.held <= room
    every = [row for known in blocks for row in known]
    assert rows.overflowed == (len(every) > room)
    counts = rows.counts()
    assert (counts.events, counts.rows([INSIDE + 2]), dict(counts.dated)) == (
        len(every), len(every), {2: len(every)} if every else {}
    )  # fmt: skip
    if every:
        assert counts.days == {2: {"1970-01-08": len(every)}}
        feature = rows.of_feature(0)
        assert list(zip(*(side.tolist() for side in feature), strict=True)) == sorted(set(every))
    rows.flush()
    assert rows.overflowed and gone == [i for i, _ in every] and not rows.blocks


@pytest.mark.parametrize("protocol", ["novel", "repeat"])
@pytest.mark.parametrize("reader", ["compiled", "engine"])
def test_ids_and_times_too_wide_for_a_key(protocol: str, reader: str, tmp_path: Path) -> None:
    """16 digits and 140 years, few users or more of them than a key's ranges; against plain Python."""
    for users in (3, 600):
        rows = [
            (9 * 10**15 + u * 7919, 10**15 + (u * i) % 50 * 10**13, -(10**9) * (i % 3) + u * 31 + i, i % 4)
            for u in range(users)
            for i in range(1, 12)
        ]
        rows = [(u, i, abs(t) if t < 0 else t, k) for u, i, t, k in rows]
        kinds = ("pv", "fav", "cart", "buy")
        log = tmp_path / f"{users}.csv"
        log.write_text("".join(f"{u},{i},{i % 7},{kinds[k]},{t}\n" for u, i, t, k in rows))
        options: dict[str, Any] = ANY | {"since": "", "until": "", "protocol": protocol, "reader": reader}
        made = convert("userbehavior", log, output=tmp_path / str(users), name="x", **options)
        expected = sorted((u, t, i, k) for u, i, t, k in rows)
        if protocol == "novel":
            first: dict[tuple[int, int], tuple[int, int, int, int]] = {}
            for row in sorted(expected, key=lambda row: (row[1], -row[3])):
                first.setdefault((row[0], row[2]), row)
            expected = sorted(first.values())
        written = [(int(u), int(t), int(i), kinds.index(kind)) for u, i, t, kind in columns(made.path / "x.inter")]
        assert written == expected


def test_too_little_for_duckdb_is_a_sentence(tmp_path: Path, sample: tuple[Path, Path]) -> None:
    with pytest.raises(UsageError, match="--memory-limit: 1KB is too little"):
        convert("mobile", sample[0], output=tmp_path, name="x", reader="engine", memory_limit="1KB")
