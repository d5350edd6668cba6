"""The swift reader: whole blocks at once, every line it is not sure of handed to the careful reader's grammar.

A line is taken only where the grammar would take it; so the rows, the rejects and their reasons are the careful
reader's. Where too many lines are odd, or an id is no plain number, it gives up and the careful reader begins anew.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from collections import Counter, deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import numpy as np

from dataset_prep.guards import InputError
from dataset_prep.inputs import BLOCK, BROKEN, FIRST, Part, Progress, first_fields, streams
from dataset_prep.order import WORKERS
from dataset_prep.scan import CANONICAL, Grammar, Scanned
from dataset_prep.settings import Settings
from dataset_prep.sources.base import BEHAVIOR, CATEGORY, ITEM, TIME, USER
from dataset_prep.swift.block import BlockReader, Carried, Columns
from dataset_prep.swift.blocks import Block, Blocks, GiveUpError
from dataset_prep.swift.lines import BLANK, Ints
from dataset_prep.times import FORMATS

# Beyond both, the careful reader is faster: it recognises runs of lines this one is not made for.
FEW_ODD, ODD_SHARE = 20_000, 0.05
MOST_BYTES_A_ROW = 40
"""Of memory that a carried row takes until the pairs are found."""

Reject = tuple[str, int, str]


@dataclass
class Rows:
    """The rows carried, in the blocks they came in, and the counts of all others.

    texts: features that are no plain number; their codes are -2, -3, ...
    """

    blocks: list[Carried] = field(default_factory=list)
    events: int = 0
    undated: int = 0
    days: Counter[tuple[int, int]] = field(default_factory=Counter)
    texts: list[str] = field(default_factory=list)
    carried: int = 0

    def add(self, block: Carried) -> None:
        self.events, self.undated = self.events + block.events, self.undated + block.undated
        self.days.update(block.days)
        self.carried += len(block.slot)
        if len(block.slot):
            self.blocks.append(block)


@dataclass(frozen=True)
class _Done:
    """What became of a block. told: checksums of what came from the file."""

    rows: Carried
    odd: list[tuple[int, bytes]]
    lines: int
    told: bytes


class SwiftReader:
    """Reads files one after the other. rejects: in the order of the files and lines."""

    def __init__(self, settings: Settings, wanted: Ints | None, whole: bool, limit: int) -> None:
        self.settings, self.limit = settings, limit
        self.reader = BlockReader(settings, wanted, whole)
        self.found, self.rows = Scanned(), Rows()
        self.parts: list[Part] = []
        self.rejects: list[Reject] = []
        self._odd = 0
        self._late: list[list[str]] = []
        self._codes: dict[str, int] = {}

    def read(self, paths: Sequence[str], progress: Progress) -> None:
        """Raises InputError for a file that is damaged or empty, GiveUpError."""
        for path in paths:
            before = len(self.parts)
            try:
                for name, stream, _ in streams(Path(path)):
                    self._stream(path, name, stream, progress)
            except BROKEN as error:
                raise InputError(
                    f"{path}: cannot be read to its end ({error}). Download or unpack it again."
                ) from error
            if len(self.parts) == before:
                raise InputError(f"{path}: the file is empty")
        self._take_late()

    def _stream(self, path: str, name: str, stream: IO[bytes], progress: Progress) -> None:
        blocks = Blocks(stream)
        block = blocks.next()
        if block is None:
            return
        fields, delimiter = first_fields(block.buffer[: min(block.raw.stop, FIRST)].tobytes())
        header = fields[0].lower() in self.settings.source.headers
        digest = hashlib.sha256()
        number = 0
        grammar = Grammar(self.settings.source, delimiter, self.settings.level)
        waiting: deque[tuple[Block, Future[_Done]]] = deque()

        def collect() -> None:
            nonlocal number
            block, future = waiting.popleft()
            done = future.result()
            blocks.give_back(block)
            digest.update(done.told)
            self.rows.add(done.rows)
            self.found.rows += done.rows.events
            for line, text in done.odd:
                if number + line > 0 or not header:
                    self._examine(grammar, name, number + line + 1, text)
            number += done.lines
            if self.rows.carried * MOST_BYTES_A_ROW > self.limit:
                raise GiveUpError(f"{self.rows.carried:,} rows do not fit into memory")
            if self._odd > max(FEW_ODD, ODD_SHARE * self.found.rows):
                raise GiveUpError(f"{self._odd:,} odd lines")

        with ThreadPoolExecutor(WORKERS) as pool:
            try:
                while block is not None:
                    progress(len(block.raw))
                    waiting.append((block, pool.submit(self._job, block, delimiter)))
                    if len(waiting) > WORKERS:
                        collect()
                    block = blocks.next()
                while waiting:
                    collect()
            finally:
                pool.shutdown(cancel_futures=True)
        self.parts.append(Part(path, name, delimiter, header, "", True, number, digest.hexdigest()))

    def _job(self, block: Block, delimiter: str) -> _Done:
        raw = block.buffer[block.raw.start : block.raw.stop]
        told = b"".join(zlib.crc32(raw[at : at + BLOCK].data).to_bytes(4, "little") for at in range(0, len(raw), BLOCK))
        columns, lines = self.reader.parse(block.buffer, block.lines, delimiter)
        return _Done(self.reader.select(columns), lines.odd, lines.count, told)

    def _examine(self, grammar: Grammar, name: str, number: int, line: bytes) -> None:
        if not line.strip(b" \r"):
            return
        self.found.rows += 1
        self._odd += 1
        reason, fields = grammar.examine(line)
        if reason is None:
            if not grammar.is_canonical(fields):
                raise GiveUpError("an id that is no plain number")
            self._late.append(fields)
            return
        self.found.rejected += 1
        if len(self.found.first_reasons) < 10:
            self.found.first_reasons.append(f"{name}, line {number:,}: {reason}")
        self.rejects.append((name, number, reason))

    def _take_late(self) -> None:
        """The lines that the careful reader accepted."""
        source, late = self.settings.source, self._late
        place = {column: n for n, column in enumerate(source.columns)}

        def numbers(column: str) -> Ints:
            return np.array([int(fields[place[column]]) for fields in late], dtype=np.int64)

        rank, t = np.zeros(len(late), dtype=np.int8), np.zeros(len(late), dtype=np.int64)
        if BEHAVIOR in place:
            values = [b.value for b in source.behaviors]
            rank[:] = [values.index(fields[place[BEHAVIOR]]) for fields in late]
        if TIME in place:
            t[:] = [FORMATS[source.time].parse(fields[place[TIME]]) or 0 for fields in late]
        item = numbers(CATEGORY if self.settings.level == "category" else ITEM)
        features = [
            np.array([self._code(fields[place[feature]]) for fields in late], dtype=np.int64)
            for feature in self.settings.features
        ]
        self.rows.add(self.reader.select(Columns(numbers(USER), item, numbers(ITEM), t, rank, features)))

    def _code(self, text: str) -> int:
        if not text:
            return BLANK
        if re.fullmatch(CANONICAL, text):
            return int(text)
        if text not in self._codes:
            self._codes[text] = BLANK - 1 - len(self.rows.texts)
            self.rows.texts.append(text)
        return self._codes[text]
