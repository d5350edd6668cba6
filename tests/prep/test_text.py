"""Rows written by C against plain Python."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from dataset_prep.compiled import library
from dataset_prep.rows import WORD, Words, write_rows
from hypothesis import example, given
from hypothesis import strategies as st

from dataset_prep import rows

pytestmark = pytest.mark.skipif(library("rows.c") is None, reason="rows.c was not compiled: no C compiler")

WHOLE = st.integers(-(1 << 63), (1 << 63) - 1)
KNOWN = ["", "pv", "加购", "w" * (WORD - 1)]


@given(st.lists(st.tuples(WHOLE, st.integers(0, len(KNOWN) - 1), WHOLE), max_size=30), st.integers(1, 8))
@example([(-(1 << 63), 3, (1 << 63) - 1), (0, 0, -1), (10, 1, 9)], 1)
def test_every_number_and_word_as_python_writes_it(table: list[tuple[int, int, int]], at_once: int) -> None:
    a, chosen, b = (np.array([row[n] for row in table], dtype=np.int64) for n in range(3))
    columns = {"a:token": a, "word:token": Words(chosen.astype(np.int8), KNOWN), "加:float": b}
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows, "AT_ONCE", at_once)
        path = Path(folder) / "rows"
        write_rows(path, columns)
        written = path.read_text(encoding="utf-8")
    expected = ["a:token\tword:token\t加:float", *(f"{a}\t{KNOWN[w]}\t{b}" for a, w, b in table)]
    assert written == "".join(f"{line}\n" for line in expected)
