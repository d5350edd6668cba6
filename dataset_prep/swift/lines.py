"""The fields of all lines of a block as columns, read by lines.c; without a compiler at installation there is none."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dataset_prep.compiled import at, library
from dataset_prep.inputs import LONGEST_LINE
from dataset_prep.times import TimeFormat

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Bytes = npt.NDArray[np.uint8]
LF = 10
WIDTH = 8
"""Bytes of the longest word."""
ROOM = 32
"""Bytes behind a block that are read as well."""
BLANK = -1
"""An optional number that is not there."""
MOST_ODD = 1 << 16
"""Of a block; where there are more, another reader is faster."""


class GiveUpError(Exception):
    """Not for the swift reader: odd ids, too many odd lines, or more rows than fit into memory."""


@dataclass(frozen=True)
class Field:
    """One field of every line; see ``struct column`` in lines.c."""

    kind: int
    n: int = 0
    century: int = 0
    year: int = 0
    text: bytes = b""


SKIP = Field(0)
NUMBER = Field(1)
"""A whole number as an integer is written, at most 16 digits."""
OPTIONAL = Field(2)
"""A number, or nothing: ``BLANK``."""
WORD = 3
SECONDS = Field(5)
"""Unix seconds from 1970 on."""
PARTS = {"%Y": (0, 1), "%m": (2,), "%d": (3,), "%H": (4,), "%M": (5,), "%S": (6,)}
"""Pairs of digits of each directive."""
LITERAL = 7


def word(known: Sequence[bytes]) -> Field:
    """Which of these words, of at most ``WIDTH`` bytes, it is."""
    text = (bytes([len(w)]) + w.ljust(WIDTH, b"\0") + (b"\xff" * len(w)).ljust(WIDTH, b"\0") for w in known)
    return Field(WORD, len(known), text=b"".join(text))


def moment(time: TimeFormat) -> Field:
    """A moment in this form, as Unix seconds."""
    if time.strptime is None:
        return SECONDS
    form = time.strptime.removeprefix("%Y") if time.prefix else time.strptime
    pieces: list[tuple[int, int]] = []
    for piece in re.findall("%.|.", form):
        pieces += [(part, 0) for part in PARTS[piece]] if piece in PARTS else [(LITERAL, ord(piece))]
    century, year = divmod(int(time.prefix or 0), 100)
    return Field(4, len(pieces), century, year, bytes(byte for piece in pieces for byte in piece))


class _Column(ctypes.Structure):
    _fields_ = (
        ("kind", ctypes.c_int64),
        ("n", ctypes.c_int64),
        ("century", ctypes.c_int64),
        ("year", ctypes.c_int64),
        ("text", ctypes.c_char_p),
        ("values", ctypes.c_void_p),
    )


def compiled() -> ctypes.CDLL | None:
    return library("swift/lines.c")


@dataclass(frozen=True)
class Lines:
    """values: of each field a column, an empty one where it was skipped; count: of all lines; odd: (number, text)."""

    values: list[np.ndarray]
    count: int
    odd: list[tuple[int, bytes]]


def read_lines(buffer: Bytes, span: range, delimiter: str, fields: Sequence[Field]) -> Lines:
    """The lines of ``buffer[span]``, each with its line feed, numbered from 0. Raises GiveUpError: too many are odd.

    buffer: with ``ROOM`` bytes behind the span.
    """
    functions = compiled()
    assert functions is not None and len(buffer) >= span.stop + ROOM
    # The shortest line that can be read: behind every field a delimiter or the line end, most fields of one byte.
    least = len(fields) + sum(field not in (SKIP, OPTIONAL) for field in fields)
    most = len(span) // least + 1
    kinds = (np.int8 if field.kind == WORD else np.int64 for field in fields)
    values = [np.empty(0 if field == SKIP else most, kind) for field, kind in zip(fields, kinds, strict=True)]
    columns = (_Column * len(fields))(
        *(_Column(f.kind, f.n, f.century, f.year, f.text, v.ctypes.data) for f, v in zip(fields, values, strict=True))
    )
    odd, told = np.empty((MOST_ODD, 3), dtype=np.int64), np.empty(3, dtype=np.int64)
    begin, end, byte, longest, n_fields, most_odd = map(
        ctypes.c_int64, (span.start, span.stop, ord(delimiter), LONGEST_LINE, len(fields), MOST_ODD)
    )
    if functions.read_lines(at(buffer), begin, end, byte, longest, columns, n_fields, at(odd), most_odd, at(told)):
        raise GiveUpError(f"more than {MOST_ODD:,} odd lines in a block")
    rows, count, n_odd = told.tolist()
    texts = [(n, buffer[a:b].tobytes().removesuffix(b"\r")) for n, a, b in odd[:n_odd].tolist()]
    return Lines([column[:rows] for column in values], count, texts)
