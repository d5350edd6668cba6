"""Where the fields of a block's lines are, and which of its lines are not for the swift reader."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dataset_prep.scan import LONGEST_LINE
from dataset_prep.swift.words import WIDTH, Flags, Ints, Words, words_of

Bytes = npt.NDArray[np.uint8]
LF, CR, TAB, QUOTE, DELETE = 10, 13, 9, 34, 127
# Nothing a field of 16 digits looks at lies outside the buffer.
PAD = 2 * WIDTH


@dataclass(frozen=True)
class Lines:
    """A block cut into fields.

    starts, ends: one array a column, over the lines that have the right number of fields and no odd byte.
    odd: numbers, from 0, of the other lines; begin, finish: where every line is, its line feed not included.
    """

    padded: Bytes
    words: Words
    starts: list[Ints]
    ends: list[Ints]
    numbers: Ints
    odd: Ints
    begin: Ints
    finish: Ints

    def text(self, line: int) -> bytes:
        """A line without its line end."""
        return self.padded[self.begin[line] : self.finish[line]].tobytes().removesuffix(b"\r")


def pad(block: bytes) -> Bytes:
    padded = np.zeros(len(block) + 2 * PAD, dtype=np.uint8)
    padded[PAD : PAD + len(block)] = np.frombuffer(block, dtype=np.uint8)
    return padded


def cut(block: bytes, delimiter: str, columns: int) -> Lines:
    """Cut a block of whole lines, every one with its line feed."""
    padded = pad(block)
    inner = padded[PAD : PAD + len(block)]
    borders = np.flatnonzero((inner == LF) | (inner == ord(delimiter)))
    borders += PAD
    finish = borders[columns - 1 :: columns]
    feeds = int(np.count_nonzero(inner == LF))
    regular = feeds * columns == len(borders) and bool((padded[finish] == LF).all())
    if not regular:
        finish = borders[padded[borders] == LF]
    begin = np.concatenate([[PAD], finish + 1])[:-1]
    good = finish - begin <= LONGEST_LINE
    if not regular:
        last = np.searchsorted(borders, finish)
        good &= np.diff(last, prepend=-1) == columns
    _exclude_odd_bytes(padded, inner, finish, delimiter, good)
    if good.all():
        ends = [borders[n::columns] for n in range(columns)]
        numbers, first = np.arange(len(finish)), begin
    else:
        numbers = np.flatnonzero(good)
        # By its last field; the others stand before it.
        at = np.searchsorted(borders, finish[numbers])
        ends = [borders[at - (columns - 1 - n)] for n in range(columns)]
        first = begin[numbers]
    starts = [first, *(end + 1 for end in ends[:-1])]
    returns = padded[ends[-1] - 1] == CR
    if returns.any():
        ends[-1] = ends[-1] - returns
    return Lines(padded, words_of(padded), starts, ends, numbers, np.flatnonzero(~good), begin, finish)


def _exclude_odd_bytes(padded: Bytes, inner: Bytes, finish: Ints, delimiter: str, good: Flags) -> None:
    """Quotes, control characters and whatever is not ASCII are for the careful reader.

    Counting is enough for a block without any; only one that has some is searched.
    """
    controls = int(np.count_nonzero(inner < 32)) - len(finish)
    if controls:
        controls -= int(np.count_nonzero(padded[finish - 1] == CR))
        controls -= int(np.count_nonzero(inner == TAB)) if delimiter == "\t" else 0
    if not controls and inner.max(initial=0) < DELETE and not np.count_nonzero(inner == QUOTE):
        return
    odd = (inner < 32) & (inner != LF) | (inner >= DELETE) | (inner == QUOTE)
    if delimiter == "\t":
        odd &= inner != TAB
    ends_line = finish[padded[finish - 1] == CR] - 1 - PAD
    odd[ends_line[ends_line >= 0]] = False
    good[np.searchsorted(finish, np.flatnonzero(odd) + PAD)] = False
