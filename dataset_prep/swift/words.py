"""Numbers, words and moments out of raw bytes: eight bytes at a time, for all lines of a block at once.

A field is an array of first positions and an array of positions after its last byte. Every function returns
(values, ok); where ``ok`` is False the value means nothing, and the careful reader must look at the line.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from dataset_prep.times import BEIJING_OFFSET, TimeFormat

Ints = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]

WIDTH = 8
MOST_DIGITS = 2 * WIDTH
ZEROS = int.from_bytes(b"0" * WIDTH, "little")
HIGH_BITS = 0x8080808080808080
# A digit plus this stays below 0x80; anything larger reaches it.
TO_HIGH_BIT = 0x7676767676767676
JOINS = ((10, 8, 0x00FF00FF00FF00FF), (100, 16, 0x0000FFFF0000FFFF), (10_000, 32, 0xFFFFFFFF))
# The least number of so many digits, and a number above all for none: 0 is the only one that begins with 0.
LEAST = np.array([1 << 62, 0, *(10**n for n in range(1, MOST_DIGITS))], dtype=np.int64)
FIRST_YEAR, YEARS = 1900, 200


def words_of(padded: npt.NDArray[np.uint8]) -> Words:
    """``words_of(b)[p]`` is b[p : p + 8], its first byte the lowest; a view, unaligned."""
    return np.ndarray((len(padded) - WIDTH + 1,), "<u8", padded, 0, (1,))


def _eight(words: Words, end: Ints, length: Ints) -> tuple[Ints, Flags]:
    """The number in the last *length* (0 to 8) bytes before *end*."""
    shift = ((WIDTH - length) * 8).view(np.uint64)
    x = words[end - WIDTH] ^ np.uint64(ZEROS)
    np.right_shift(x, shift, out=x)
    np.left_shift(x, shift, out=x)
    ok = (((x + TO_HIGH_BIT) | x) & HIGH_BITS) == 0
    # Neighbours join: digits to numbers below 100, these to numbers below 10,000, these to the whole.
    for base, bits, mask in JOINS:
        higher = x >> np.uint64(bits)
        np.multiply(x, np.uint64(base), out=x)
        np.add(x, higher, out=x)
        np.bitwise_and(x, np.uint64(mask), out=x)
    return x.view(np.int64), ok


def numbers(words: Words, start: Ints, end: Ints) -> tuple[Ints, Flags]:
    """Whole numbers as an integer would be written: no sign, no leading zero, at most 16 digits."""
    length = end - start
    longest = int(length.max(initial=0))
    near = length if longest <= WIDTH else np.minimum(length, WIDTH)
    value, ok = _eight(words, end, near)
    if longest > WIDTH:
        far, also = _eight(words, end - WIDTH, np.clip(length - WIDTH, 0, WIDTH))
        value = value + far * 10**WIDTH
        ok &= also
    if longest > MOST_DIGITS:
        ok &= length <= MOST_DIGITS
        length = np.minimum(length, MOST_DIGITS)
    ok &= value >= LEAST[length]
    return value, ok


def ranks(words: Words, start: Ints, end: Ints, known: Sequence[bytes]) -> tuple[npt.NDArray[np.int8], Flags]:
    """Which of the *known* words (of at most eight bytes) a field is."""
    length = end - start
    # Shifted to the top, words of different length differ: none holds a NUL.
    field = words[start] << ((WIDTH - np.clip(length, 0, WIDTH)) * 8).view(np.uint64)
    rank = np.full(len(field), -1, dtype=np.int8)
    for n, word in enumerate(known):
        rank[field == int.from_bytes(word, "little") << (WIDTH - len(word)) * 8] = n
    return rank, (rank >= 0) & (length <= WIDTH)


@dataclass(frozen=True)
class Clock:
    """Reads moments of one fixed-width form; ``windows``: eight bytes each, from which offset, what must stand there.

    window: (offset, mask of the bytes it covers, the text with zeros for digits, mask of the digits).
    parts: what is read (YY of 20YY and so on) -> (window, byte in it).
    """

    width: int
    windows: tuple[tuple[int, int, int, int], ...]
    parts: dict[str, tuple[int, int]]
    year: int | None

    def moments(self, words: Words, start: Ints, end: Ints) -> tuple[Ints, Flags]:
        """Unix seconds; *ok* only for moments that exist."""
        ok = (end - start) == self.width
        tens = []
        for offset, mask, text, digits in self.windows:
            x = words[start + offset]
            x &= mask
            x ^= text
            ok &= (x & ~np.uint64(digits)) == 0
            ok &= (((x + TO_HIGH_BIT) | x) & HIGH_BITS & digits) == 0
            tens.append(x * 10 + (x >> 8))

        def two(part: str) -> Ints:
            window, byte = self.parts[part]
            return ((tens[window] >> 8 * byte) & 0xFF).view(np.int64)

        year = two("C") * 100 + two("Y") - FIRST_YEAR if self.year is None else self.year - FIRST_YEAR
        month, day = two("m"), two("d")
        ok &= (month <= 12) & (day <= 31)
        if self.year is None:
            ok &= (year >= 0) & (year < YEARS)
        place = (year * 13 + month) * 32 + day
        days = _days()[np.where(ok, place, 0)]
        ok &= days != NO_DAY
        seconds = days.astype(np.int64) * 86_400 - BEIJING_OFFSET
        for part, unit, below in (("H", 3_600, 24), ("M", 60, 60), ("S", 1, 60)):
            if part in self.parts:
                value = two(part)
                ok &= value < below
                seconds += value * unit
        return seconds, ok


NO_DAY = np.iinfo(np.int32).min


@cache
def _days() -> npt.NDArray[np.int32]:
    """Days since 1970, at (year - 1900) * 13 * 32 + month * 32 + day; NO_DAY where there is no such day."""
    table = np.full((YEARS, 13, 32), NO_DAY, dtype=np.int32)
    first, last = np.datetime64(f"{FIRST_YEAR}-01-01"), np.datetime64(f"{FIRST_YEAR + YEARS}-01-01")
    every = np.arange(first, last)
    months = every.astype("datetime64[M]")
    year, month = every.astype("datetime64[Y]").astype(int) + 1970, months.astype(int) % 12 + 1
    table[year - FIRST_YEAR, month, (every - months).astype(int) + 1] = every.astype(np.int32)
    return table.ravel()


def clock(time: TimeFormat) -> Clock | None:
    """None for Unix seconds, which are numbers."""
    if time.strptime is None:
        return None
    text = ""
    parts: dict[str, int] = {}
    for piece in re.findall("%.|.", time.strptime):
        if piece == "%Y" and time.prefix:
            continue
        if piece == "%Y":
            parts |= {"C": len(text), "Y": len(text) + 2}
            text += "0000"
        elif piece.startswith("%"):
            parts[piece[1]] = len(text)
            text += "00"
        else:
            text += piece
    offsets = [*range(0, max(len(text) - WIDTH, 0), WIDTH - 2), max(len(text) - WIDTH, 0)]
    windows = tuple(_window(text, offset) for offset in offsets)
    where = {
        part: next((n, at - offset) for n, offset in enumerate(offsets) if offset <= at and at + 2 <= offset + WIDTH)
        for part, at in parts.items()
    }
    return Clock(len(text), windows, where, int(time.prefix) if time.prefix else None)


def _window(text: str, offset: int) -> tuple[int, int, int, int]:
    there = text[offset : offset + WIDTH].encode()
    mask = int.from_bytes(b"\xff" * len(there), "little")
    digits = int.from_bytes(bytes(0xFF * (byte == ord("0")) for byte in there), "little")
    return offset, mask, int.from_bytes(there, "little"), digits
