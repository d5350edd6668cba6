"""The fast way of reading an atomic file against the slow one: same tokens, same floats, or it steps aside."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recbole_alibaba import reading
from recbole_alibaba.order import stable_order
from recbole_alibaba.reading import read_plain

COLUMNS = {"user_id": "token", "item_id": "token", "timestamp": "float"}
HEAD = "user_id:token\titem_id:token\ttimestamp:float"
PLAIN = ["7\t12\t1511544070", "100000007\t0\t5", "7\t-3\t12", "0\t12\t0"]


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sample, chunks and blocks so small that a few rows cross them."""
    monkeypatch.setattr(reading, "SAMPLE", 2)
    monkeypatch.setattr(reading, "CHUNK", 3)
    monkeypatch.setattr(reading, "BLOCK", 16)


def written(folder: Path, rows: list[str], end: str = "\n") -> str:
    file = folder / "log.inter"
    file.write_bytes((end.join([HEAD, *rows]) + end).encode())
    return str(file)


def plainly(path: str) -> pd.DataFrame:
    """As RecBole reads tokens, and as Python reads floats."""
    table = pd.read_csv(path, sep="\t", dtype=str, engine="python").set_axis(list(COLUMNS), axis=1)
    return table.assign(timestamp=[float(number) for number in table["timestamp"]])


def same(path: str) -> None:
    found, expected = read_plain(path, "\t", "utf-8", COLUMNS), plainly(path)
    for name, kind in COLUMNS.items():
        assert found[name].dtype == ("category" if kind == "token" else np.float64)
        one, other = (table[name].astype(object).where(table[name].notna(), None) for table in (found, expected))
        assert one.tolist() == other.tolist()


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("rows", [[*PLAIN * 2, "9\t9\t0.5"], [f"7\t{row}\t{row / 7!r}" for row in range(40)]])
def test_whole_numbers_are_read_as_such_with_the_same_outcome(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: list[str], end: str
) -> None:
    same(path := written(tmp_path, rows, end))
    monkeypatch.setitem(reading.TEXT_TYPE, "token", "the slow way was taken")
    assert len(read_plain(path, "\t", "utf-8", COLUMNS)) == len(rows)


@pytest.mark.parametrize(
    "odd",
    ["07\t1\t1", "7\t001\t1", "7\t-0\t1", "+7\t1\t1", " 7\t1\t1", "7\t1 \t1", '"07"\t1\t1', '"7"\t1\t1', "7\t\t1",
     "NaN\t1\t1", "7\t1.0\t1", "u7\t1\t1", "7\t9999999999999999999\t1", "7\t1\t", "7\t1\t0.1", "7\t1\t9007199254740993",
     "7\t1e3\t1", "True\t1\t1"],
)  # fmt: skip
@pytest.mark.parametrize("at", [0, 3, 8])
def test_what_is_no_plain_whole_number_is_kept_as_text(tmp_path: Path, odd: str, at: int) -> None:
    rows = PLAIN * 2
    same(written(tmp_path, [*rows[:at], odd, *rows[at:]]))


@pytest.mark.filterwarnings("error")
def test_text_after_many_numbers_is_found_without_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """pandas guesses a type for each 262,144 rows here, and warns where they differ, unless told not to."""
    monkeypatch.setattr(reading, "CHUNK", 1 << 19)
    path = written(tmp_path, [*PLAIN * 80_000, "u7\t1\t1"])
    assert read_plain(path, "\t", "utf-8", COLUMNS)["user_id"].iloc[-1] == "u7"


@pytest.mark.parametrize("zero", range(20))
def test_a_leading_zero_is_found_wherever_the_blocks_are_cut(zero: int) -> None:
    text = b"1" * zero + b"\t05\t1\n" + b"1" * 20
    assert any(reading._leading_zero(text[at : at + 18], "\t") for at in range(0, len(text), 16))
    harmless = text.replace(b"\t05", b"\t0\n")
    assert not any(reading._leading_zero(harmless[at : at + 18], "\t") for at in range(0, len(text), 16))


@given(st.lists(st.integers(-3, 3) | st.integers(-(2**62), 2**62), max_size=30), st.booleans())
def test_the_stable_order_is_numpys(keys: list[int], wide: bool) -> None:
    array = np.array(keys, np.int64) if wide else np.array([key % 7 for key in keys], np.int32)
    assert stable_order(array).tolist() == np.argsort(array, kind="stable").tolist()


@given(st.lists(st.floats(width=32) | st.sampled_from([0.0, -0.0, 1.5, -1.5]), max_size=30))
def test_the_stable_order_of_floats_is_numpys(keys: list[float]) -> None:
    array = np.array(keys, np.float32)
    assert stable_order(array).tolist() == np.argsort(array, kind="stable").tolist()
