"""Numbers, words and moments out of raw bytes: eight bytes at a time, for all lines of a block at once.

Where ``ok`` is False a value means nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from dataset_prep.times import BEIJING_OFFSET, END_YEAR, FIRST_YEAR, TimeFormat

Ints = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]

WIDTH = 8
ONES = 0x0101010101010101
ZEROS = int.from_bytes(b"0" * WIDTH, "little")
HIGH_BITS = 0x8080808080808080
ALL = 0xFFFFFFFFFFFFFFFF
# A digit plus this stays below 0x80; anything larger reaches it.
TO_HIGH_BIT = 0x7676767676767676
SPACES, QUOTES, DELETES = (np.uint64(byte * ONES) for byte in (0x20, 0x22, 0x7F))
# (how many of the lower the higher is worth, how far apart they stand, where the results stand: the last is alone)
JOINS = ((10, 8, 0x00FF00FF00FF00FF), (100, 16, 0x0000FFFF0000FFFF), (10_000, 32, None))
POWERS = 10 ** np.arange(WIDTH + 1)
# The least number of so many digits, one above all for none: 0 is the only one that begins with 0.
LEAST = np.array([1 << 62, 0, *(10**n for n in range(1, WIDTH))], dtype=np.int64)
YEARS = END_YEAR - FIRST_YEAR


def words_of(buffer: npt.NDArray[np.uint8]) -> Words:
    """``words_of(b)[p]`` is b[p : p + 8], its first byte the lowest; a view, unaligned."""
    return np.ndarray((len(buffer) - WIDTH + 1,), "<u8", buffer, 0, (1,))


def repeated(byte: int) -> np.uint64:
    """A word of eight times the same byte."""
    return np.uint64(byte * ONES)


def _zeros(x: Words) -> Words:
    """The high bit of every byte that is 0; above the lowest such byte there may be others."""
    return np.bitwise_and((x - np.uint64(ONES)) & ~x, np.uint64(HIGH_BITS))


def ended(word: Words, pattern: np.uint64) -> tuple[Ints, Flags]:
    """(bytes before the first one of the pattern, at most 8; whether there is none)."""
    found = _zeros(word ^ pattern)
    open_ = found == 0
    # The bits up to the lowest one set; all of them, where none is.
    length = np.bitwise_count(found ^ (found - 1)) >> 3
    length -= ~open_
    return length.astype(np.int64), open_


def _own(word: Words, length: Ints) -> tuple[Words, Words]:
    """(the word's first *length* bytes moved to its end, the bits they were moved by)."""
    shift = ((WIDTH - length) << 3).view(np.uint64)
    return word << shift, shift


def number(word: Words, length: Ints, leading: bool = False) -> tuple[Ints, Flags]:
    """The whole number in the first *length* (0 to 8) bytes; *leading*: it may begin with 0."""
    x, _ = _own(word ^ np.uint64(ZEROS), length)
    ok = ((x + TO_HIGH_BIT) | x) & HIGH_BITS == 0
    # Neighbours join: digits to numbers below 100, these to numbers below 10,000, these to the whole.
    for base, bits, mask in JOINS:
        # (x * base << bits) + x, shifted back: x * base + (x >> bits).
        np.multiply(x, np.uint64((base << bits) + 1), out=x)
        np.right_shift(x, np.uint64(bits), out=x)
        if mask is not None:
            np.bitwise_and(x, np.uint64(mask), out=x)
    value = x.view(np.int64)
    if not leading:
        ok &= value >= LEAST[length]
    return value, ok


def rank_of(word: Words, length: Ints, known: Sequence[bytes]) -> npt.NDArray[np.int8]:
    """Which of the *known* words the first *length* bytes are; -1 for none."""
    own, _ = _own(word, length)
    rank = np.full(len(own), -1, dtype=np.int8)
    for n, text in enumerate(known):
        # Moved to the end, words of different length differ, for none holds a NUL; a field with one is no known word.
        rank[(own == int.from_bytes(text, "little") << (WIDTH - len(text)) * 8) & (length == len(text))] = n
    return rank


def is_plain(word: Words, length: Ints, pattern: np.uint64) -> Flags:
    """Whether the first *length* bytes are printable ASCII, no quote and none of the pattern."""
    own, shift = _own(word, length)
    # Spaces where there are no bytes.
    x = own | (SPACES & ((np.uint64(1) << shift) - 1))
    odd = (x - SPACES) & ~x | x | _zeros(x ^ QUOTES) | _zeros(x ^ DELETES) | _zeros(x ^ pattern)
    return odd & HIGH_BITS == 0


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

    def moments(self, words: Words, start: Ints) -> tuple[Ints, Flags]:
        """Unix seconds; *ok* only for moments that exist."""
        ok = np.ones(len(start), dtype=bool)
        tens = []
        for offset, mask, text, digits in self.windows:
            x = words[start + offset] if offset else words[start]
            x ^= np.uint64(text)
            if mask != ALL:
                x &= np.uint64(mask)
            # A digit may have the low bits that make it at most 9, any other byte none.
            ok &= ((x + (TO_HIGH_BIT & digits)) | x) & (HIGH_BITS & digits | ALL ^ digits) == 0
            higher = x >> np.uint64(8)
            x *= np.uint64(10)
            x += higher
            tens.append(x)

        def two(part: str) -> Ints:
            window, byte = self.parts[part]
            return ((tens[window] >> np.uint64(8 * byte)) & np.uint64(0xFF)).view(np.int64)

        if self.year is None:
            place = two("C") * 100
            place += two("Y")
            ok &= (place >= FIRST_YEAR) & (place < FIRST_YEAR + YEARS)
            place -= FIRST_YEAR
            place *= 100
        else:
            place = np.full(len(start), (self.year - FIRST_YEAR) * 100)
        place += two("m")
        place *= 100
        place += two("d")
        place[~ok] = 0
        days = _days()[place]
        ok &= days != NO_DAY
        seconds = days.astype(np.int64)
        seconds *= 86_400
        seconds -= BEIJING_OFFSET
        for part, unit, below in (("H", 3_600, 24), ("M", 60, 60), ("S", 1, 60)):
            if part in self.parts:
                value = two(part)
                ok &= value < below
                value *= unit
                seconds += value
        return seconds, ok


NO_DAY = np.iinfo(np.int32).min


@cache
def _days() -> npt.NDArray[np.int32]:
    """Days since 1970, at ((year - FIRST_YEAR) * 100 + month) * 100 + day; NO_DAY where there is no such day."""
    table = np.full((YEARS, 100, 100), NO_DAY, dtype=np.int32)
    every = np.arange(np.datetime64(f"{FIRST_YEAR}-01-01"), np.datetime64(f"{FIRST_YEAR + YEARS}-01-01"))
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
