"""The careful reader: looks at every line, says why one does not parse, and leaves a copy of those that do.

Whole runs of lines that fit the source's grammar are recognised at once by a regular expression; only where it stops
is a line taken apart. So a large file with a few bad lines costs one pass of the expression, not a Python loop.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import cast

from dataset_prep.inputs import BOM, LONGEST_LINE, Part, Progress
from dataset_prep.pipeline import MISSING
from dataset_prep.sources.base import BEHAVIOR, CATEGORY, ITEM, TIME, USER, Source
from dataset_prep.times import FORMATS

CHUNK = 1 << 24
# A whole number that survives the way through a 64-bit integer; others are kept as text.
CANONICAL = r"(?:0|[1-9][0-9]{0,17})"
CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True)
class Grammar:
    """Which lines a log of this source may hold."""

    source: Source
    delimiter: str
    level: str = "item"

    def is_id(self, column: str) -> bool:
        return column in (USER, ITEM) or (column == CATEGORY and self.level == "category")

    def _expression(self, column: str, canonical: bool) -> str:
        free = rf'[^\x00-\x1f"\x7f{self.delimiter}]'
        if self.is_id(column):
            if self.source.digits:
                return CANONICAL if canonical else "[0-9]+"
            words = "|".join(map(re.escape, MISSING))
            inner = rf'[^\x00-\x20"\x7f{self.delimiter}]'
            return rf"(?!(?:{words})(?:{self.delimiter}|\r?\n)){inner}(?:{free}*{inner})?"
        if column == BEHAVIOR:
            return "(?:" + "|".join(re.escape(b.value) for b in self.source.behaviors) + ")"
        if column == TIME:
            return FORMATS[self.source.time].regular
        return free + "*"

    @cache  # noqa: B019
    def run(self, canonical: bool) -> re.Pattern[bytes]:
        """Matches as many good lines as follow one another, each with its line end."""
        line = self.delimiter.join(f"(?:{self._expression(c, canonical)})" for c in self.source.columns)
        return re.compile(rf"(?:{line}\r?\n)*+".encode())

    def examine(self, line: bytes) -> tuple[str | None, list[str]]:
        """(why the line does not parse, or None; its fields, out of their quotes)."""
        if len(line) > LONGEST_LINE:
            return f"{len(line):,} bytes in one line", []
        if b"\0" in line:
            return "NUL byte", []
        try:
            fields = self.fields(line.decode("utf-8"))
        except UnicodeDecodeError:
            return "broken UTF-8", []
        if fields is None:
            return "stray quote", []
        if fields[0].strip().lower() in self.source.headers:
            return "a second header", []
        if len(fields) != len(self.source.columns):
            return f"{len(fields)} fields, {len(self.source.columns)} expected", []
        for column, value in zip(self.source.columns, fields, strict=True):
            reason = self._reason(column, value)
            if reason:
                return reason, []
        return None, fields

    def fields(self, text: str) -> list[str] | None:
        """Fields of a line; None where a quote does not enclose exactly one field."""
        if '"' not in text:
            return text.split(self.delimiter)
        one = re.compile(rf'(?:"((?:[^"]|"")*+)"|([^"{self.delimiter}]*+))({self.delimiter}|$)')
        fields, at = [], 0
        while True:
            match = one.match(text, at)
            if match is None:
                return None
            fields.append(match[2] if match[1] is None else match[1].replace('""', '"'))
            at = match.end()
            if not match[3]:
                return fields

    def _reason(self, column: str, value: str) -> str | None:
        if not self.is_plain(value):
            return f"a quote or a control character inside {column}"
        if self.is_id(column):
            return self.id_reason(column, value)
        if column == BEHAVIOR and value not in {b.value for b in self.source.behaviors}:
            return f"unknown behaviour {_short(value)}"
        if column == TIME and FORMATS[self.source.time].parse(value) is None:
            return f"impossible time {_short(value)}"
        return None

    def id_reason(self, column: str, value: str) -> str | None:
        """Why a value is no id, or None."""
        if not value.strip():
            return f"blank {column}"
        if self.source.digits:
            return None if re.fullmatch("[0-9]+", value) else f"{column} {_short(value)} is no whole number"
        if not self.is_plain(value):
            return f"{column} {_short(value)} holds a quote or a control character"
        if value != value.strip(" "):
            return f"{column} {_short(value)} has blanks around it"
        return f"{column} {_short(value)} would be read as a missing value" if value in MISSING else None

    @staticmethod
    def is_plain(value: str) -> bool:
        """Can be written into a tab-separated file without quotes."""
        return '"' not in value and not CONTROL.search(value)

    def is_canonical(self, fields: list[str]) -> bool:
        ids = [value for column, value in zip(self.source.columns, fields, strict=True) if self.is_id(column)]
        return all(re.fullmatch(CANONICAL, value) for value in ids)


def _short(value: str) -> str:
    return repr(value if len(value) <= 40 else value[:37] + "...")


@dataclass
class Scanned:
    """What the careful reader found over all files."""

    parts: list[Part] = field(default_factory=list)
    rows: int = 0
    rejected: int = 0
    first_reasons: list[str] = field(default_factory=list)
    integers: bool = True


class Rejects:
    """rejects.csv: file, line, reason."""

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


def _chunks(path: Path, progress: Progress | None) -> Iterator[bytes]:
    """The file in pieces that end with a line feed, the byte order mark gone and the last line completed."""
    rest: list[bytes] = []
    first = True
    with path.open("rb") as file:
        while block := file.read(CHUNK):
            if progress:
                progress(len(block))
            if first:
                block, first = block.removeprefix(BOM), False
            cut = block.rfind(b"\n") + 1
            if cut:
                yield b"".join((*rest, block[:cut]))
                rest = []
            rest.append(block[cut:])
    last = b"".join(rest)
    if last:
        yield last + b"\n"


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


class Scanner:
    """Scans files one after the other; keeps count."""

    def __init__(self, rejects: Rejects, found: Scanned, level: str) -> None:
        self.rejects, self.found, self.level = rejects, found, level

    def part(self, part: Part, source: Source, copy: Path, progress: Progress | None = None) -> None:
        """Scan one file, leaving its good rows in *copy*, tab-separated, without header, ASCII or UTF-8.

        Lines are numbered from 1, as an editor does; blank ones are no rows.
        """
        grammar = Grammar(source, part.delimiter, self.level)
        number = 0
        with copy.open("wb") as out:
            for chunk in _chunks(Path(part.path), progress):
                if chunk.isascii() or _is_utf8(chunk):
                    number = self._piece(chunk, number, part, grammar, out.write)
                    continue
                for line in chunk[:-1].split(b"\n"):
                    number = self._piece(line + b"\n", number, part, grammar, out.write, _is_utf8(line))
        clean = Part(str(copy), part.name, "\t", False, "\n", plain=True, lines=0, digest=part.digest)
        self.found.parts.append(clean)

    def _piece(
        self,
        piece: bytes,
        number: int,
        part: Part,
        grammar: Grammar,
        write: Callable[[bytes], object],
        utf8: bool = True,
    ) -> int:
        """Whole lines; returns the number of the last one."""
        found, at = self.found, 0
        run = grammar.run(found.integers) if utf8 else None
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
            if not line.strip(b" \r") or (number == 1 and part.header):
                continue
            found.rows += 1
            reason, fields = grammar.examine(line)
            if reason is not None:
                found.rejected += 1
                if len(found.first_reasons) < 10:
                    found.first_reasons.append(f"{part.name}, line {number:,}: {reason}")
                self.rejects.add(part.name, number, reason)
                continue
            write("\t".join(fields).encode() + b"\n")
            if found.integers and not grammar.is_canonical(fields):
                found.integers = False
                run = grammar.run(False) if run else None
        return number
