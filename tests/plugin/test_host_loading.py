"""RecBole's tables by the parser in C: the same as by the one in Python, which RecBole asks for."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import recbole_alibaba  # noqa: F401  (makes RecBole importable)
from recbole_alibaba.host.loading import read_csv

from recbole.data.dataset import dataset as host  # isort: skip

FIELDS = st.text(st.sampled_from("a0 1.5e-+\\\"'\r\0,;#é\x1c\u2028nN"), max_size=6)
COLUMNS = ["user_id:token", "item_id:token", "rating:float"]
OPTIONS = {
    "delimiter": "\t",
    "usecols": COLUMNS,
    "dtype": {"user_id:token": str, "item_id:token": str, "rating:float": np.float64},
    "encoding": "utf-8",
    "engine": "python",
}


def result(read, path, options):
    """The table, or the kind of the refusal."""
    try:
        return read(path, **options)
    except Exception as error:
        return type(error)


def same(path, options):
    ours, theirs = result(read_csv, path, options), result(pd.read_csv, path, options)
    if isinstance(theirs, type):
        assert ours is theirs
    else:
        pd.testing.assert_frame_equal(ours, theirs, check_exact=True)


@given(st.lists(st.lists(FIELDS, max_size=5), max_size=6))
def test_any_text_is_read_as_by_the_parser_in_python(tmp_path_factory, rows):
    file = tmp_path_factory.getbasetemp() / "any.inter"
    file.write_bytes("\n".join("\t".join(row) for row in [COLUMNS, *rows]).encode())
    same(file, OPTIONS)


@pytest.mark.parametrize(
    "rows",
    [
        "1\t2\t3.0\t4\n5\t6\t7.0\t8",
        "1\t2\t3\n5\t6\t7\t8",
        "\x1c\n1\t2\t3",
        "1\t2\t3\n\u2028\n",
        "a\0b\t1\t2",
        '"a"b\t1\t2',
        "\r\t",
    ],
    ids=[
        "every row longer",
        "one row longer",
        "blank in front",
        "blank at the end",
        "a byte of 0",
        "a quote inside",
        "a carriage return",
    ],
)
def test_where_the_parsers_differ_the_one_in_python_counts(tmp_path: Path, rows: str) -> None:
    file = tmp_path / "odd.inter"
    file.write_bytes(("\t".join(COLUMNS) + "\n" + rows).encode())
    same(file, OPTIONS)


@pytest.mark.parametrize("rows", ["1\n\n2", "1\n \n2", "1\n2\n\n\n", "\n1", "1\n2", "\x1c\n1", "1\n\u2028\n2"])
def test_a_table_of_one_column(tmp_path: Path, rows: str) -> None:
    """A blank line may be a blank field."""
    file = tmp_path / "one.inter"
    file.write_text(f"user_id:token\n{rows}\n", encoding="utf-8")
    same(file, OPTIONS | {"usecols": COLUMNS[:1], "dtype": {"user_id:token": str}})


@given(st.lists(st.tuples(st.integers(), st.floats(allow_nan=True)), max_size=8))
def test_every_number_keeps_its_last_digit(tmp_path_factory, rows):
    file = tmp_path_factory.getbasetemp() / "numbers.inter"
    lines = [f"{number}\t{number}\t{value!r}" for number, value in rows]
    file.write_text("\n".join(["\t".join(COLUMNS), *lines]) + "\n")
    same(file, OPTIONS)


def test_recbole_reads_by_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, asked, read = tmp_path / "x.inter", [], pd.read_csv

    def spy(path, **options):
        asked.append(options["engine"])
        return read(path, **options)

    monkeypatch.setattr(pd, "read_csv", spy)
    for line, separator in (("1\t2\t3.0", "\t"), ('"1"\t2\t3.0', "\t"), ("1::2::3.0", "::")):
        file.write_text(f"{separator.join(COLUMNS)}\n{line}\n")
        assert host.pd.read_csv(str(file), **OPTIONS | {"delimiter": separator}).to_numpy().tolist() == [
            ["1", "2", 3.0]
        ]
    assert asked == ["c", "python", "python"] and host.pd.DataFrame is pd.DataFrame
