"""Reading an atomic file by integers against reading it as text: the same tokens and the same floats."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recbole_alibaba.data.atomic.atomic_file import read_atomic_file

COLUMNS = {"user_id": "token", "item_id": "token", "timestamp": "float"}
HEAD = "user_id:token\titem_id:token\ttimestamp:float"
PLAIN = ["7\t12\t1511544070", "100000007\t0\t5", "7\t-3\t12", "0\t12\t0"]


def read(path: str, chunk_rows: int = 3) -> pd.DataFrame:
    """With a sample, chunks and blocks so small that a few rows cross them."""
    return read_atomic_file(path, "\t", "utf-8", COLUMNS, sample_rows=2, chunk_rows=chunk_rows, block_bytes=16)


def as_integers(table: pd.DataFrame) -> bool:
    """Whether the ids were parsed as integers: then their categories are in the order of the file, else sorted."""
    return list(table["user_id"].cat.categories) == list(dict.fromkeys(table["user_id"]))


def written(folder: Path, rows: list[str], end: str = "\n") -> str:
    file = folder / "log.inter"
    file.write_bytes((end.join([HEAD, *rows]) + end).encode())
    return str(file)


def plainly(path: str) -> pd.DataFrame:
    """As RecBole reads tokens, and as Python reads floats."""
    table = pd.read_csv(path, sep="\t", dtype=str, engine="python").set_axis(list(COLUMNS), axis=1)
    return table.assign(timestamp=[float(number) for number in table["timestamp"]])


def same(path: str) -> None:
    found, expected = read(path), plainly(path)
    for name, kind in COLUMNS.items():
        assert found[name].dtype == ("category" if kind == "token" else np.float64)
        one, other = (table[name].astype(object).where(table[name].notna(), None) for table in (found, expected))
        assert one.tolist() == other.tolist()


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("rows", [[*PLAIN * 2, "9\t9\t0.5"], [f"{9 - n % 4}\t{n}\t{n / 7!r}" for n in range(40)]])
def test_integer_ids_are_parsed_as_integers_with_the_same_result(tmp_path: Path, rows: list[str], end: str) -> None:
    same(path := written(tmp_path, rows, end))
    assert as_integers(read(path)) and len(read(path)) == len(rows)


@pytest.mark.parametrize(
    "odd",
    ["07\t1\t1", "7\t001\t1", "7\t-0\t1", "+7\t1\t1", " 7\t1\t1", "7\t1 \t1", '"07"\t1\t1', '"7"\t1\t1', "7\t\t1",
     "NaN\t1\t1", "7\t1.0\t1", "u7\t1\t1", "7\t9999999999999999999\t1", "7\t1\t", "7\t1\t0.1", "7\t1\t9007199254740993",
     "7\t1e3\t1", "True\t1\t1"],
)  # fmt: skip
@pytest.mark.parametrize("at", [0, 3, 8])
def test_ids_that_are_not_plain_integers_are_kept_as_text(tmp_path: Path, odd: str, at: int) -> None:
    rows = PLAIN * 2
    same(written(tmp_path, [*rows[:at], odd, *rows[at:]]))


@pytest.mark.filterwarnings("error")
def test_text_after_many_numbers_is_found_without_a_warning(tmp_path: Path) -> None:
    """With `low_memory` pandas guesses a type for each 262,144 rows, and warns where the types differ."""
    path = written(tmp_path, [*PLAIN * 80_000, "u7\t1\t1"])
    assert read(path, chunk_rows=1 << 19)["user_id"].iloc[-1] == "u7"


@pytest.mark.parametrize("digits", range(1, 19))
def test_a_leading_zero_is_found_wherever_the_blocks_are_cut(tmp_path: Path, digits: int) -> None:
    rows = [f"9\t{'1' * digits}\t1", "8\t1\t1"]
    assert as_integers(read(written(tmp_path, rows)))
    table = read(written(tmp_path, [*rows, "8\t05\t1"]))
    assert not as_integers(table) and table["item_id"].iloc[-1] == "05"
