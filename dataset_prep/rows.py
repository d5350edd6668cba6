"""A table in memory as a file of tab-separated text, by rows.c: DuckDB takes three times as long to write numbers."""

from __future__ import annotations

import ctypes
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dataset_prep.compiled import at, library
from dataset_prep.order import WORKERS

WORD = 32
"""Bytes of a word in the table of words, its length among them; no number is longer. See rows.c."""
AT_ONCE = 1 << 16
"""Rows whose text stays in the processor's cache until it is written."""


class Words(NamedTuple):
    """A column of words of fewer than ``WORD`` bytes, by their numbers."""

    chosen: npt.NDArray[np.int8]
    known: Sequence[str]


class _Column(ctypes.Structure):
    _fields_ = (("numbers", ctypes.c_void_p), ("chosen", ctypes.c_void_p), ("words", ctypes.c_void_p))


def can_write() -> bool:
    return library("rows.c") is not None


def write_rows(path: Path, columns: Mapping[str, npt.NDArray[np.int64] | Words]) -> None:
    """A line of the columns' names, then the rows, in their order. Needs the compiled writer."""
    held: list[np.ndarray] = []
    told = (_Column * len(columns))(*(_column(column, held) for column in columns.values()))
    rows = len(held[0])

    functions = library("rows.c")
    assert functions is not None
    functions.write_rows.restype = ctypes.c_int64

    def text(first: int) -> memoryview:
        last = min(first + AT_ONCE, rows)
        made = np.empty((last - first) * len(columns) * WORD, dtype=np.uint8)
        span = ctypes.c_int64(first), ctypes.c_int64(last)
        return made[: functions.write_rows(told, ctypes.c_int64(len(columns)), *span, at(made))].data

    with path.open("wb") as file, ThreadPoolExecutor(WORKERS) as pool:
        file.write("\t".join(columns).encode() + b"\n")
        waiting: deque[Future[memoryview]] = deque()
        for first in range(0, rows, AT_ONCE):
            waiting.append(pool.submit(text, first))
            if len(waiting) > WORKERS:
                file.write(waiting.popleft().result())
        for future in waiting:
            file.write(future.result())


def _column(column: npt.NDArray[np.int64] | Words, held: list[np.ndarray]) -> _Column:
    """As C sees it; the arrays must be held as long as that is in use."""
    if isinstance(column, Words):
        held.append(np.ascontiguousarray(column.chosen, dtype=np.int8))
        words = b"".join(bytes([len(word)]) + word.ljust(WORD - 1, b"\0") for word in map(str.encode, column.known))
        held.append(np.frombuffer(words, dtype=np.uint8))
        return _Column(None, held[-2].ctypes.data, held[-1].ctypes.data)
    held.append(np.ascontiguousarray(column, dtype=np.int64))
    return _Column(held[-1].ctypes.data, None, None)
