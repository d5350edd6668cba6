"""The compiled reader: whole blocks at a time; a line that is not exactly as expected goes to the grammar.

A block's line is read only where the grammar accepts it. So the rows, the rejects and their reasons equal those of the
careful reader. Where too many lines are odd, or an id is not a plain number, this reader gives up.
"""

from __future__ import annotations

import hashlib
import re
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dataset_prep.errors import InputError
from dataset_prep.files.layout import Layout, opened
from dataset_prep.files.streams import Block, Stream, blocks, reading
from dataset_prep.files.survey import PIECE, checksums
from dataset_prep.pairs.rows import LogRows, RowBlock
from dataset_prep.pairs.sorting import WORKERS, Ints
from dataset_prep.pairs.table import BLANK, FIRST_WORD
from dataset_prep.reading.careful import Found, Rejects
from dataset_prep.reading.fields import GiveUpError
from dataset_prep.reading.grammar import CANONICAL, Grammar
from dataset_prep.reading.selection import Columns, Selection
from dataset_prep.settings import Settings
from dataset_prep.sources.base import BEHAVIOR, CATEGORY, ITEM, TIME, USER
from dataset_prep.sources.part import Part

READ = 4 * PIECE
FEW_ODD, ODD_SHARE = 20_000, 0.05
"""With more odd lines than both, the careful reader is faster: it recognises runs of good lines."""


@dataclass(frozen=True)
class _Done:
    """A block after its job."""

    rows: RowBlock
    odd: list[tuple[int, bytes]]
    lines: int
    checksums: bytes


class CompiledReader:
    """Reads files one after the other into *rows*. progress: called with the bytes and the rows read so far."""

    def __init__(
        self,
        settings: Settings,
        selection: Selection,
        rows: LogRows,
        rejects: Rejects,
        progress: Callable[[int, int], None],
    ) -> None:
        self.settings, self.selection, self.rows = settings, selection, rows
        self.rejects, self.progress, self.found = rejects, progress, Found()
        self._odd = 0
        self._late: list[dict[str, str]] = []
        self._codes: dict[str, int] = {}

    def read(self, paths: Sequence[str]) -> None:
        """Raises InputError for a file that is damaged or empty, GiveUpError."""
        for path in paths:
            before = len(self.found.parts)
            with reading(path):
                for file in opened(Path(path), self.settings.source, self.settings.encoding, self.settings.delimiter):
                    if file.layout is not None:
                        self._stream(path, file.name, file.stream, file.layout)
            if len(self.found.parts) == before:
                raise InputError(f"{path}: the file is empty")
        self._add_late()

    def _stream(self, path: str, name: str, stream: Stream, layout: Layout) -> None:
        digest, number = hashlib.sha256(), 0
        delimiter, header = layout.read_as, layout.header
        grammar = Grammar(self.settings.source, delimiter, self.settings.level, layout.columns)
        waiting: deque[Future[_Done]] = deque()

        def collect() -> None:
            nonlocal number
            done = waiting.popleft().result()
            digest.update(done.checksums)
            self.rows.add(done.rows)
            self.found.rows += done.rows.events
            for line, text in done.odd:
                if number + line > 0 or not header:
                    self._examine(grammar, name, number + line + 1, text)
            number += done.lines
            if self._odd > max(FEW_ODD, ODD_SHARE * self.found.rows):
                raise GiveUpError(f"{self._odd:,} odd lines")

        with ThreadPoolExecutor(WORKERS) as pool:
            try:
                for block in blocks(stream, READ):
                    self.progress(len(block.raw), self.found.rows)
                    waiting.append(pool.submit(self._job, block, layout))
                    if len(waiting) > WORKERS:
                        collect()
                while waiting:
                    collect()
            finally:
                pool.shutdown(cancel_futures=True)
        self.found.parts.append(
            Part(
                path, name, delimiter, header, "", True, number, digest.hexdigest(), None, layout.columns, layout.notes
            )
        )

    def _job(self, block: Block, layout: Layout) -> _Done:
        columns, lines = self.selection.parse(block, layout.read_as, layout.columns)
        return _Done(self.selection.select(columns), lines.odd, lines.count, checksums(block.raw))

    def _examine(self, grammar: Grammar, name: str, number: int, line: bytes) -> None:
        if not line.strip(b" \r"):
            return
        self.found.rows += 1
        self._odd += 1
        reason, fields = grammar.examine(line)
        if reason is not None:
            self.found.reject(self.rejects, name, number, reason)
        elif not grammar.is_canonical(fields):
            raise GiveUpError("an id that is no plain number")
        else:
            self._late.append(dict(zip(grammar.columns, fields, strict=True)))

    def _add_late(self) -> None:
        """Add the odd lines that the grammar accepts."""
        settings, late = self.settings, self._late
        columns = settings.source.columns

        def numbers(column: str) -> Ints:
            return np.array([int(fields[column]) for fields in late], dtype=np.int64)

        rank, t = np.zeros(len(late), dtype=np.int8), np.zeros(len(late), dtype=np.int64)
        if BEHAVIOR in columns:
            values = [b.value for b in settings.source.behaviors]
            rank[:] = [values.index(fields[BEHAVIOR]) for fields in late]
        if TIME in columns:
            t[:] = [settings.time_format.parse(fields[TIME]) or 0 for fields in late]
        item = numbers(CATEGORY if settings.level == "category" else ITEM)
        features = [
            np.array([self._code(fields[feature]) for fields in late], dtype=np.int64) for feature in settings.features
        ]
        self.rows.add(self.selection.select(Columns(numbers(USER), item, numbers(ITEM), t, rank, features)))

    def _code(self, text: str) -> int:
        """A feature as a value of ``Column``."""
        if not text:
            return BLANK
        if re.fullmatch(CANONICAL, text):
            return int(text)
        if text not in self._codes:
            self._codes[text] = FIRST_WORD - len(self.rows.words)
            self.rows.words.append(text)
        return self._codes[text]
