"""Columns as a file of tab-separated text: by text.c, or by Python where no compiler was present at installation."""

from __future__ import annotations

import ctypes
from collections import deque
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np

from dataset_prep.machine import address, library
from dataset_prep.pairs.sorting import WORKERS
from dataset_prep.pairs.table import FIRST_WORD, Column

ROWS_AT_ONCE = 1 << 16
"""Rows whose text fits into the processor's cache until it is written."""
NUMBER = 20
"""Bytes of the longest number."""


class _Column(ctypes.Structure):
    _fields_ = tuple((name, ctypes.c_void_p) for name in ("values", "codes", "words", "ends"))


def write_table(path: Path, columns: Mapping[str, Column]) -> None:
    """A line of names, then the rows in their order: tab-separated, LF, nothing quoted."""
    functions = library("writing/text.c")
    if functions is None:
        texts = [column.texts() for column in columns.values()]
        rows_of_text = ("\t".join(row) for row in [tuple(columns), *zip(*texts, strict=True)])
        path.write_bytes("".join(f"{row}\n" for row in rows_of_text).encode())
        return
    functions.write_rows.restype = ctypes.c_int64
    used = [_Used(column) for column in columns.values()]
    described = (_Column * len(used))(*(column.described for column in used))
    rows = len(next(iter(columns.values())))

    def text(first: int) -> memoryview:
        last = min(first + ROWS_AT_ONCE, rows)
        buffer = np.empty(sum(column.most_bytes(first, last) for column in used), dtype=np.uint8)
        span = ctypes.c_int64(first), ctypes.c_int64(last)
        return buffer[: functions.write_rows(described, ctypes.c_int64(len(used)), *span, address(buffer))].data

    with path.open("wb") as file, ThreadPoolExecutor(WORKERS) as pool:
        file.write("\t".join(columns).encode() + b"\n")
        waiting: deque[Future[memoryview]] = deque()
        for first in range(0, rows, ROWS_AT_ONCE):
            waiting.append(pool.submit(text, first))
            if len(waiting) > WORKERS:
                file.write(waiting.popleft().result())
        for future in waiting:
            file.write(future.result())


class _Used:
    """A column in the form of text.c. It holds the arrays whose addresses ``described`` has."""

    def __init__(self, column: Column) -> None:
        self.values = np.ascontiguousarray(column.values, dtype=np.int64)
        self.codes = None if column.codes is None else np.ascontiguousarray(column.codes, dtype=np.int32)
        self.words = self.ends = self.lengths = None
        if column.words is not None:
            encoded = [word.encode() for word in column.words]
            self.words = np.frombuffer(b"".join(encoded) or b"\0", dtype=np.uint8)
            self.ends = np.cumsum([0, *map(len, encoded)], dtype=np.int64)
            self.lengths = np.diff(self.ends)
        arrays = (self.values, self.codes, self.words, self.ends)
        self.described = _Column(*(None if array is None else array.ctypes.data for array in arrays))

    def most_bytes(self, first: int, last: int) -> int:
        """Room for these rows, separators included."""
        room = (last - first) * (NUMBER + 1)
        if self.lengths is None or not len(self.lengths):
            return room
        values = self.values[first:last] if self.codes is None else self.values[self.codes[first:last]]
        return room + int(self.lengths[(FIRST_WORD - values)[values <= FIRST_WORD]].sum())
