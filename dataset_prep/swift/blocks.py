"""A stream cut into blocks of whole lines, in buffers that are used again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO

import numpy as np

from dataset_prep.inputs import BLOCK, BOM
from dataset_prep.swift.lines import LF, ROOM, Bytes, GiveUpError

READ = 4 * BLOCK
LONGEST_REST = 8 * READ


@dataclass(frozen=True)
class Block:
    """A buffer; which of its bytes came from the file just now, and which are whole lines."""

    buffer: Bytes
    raw: range
    lines: range


class Blocks:
    """Cuts a stream into whole lines, the byte order mark gone and the last line completed."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._rest = b""
        self._first = True
        self._free: list[Bytes] = []

    def give_back(self, block: Block) -> None:
        """The block's buffer may be used again."""
        self._free.append(block.buffer)

    def next(self) -> Block | None:
        """None at the end."""
        start = len(self._rest)
        buffer = self._buffer(start + READ + 1 + ROOM)
        buffer[:start] = np.frombuffer(self._rest, dtype=np.uint8)
        stop = self._fill(buffer, start)
        if stop == 0:
            return None
        begin = len(BOM) if self._first and buffer[:3].tobytes() == BOM else 0
        self._first = False
        if stop - start < READ:
            # The end: the last line may lack its line feed.
            end, self._rest = stop, b""
            if end > begin and buffer[end - 1] != LF:
                buffer[end] = LF
                end += 1
        else:
            end = _after_last_feed(buffer, start, stop) or begin
            self._rest = buffer[end:stop].tobytes()
            if len(self._rest) > LONGEST_REST:
                raise GiveUpError("a line without end")
        return Block(buffer, range(start, stop), range(begin, end))

    def _buffer(self, size: int) -> Bytes:
        kept = self._free.pop() if self._free else np.zeros(0, dtype=np.uint8)
        return kept if len(kept) >= size else np.zeros(size + BLOCK // 4, dtype=np.uint8)

    def _fill(self, buffer: Bytes, at: int) -> int:
        """Where the bytes end that could be read; short only at the end of the stream."""
        stop = at + READ
        while at < stop and (count := self._stream.readinto(buffer[at:stop].data)):  # type: ignore[attr-defined]
            at += count
        return at


def _after_last_feed(buffer: Bytes, start: int, stop: int) -> int:
    """The place behind the last line feed of new bytes; 0 where there is none."""
    for size in (1 << 16, READ):
        tail = buffer[max(stop - size, start) : stop].tobytes()
        found = tail.rfind(b"\n")
        if found >= 0:
            return stop - len(tail) + found + 1
    return 0
