"""The fields of all lines of a block, read side by side from left to right.

A cursor stands in every line; each call reads one field of all of them and moves on. A line in which something is not
as it should be is left to the careful reader; its cursor runs on over whatever there is, inside the buffer.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dataset_prep.inputs import LONGEST_LINE
from dataset_prep.swift.words import (
    POWERS,
    WIDTH,
    Clock,
    Flags,
    Ints,
    Words,
    ended,
    is_plain,
    number,
    rank_of,
    repeated,
    words_of,
)

Bytes = npt.NDArray[np.uint8]
LF, CR = 10, 13


def room(columns: int) -> int:
    """Bytes the buffer must have after the block: a cursor may leave its line in every column."""
    return (columns + 1) * 4 * WIDTH


class Lines:
    """Lines of ``buffer[start:stop]``, each with its line feed; the buffer has ``room`` behind.

    begin, finish: where each line is, its line feed not included. ok: whether all fields so far are as they should be.
    """

    def __init__(self, buffer: Bytes, start: int, stop: int, delimiter: str) -> None:
        self.buffer, self.words = buffer, words_of(buffer)
        self.finish = np.flatnonzero(buffer[start:stop] == LF)
        self.finish += start
        self.begin = np.concatenate([[start], self.finish + 1])[:-1]
        self.ok: Flags = self.finish - self.begin <= LONGEST_LINE
        returns = buffer[self.finish - 1] == CR
        self._end = self.finish - returns if returns.any() else self.finish
        self._at = self.begin
        self._delimiter = ord(delimiter)
        self._pattern = repeated(self._delimiter)

    def text(self, line: int) -> bytes:
        """A line without its line end."""
        return self.buffer[self.begin[line] : self.finish[line]].tobytes().removesuffix(b"\r")

    def _next(self, last: bool) -> tuple[Words, Ints, Ints]:
        """(first eight bytes of a field, how many of them are its own, lines in which it goes on).

        Of a field of exactly eight bytes all are its own, and it does not go on.
        """
        word = self.words[self._at]
        if last:
            length = self._end - self._at
            self.ok &= length >= 0
            longer = np.flatnonzero(length > WIDTH)
            return word, np.clip(length, 0, WIDTH), longer
        length, open_ = ended(word, self._pattern)
        longer = np.flatnonzero(open_)
        if len(longer):
            longer = longer[self.buffer[self._at[longer] + WIDTH] != self._delimiter]
        return word, length, longer

    def _advance(self, length: Ints) -> None:
        self._at = self._at + length
        self._at += 1

    def number(self, last: bool, blank: int | None = None) -> Ints:
        """Whole numbers as an integer is written, at most 15 digits; an empty field is *blank*, if one is given."""
        word, length, longer = self._next(last)
        value, good = number(word, length)
        if len(longer):
            word = self.words[self._at[longer] + WIDTH]
            if last:
                more = (self._end - self._at)[longer] - WIDTH
                self.ok[longer[more >= WIDTH]] = False
                more = np.clip(more, 1, WIDTH - 1)
            else:
                more, open_ = ended(word, self._pattern)
                self.ok[longer[open_]] = False
            # The second half may begin with 0.
            rest, also = number(word, more, leading=True)
            value[longer] = value[longer] * POWERS[more] + rest
            good[longer] &= also
            length[longer] += more
        if blank is not None:
            empty = length == 0
            value[empty] = blank
            good |= empty
        self.ok &= good
        self._advance(length)
        return value

    def rank(self, last: bool, known: list[bytes]) -> npt.NDArray[np.int8]:
        """Which of the *known* words, of at most eight bytes, each field is."""
        word, length, longer = self._next(last)
        rank = rank_of(word, length, known)
        rank[longer] = -1
        self.ok &= rank >= 0
        self._advance(length)
        return rank

    def moment(self, last: bool, clock: Clock) -> Ints:
        """Unix seconds."""
        seconds, good = clock.moments(self.words, self._at)
        end = self._at + clock.width
        good &= (end == self._end) if last else (self.buffer[end] == self._delimiter)
        self.ok &= good
        self._at = end + 1
        return seconds

    def skip(self, last: bool) -> None:
        """A field that may hold anything but quotes, control characters and what is not ASCII."""
        word, length, longer = self._next(last)
        self.ok &= is_plain(word, length, self._pattern)
        while len(longer):
            at = self._at[longer] + length[longer]
            word = self.words[at]
            if last:
                left = self._end[longer] - at
                more, open_ = np.minimum(left, WIDTH), left > WIDTH
            else:
                more, open_ = ended(word, self._pattern)
                # Beyond the line there is nothing to look for.
                open_ &= at < self.finish[longer]
            self.ok[longer] &= is_plain(word, more, self._pattern)
            length[longer] += more
            longer = longer[open_]
        self._advance(length)
