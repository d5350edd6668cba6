"""A first pass over a file: can an engine read it, how many lines has it, what is its digest?"""

from __future__ import annotations

import hashlib
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

from dataset_prep.errors import InputError
from dataset_prep.reading.files import BROKEN, FIRST, LONGEST_LINE, Part, Progress, first_fields, streams

PIECE = 1 << 20
"""Bytes of one checksum."""
WINDOW = LONGEST_LINE // 2


def checksums(raw: bytes) -> bytes:
    """The checksum of each piece; a file's digest is the SHA-256 of them all."""
    view = memoryview(raw)
    return b"".join(zlib.crc32(view[at : at + PIECE]).to_bytes(4, "little") for at in range(0, len(raw), PIECE))


class _Survey:
    """What the blocks of a file show."""

    def __init__(self) -> None:
        self.size = self.feeds = self.returns = self.pairs = 0
        self.plain = True
        self.last = b""
        self.digest = hashlib.sha256()

    def take(self, block: bytes) -> None:
        """Every test here runs at memory speed. A regular expression would take as long as the reading."""
        values = np.frombuffer(block, dtype=np.uint8)
        feeds = int(np.count_nonzero(values == 10))
        returns = int(np.count_nonzero(values == 13)) if b"\r" in block else 0
        tabs = int(np.count_nonzero(values == 9)) if b"\t" in block else 0
        if returns:
            self.pairs += block.count(b"\r\n")
        self.pairs += self.last == b"\r" and block[:1] == b"\n"
        # DuckDB accepts a delimiter too many at the end of a line.
        ends = values == (13 if returns else 10)
        self.plain = self.plain and not self._ends_with_delimiter(values, ends)
        # A line longer than two windows leaves one of them without a line end.
        windows = ends[: len(ends) // WINDOW * WINDOW].reshape(-1, WINDOW)
        self.plain = self.plain and bool(windows.any(axis=1).all())
        controls = int(np.count_nonzero(values < 32)) - feeds - returns - tabs
        # Quotes are legal, but only the careful reader handles them.
        self.plain = self.plain and not controls and block.isascii() and b'"' not in block and b"\x7f" not in block
        self.size, self.feeds, self.returns = self.size + len(block), self.feeds + feeds, self.returns + returns
        self.digest.update(checksums(block))
        self.last = block[-1:]

    def _ends_with_delimiter(self, values: npt.NDArray[np.uint8], ends: npt.NDArray[np.bool_]) -> bool:
        """True if a line of these bytes ends with a delimiter."""
        at_border = self.last in (b",", b"\t") and bool(ends[0])
        before = values[:-1]
        return at_border or bool((ends[1:] & ((before == 44) | (before == 9))).any())

    @property
    def one_line_end(self) -> bool:
        return not self.returns or self.returns == self.pairs == self.feeds


def survey(path: Path, workdir: Path, headers: frozenset[str], progress: Progress | None = None) -> list[Part]:
    """Read a file once, unpacking it into *workdir* where it is packed.

    Raises InputError for a file that is empty, damaged or not readable.
    """
    parts = []
    try:
        for number, (name, stream, packed) in enumerate(streams(path)):
            seen, first = _Survey(), b""
            plain_path = workdir / f"{number}-{len(list(workdir.iterdir()))}-{path.stem}.csv" if packed else path
            copy = plain_path.open("wb") if packed else None
            try:
                while block := stream.read(PIECE):
                    if not seen.size:
                        first = block[:FIRST]
                    seen.take(block)
                    if copy:
                        copy.write(block)
                    if progress:
                        progress(len(block))
            finally:
                if copy:
                    copy.close()
            if seen.size:
                parts.append(_part(plain_path, name, seen, first, headers))
    except BROKEN as error:
        raise InputError(f"{path}: cannot be read to its end ({error}). Download or unpack it again.") from error
    if not parts:
        raise InputError(f"{path}: the file is empty")
    return parts


def _part(path: Path, name: str, seen: _Survey, first: bytes, headers: frozenset[str]) -> Part:
    fields, delimiter = first_fields(first)
    return Part(
        path=str(path),
        name=name,
        delimiter=delimiter,
        header=fields[0].lower() in headers,
        newline="\r\n" if seen.returns else "\n",
        plain=seen.plain and seen.one_line_end,
        lines=seen.feeds + (seen.last != b"\n"),
        digest=seen.digest.hexdigest(),
    )
