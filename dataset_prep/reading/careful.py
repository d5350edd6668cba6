"""The careful reader: examines every line, says why one does not parse, and writes the good ones to a clean copy.

A regular expression recognises whole runs of good lines; only a line where it stops is taken apart. So a large file
with a few bad lines costs one pass of the expression and not a Python loop.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

from dataset_prep.errors import InputError
from dataset_prep.files.layout import decodes
from dataset_prep.files.streams import Progress, blocks
from dataset_prep.files.survey import has_long_line
from dataset_prep.reading.grammar import OTHER_ORDER, Grammar
from dataset_prep.sources.base import Source
from dataset_prep.sources.part import LONGEST_LINE, Part

CHUNK = 1 << 24
FIRST_REASONS = 10
"""Rejects that a message shows."""


@dataclass
class Found:
    """What a reader found in all files. integers: every id is a whole number that a 64-bit integer keeps."""

    parts: list[Part] = field(default_factory=list)
    rows: int = 0
    rejected: int = 0
    first_reasons: list[str] = field(default_factory=list)
    integers: bool = True

    def reject(self, rejects: Rejects, name: str, line: int, reason: str) -> None:
        if reason == OTHER_ORDER:
            raise InputError(f"{name}, line {line:,}: {reason}. Cut the file there and give both parts with --log.")
        self.rejected += 1
        if len(self.first_reasons) < FIRST_REASONS:
            self.first_reasons.append(f"{name}, line {line:,}: {reason}")
        rejects.add(name, line, reason)


class Rejects:
    """Writes rejects.csv: file, line, reason."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w", newline="", encoding="utf-8")
        self._writer = csv.writer(self._file, lineterminator="\n")
        self._writer.writerow(("file", "line", "reason"))

    def __enter__(self) -> Rejects:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, name: str, line: int, reason: str) -> None:
        self._writer.writerow((name, line, reason))

    @property
    def length(self) -> int:
        return self._file.tell()

    def cut(self, length: int) -> None:
        """Remove what was added after the file had this length."""
        self._file.seek(length)
        self._file.truncate()


class CarefulReader:
    """Reads files one after the other."""

    def __init__(self, rejects: Rejects, found: Found, level: str) -> None:
        self.rejects, self.found, self.level = rejects, found, level

    def part(self, part: Part, source: Source, copy: Path, progress: Progress | None = None) -> None:
        """Read one file and write its good rows to *copy*: tab-separated, no header, UTF-8.

        Lines are numbered from 1. Blank lines are not rows.
        """
        grammar = Grammar(source, part.delimiter, self.level, part.columns)
        number = 0
        with copy.open("wb") as out, Path(part.path).open("rb") as stream:
            for block in blocks(stream, CHUNK):
                if progress:
                    progress(len(block.raw))
                chunk = block.lines
                if number == 0 and part.header and chunk:
                    chunk, number = chunk[chunk.index(b"\n") + 1 :], 1
                if (chunk.isascii() or decodes(chunk)) and not has_long_line(chunk):
                    number = self._piece(chunk, number, part, grammar, out.write)
                    continue
                for line in chunk[:-1].split(b"\n"):
                    regular = decodes(line) and len(line) <= LONGEST_LINE
                    number = self._piece(line + b"\n", number, part, grammar, out.write, regular)
        clean = replace(
            part, path=str(copy), delimiter="\t", header=False, newline="\n", plain=True, lines=number, remote=None
        )
        self.found.parts.append(clean)

    def _piece(
        self,
        piece: bytes,
        number: int,
        part: Part,
        grammar: Grammar,
        write: Callable[[bytes], object],
        regular: bool = True,
    ) -> int:
        """Read whole lines -> number of the last one. regular: the regular expression may be used."""
        found, at = self.found, 0
        run = grammar.run(found.integers) if regular else None
        while at < len(piece):
            if run:
                stop = cast(re.Match[bytes], run.match(piece, at)).end()
                if stop > at:
                    good = piece[at:stop].replace(b"\r\n", b"\n")
                    lines = good.count(b"\n")
                    write(good.replace(part.delimiter.encode(), b"\t"))
                    number, found.rows, at = number + lines, found.rows + lines, stop
                    continue
            end = piece.index(b"\n", at)
            line, at, number = piece[at:end].removesuffix(b"\r"), end + 1, number + 1
            if not line.strip(b" \r"):
                continue
            found.rows += 1
            reason, fields = grammar.examine(line)
            if reason is not None:
                found.reject(self.rejects, part.name, number, reason)
                continue
            write("\t".join(fields).encode() + b"\n")
            if found.integers and not grammar.is_canonical(fields):
                found.integers = False
                run = grammar.run(False) if run else None
        return number
