"""A first pass over a file: can an engine read it, how many lines has it, what is its digest?"""

from __future__ import annotations

import hashlib
import re
import zlib
from pathlib import Path

import numpy as np

from dataset_prep.errors import InputError
from dataset_prep.files.layout import opened
from dataset_prep.files.streams import BOM, FIRST, Progress, blocks, reading
from dataset_prep.settings import Settings
from dataset_prep.sources.part import LONGEST_LINE, Part

PIECE = 1 << 20
"""Bytes of one checksum."""
# What DuckDB or Spark reads in another way than the grammar: not ASCII, a quote, a control character, a delimiter too
# many at the end of a line.
ODD = re.compile(rb'[^\x20-\x7e\t\r\n]|"|[,\t]\r?\n')


def checksums(raw: bytes) -> bytes:
    """The checksum of each piece; a file's digest is the SHA-256 of them all."""
    view = memoryview(raw)
    return b"".join(zlib.crc32(view[at : at + PIECE]).to_bytes(4, "little") for at in range(0, len(raw), PIECE))


def has_long_line(lines: bytes) -> bool:
    ends = np.flatnonzero(np.frombuffer(lines, dtype=np.uint8) == ord("\n"))
    return bool((np.diff(ends, prepend=-1) > LONGEST_LINE).any())


def survey(path: Path, workdir: Path, settings: Settings, progress: Progress | None = None) -> list[Part]:
    """Read a file once, unpacking it into *workdir* where it is packed.

    Raises InputError for a file that is empty, damaged or not readable.
    """
    parts = []
    with reading(path):
        for file in opened(path, settings.source, settings.encoding, settings.delimiter):
            name, stream, layout = file.name, file.stream, file.layout
            copy = workdir / f"unpacked-{len(list(workdir.iterdir()))}.csv" if file.copied else None
            digest, lines, plain, ends, first = hashlib.sha256(), 0, True, set[bool](), b""
            for block in blocks(stream, PIECE):
                first = first or block.raw[:FIRST]
                digest.update(checksums(block.raw))
                text, feeds, returns = block.lines, block.lines.count(b"\n"), block.lines.count(b"\r")
                lines += feeds
                ends |= {returns > 0} if returns == text.count(b"\r\n") in (0, feeds) else {True, False}
                plain = plain and not ODD.search(text) and not has_long_line(text)
                if copy:
                    with copy.open("ab") as out:
                        out.write(block.raw)
                if progress:
                    progress(len(block.raw))
            if layout is not None:
                delimiter, header, newline = layout.read_as, layout.header, "\r\n" if True in ends else "\n"
                plain = plain and len(ends) < 2 and not first.startswith(BOM)
                shape = delimiter, header, newline, plain, lines, digest.hexdigest(), None, layout.columns, layout.notes
                parts.append(Part(str(copy or path), name, *shape))
    if not parts:
        raise InputError(f"{path}: the file is empty")
    return parts
