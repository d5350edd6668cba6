"""The fields of all lines of a block as columns, read by fields.c. Not available without a compiler at installation."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dataset_prep.files.streams import Block
from dataset_prep.machine import address, library
from dataset_prep.sources.part import LONGEST_LINE
from dataset_prep.sources.times import TimeFormat

WIDTH = 8
"""Bytes of the longest word."""
MOST_ODD = 1 << 16
"""Odd lines of a block. Where there are more, another reader is faster."""


class GiveUpError(Exception):
    """The compiled reader cannot read this log; the message says why."""


@dataclass(frozen=True)
class Field:
    """One field of every line; see ``struct column`` in fields.c."""

    kind: int
    n: int = 0
    century: int = 0
    year: int = 0
    text: bytes = b""


SKIP = Field(0)
NUMBER = Field(1)
"""A whole number of at most 16 digits, without leading zeros."""
OPTIONAL = Field(2)
"""A number, or nothing: -1."""
WORD = 3
SECONDS = Field(5)
"""Unix seconds from 1970 on."""
PARTS = {"%Y": (0, 1), "%m": (2,), "%d": (3,), "%H": (4,), "%M": (5,), "%S": (6,)}
"""Directive -> the two-digit parts it stands for."""
LITERAL = 7


def word(known: Sequence[bytes]) -> Field:
    """One of these words, each of at most ``WIDTH`` bytes; the value is its position."""
    text = (bytes([len(w)]) + w.ljust(WIDTH, b"\0") + (b"\xff" * len(w)).ljust(WIDTH, b"\0") for w in known)
    return Field(WORD, len(known), text=b"".join(text))


def time_field(time: TimeFormat) -> Field:
    """A timestamp in this format, as Unix seconds."""
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
    return library("reading/fields.c")


@dataclass(frozen=True)
class Lines:
    """values: a column for each field, empty where it was skipped. count: all lines. odd: (number, text) of the others.

    Lines are numbered from 0.
    """

    values: list[np.ndarray]
    count: int
    odd: list[tuple[int, bytes]]


def read_lines(block: Block, delimiter: str, fields: Sequence[Field]) -> Lines:
    """The lines of a block. A line that is not exactly as expected is odd. Raises GiveUpError: too many are odd."""
    functions = compiled()
    assert functions is not None
    buffer = np.frombuffer(block.text, dtype=np.uint8)
    # In the shortest good line each field has a delimiter or the line end, and most have at least one byte.
    least = len(fields) + sum(field not in (SKIP, OPTIONAL) for field in fields)
    most = block.size // least + 1
    kinds = (np.int8 if field.kind == WORD else np.int64 for field in fields)
    values = [np.empty(0 if field == SKIP else most, kind) for field, kind in zip(fields, kinds, strict=True)]
    columns = (_Column * len(fields))(
        *(_Column(f.kind, f.n, f.century, f.year, f.text, v.ctypes.data) for f, v in zip(fields, values, strict=True))
    )
    odd, counts = np.empty((MOST_ODD, 3), dtype=np.int64), np.empty(3, dtype=np.int64)
    size, byte, longest, n_fields, most_odd = map(
        ctypes.c_int64, (block.size, ord(delimiter), LONGEST_LINE, len(fields), MOST_ODD)
    )
    if functions.read_lines(
        address(buffer), size, byte, longest, columns, n_fields, address(odd), most_odd, address(counts)
    ):
        raise GiveUpError(f"more than {MOST_ODD:,} odd lines in a block")
    rows, count, n_odd = counts.tolist()
    texts = [(n, block.text[a:b].removesuffix(b"\r")) for n, a, b in odd[:n_odd].tolist()]
    return Lines([column[:rows] for column in values], count, texts)
