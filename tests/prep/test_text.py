"""Rows as text: by C and without a compiler, as Python writes them."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from dataset_prep.pairs.table import FIRST_WORD, Column
from dataset_prep.writing.text import write_table

WHOLE = st.integers(-(1 << 63), (1 << 63) - 1)
WORDS = ["", "pv", "加购", "w" * 300]
VALUES = st.integers(FIRST_WORD - len(WORDS) + 1, -1) | st.integers(0, (1 << 63) - 1)


def written(columns: dict[str, Column]) -> str:
    with tempfile.TemporaryDirectory() as folder:
        write_table(Path(folder) / "rows", columns)
        return (Path(folder) / "rows").read_text(encoding="utf-8")


@given(st.lists(st.tuples(WHOLE, VALUES, st.integers(0, 2)), max_size=30))
@example([(-(1 << 63), -1, 0), ((1 << 63) - 1, (1 << 63) - 1, 1), (0, FIRST_WORD - 3, 2), (-1, 0, 2), (10, 9, 0)])
def test_every_number_and_word_as_python_writes_it(table: list[tuple[int, int, int]]) -> None:
    a, value, code = (np.array([row[n] for row in table], dtype=np.int64) for n in range(3))
    ids = [7, -3, 1 << 40]
    columns = {"a:token": Column(a), "word:token": Column(value, WORDS), "加:float": Column(np.array(ids), None, code)}
    texts = [["" if v == -1 else str(v) if v >= 0 else WORDS[FIRST_WORD - v] for v in value.tolist()]]
    rows = zip(a.tolist(), texts[0], [ids[c] for c in code], strict=True)
    expected = ["a:token\tword:token\t加:float", *("\t".join(map(str, row)) for row in rows)]
    assert written(columns) == "".join(f"{line}\n" for line in expected)
    assert [column.texts() for column in columns.values()][1:2] == texts


def many_rows() -> dict[str, Column]:
    """More than are written at once, so several pieces are joined."""
    n = 150_001
    words = ["x" * (k % 40) for k in range(1_000)]
    return {"n": Column(np.arange(n)), "word": Column.of_words(words, np.arange(n) % 1_000)}


def test_pieces_are_written_in_their_order() -> None:
    assert written(many_rows()).splitlines()[1:] == [f"{n}\t{'x' * (n % 1_000 % 40)}" for n in range(150_001)]


def test_without_a_compiler_the_text_is_the_same(without_compiler: Path, tmp_path: Path) -> None:
    code = (
        "import numpy as np, sys\n"
        "from pathlib import Path\n"
        "from dataset_prep.machine import library\n"
        "from dataset_prep.pairs.table import Column\n"
        "from dataset_prep.writing.text import write_table\n"
        "assert library('writing/text.c') is None\n"
        "columns = {'a': Column(np.array([-1, 0, 9])), 'b': Column(np.array([-1, 5, -3]), ['加', '购']),\n"
        "           'c': Column.of_words(['x', 'y'], np.array([1, 1, 0]))}\n"
        "write_table(Path(sys.argv[1]), columns)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "rows")], cwd=without_compiler, env={}, check=True)
    assert (tmp_path / "rows").read_bytes() == "a\tb\tc\n-1\t\ty\n0\t5\ty\n9\t购\tx\n".encode()
