"""From the files to arrays: which reader reads a log.

compiled  blocks of lines in C; for whole-number ids
engine    SQL in DuckDB or Spark; for text ids, addresses, and where nothing was compiled
careful   line by line to a clean copy, which the engine reads; for logs with many bad lines
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from dataset_prep.engines import on_demand
from dataset_prep.engines.base import Engine, ReadError
from dataset_prep.engines.sql import BAD_EVENTS, events_sql, needs_rows, table_of
from dataset_prep.errors import UsageError
from dataset_prep.files.streams import find, is_remote, size_of
from dataset_prep.files.survey import survey
from dataset_prep.machine import memory_of
from dataset_prep.pairs.distinct import CannotPackError, coded_rows, feature_of, find_pairs
from dataset_prep.pairs.rows import LogRows, RowBlock
from dataset_prep.pairs.table import Table, classes_of
from dataset_prep.progress import advance, bar
from dataset_prep.reading.careful import CarefulReader, Found, Rejects
from dataset_prep.reading.compiled import CompiledReader
from dataset_prep.reading.fields import GiveUpError
from dataset_prep.reading.lists import Subset, read_subset, read_user_features
from dataset_prep.reading.refusals import MANY, advice_for, check_ids, check_orders, check_years, judge
from dataset_prep.reading.remote import local_copies, local_part, remote_parts
from dataset_prep.reading.selection import Selection
from dataset_prep.settings import Settings
from dataset_prep.sources.part import Part

if TYPE_CHECKING:
    from dataset_prep.engines.duckdb import DuckDBEngine

log = logging.getLogger("dataset_prep")

SHEET_ROWS = 1_048_576
"""Rows of a spreadsheet."""


@dataclass(frozen=True)
class Log:
    """A log after reading.

    parts: its files. rejects: the list of rows that do not parse, if there are any. user_features: user -> (age
    range, gender). digests: of all files, the item subset and the user features included.
    """

    table: Table
    parts: list[Part]
    rejected: int
    subset: Subset
    user_features: dict[str, tuple[str, str]] = field(default_factory=dict)
    digests: list[str] = field(default_factory=list)
    rejects: Path | None = None


class LogReader:
    """Reads a log as *settings* say. whole: carry the rows of every behaviour and date."""

    def __init__(
        self, settings: Settings, workdir: Path, engine: Callable[[], Engine], rejects: Rejects, whole: bool
    ) -> None:
        self.settings, self.workdir, self.engine = settings, workdir, engine
        self.rejects, self.whole = rejects, whole
        self.subset = Subset()

    def read(self) -> tuple[Table, Found, bool]:
        """(the log's arrays, its files and rejects, whether ids are integers)"""
        settings = self.settings
        if settings.items:
            files = local_copies(self.engine, find(settings.items, "--items"), self.workdir, settings.quiet)
            self.subset = read_subset(files, settings, self.rejects)
        if settings.reader in ("auto", "compiled"):
            try:
                return (*self._compiled(), True)
            except GiveUpError as reason:
                if settings.reader == "compiled":
                    raise UsageError(f"--reader compiled cannot read this log: {reason}. Leave it out.") from reason
                log.debug("the compiled reader gives up: %s", reason)
        parts = self._parts()
        found = (self._by_engine(parts) if settings.reader != "careful" else None) or self._careful(parts)
        return table_of(self.engine(), settings, found.integers, settings.features, self.whole), found, found.integers

    def _compiled(self) -> tuple[Table, Found]:
        """Raises GiveUpError."""
        settings, paths = self.settings, find(self.settings.users, "--users")
        refusal = Selection.refusal(settings)
        if settings.engine == "spark":
            refusal = "Spark was asked for"
        if any(map(is_remote, paths)):
            refusal = "only an engine reads addresses"
        if refusal:
            raise GiveUpError(refusal)
        wanted = self.subset.ids(integers=True) if settings.items else None
        rows, before = LogRows(memory_of(settings.memory_limit), self._overflow), self.rejects.length
        with bar("reading", sum(map(size_of, paths)), "B", settings.quiet) as shown:
            selection = Selection(settings, wanted, self.whole)
            reader = CompiledReader(settings, selection, rows, self.rejects, lambda size, n: advance(shown, size, n))
            try:
                reader.read(paths)
            except GiveUpError:
                self.rejects.cut(before)
                raise
        check_orders(reader.found.parts, settings.source.columns)
        judge(settings, reader.found)
        return self._table(rows), reader.found

    def _table(self, rows: LogRows) -> Table:
        """The pairs by sorting; in the database where the rows are too many or too wide for it."""
        settings = self.settings
        classes = classes_of(settings.ranks, True)
        with_rows = needs_rows(settings, self.whole, rows.held)
        of_items = [rows.of_feature(place) for place in range(len(settings.features))] if rows.carried else []
        features = dict(zip(settings.features, (feature_of(*known, rows.words) for known in of_items), strict=False))
        if not rows.overflowed:
            with suppress(CannotPackError):
                unit = settings.time_format.unit if settings.source.timed else 1
                pairs = find_pairs(rows, classes, unit, release=not with_rows)
                coded = coded_rows(rows, pairs) if with_rows else None
                return Table(rows.counts(), pairs, features, coded)
        rows.flush()
        table = table_of(self.engine(), settings, True, (), self.whole)
        return Table(rows.counts(), table.pairs, features, table.rows)

    def _overflow(self, block: RowBlock) -> None:
        columns = {"user_id": block.user, "item_id": block.item, "t": block.t}
        numbers = {name: values.astype(np.int64) for name, values in columns.items()}
        engine = cast("DuckDBEngine", self.engine())  # Spark logs are not read into blocks
        engine.append("events", numbers | {"row_class": block.row_class.astype(np.int8)})

    def _parts(self) -> list[Part]:
        settings, paths = self.settings, find(self.settings.users, "--users")
        local = [path for path in paths if not is_remote(path)]
        parts: list[Part] = []
        with bar("looking over the files", sum(map(size_of, local)), "B", settings.quiet) as shown:
            for path in paths:
                if is_remote(path):
                    parts += remote_parts(self.engine(), path, self.workdir, settings)
                else:
                    parts += survey(Path(path), self.workdir, settings, shown.update)
        check_orders(parts, settings.source.columns)
        return parts

    def _by_engine(self, parts: list[Part]) -> Found | None:
        """None where a file needs the careful reader."""
        if not all(part.plain for part in parts):
            return None
        expected = sum(part.lines - part.header for part in parts)
        for integers in (True,) if self.settings.source.digits else (True, False):
            with suppress(ReadError):
                total, bad = self._events(parts, integers, expected)
                if total and not bad and total == expected:
                    return Found(parts, total, integers=integers)
        return None

    def _events(self, parts: list[Part], integers: bool, expected: int) -> tuple[int, int]:
        """Fill the table ``events`` -> (rows, of these not understood)."""
        engine = self.engine()
        if self.settings.items:
            engine.upload("subset", {"item_id": self.subset.ids(integers)})
        engine.create("events", events_sql(engine, parts, self.settings, integers), expected)
        total, bad = engine.rows(BAD_EVENTS)[0]
        return total, bad or 0

    def _careful(self, parts: list[Part]) -> Found:
        settings = self.settings
        found = Found(integers=settings.source.digits)
        reader = CarefulReader(self.rejects, found, settings.level)
        with bar("fetching", sum(p.remote.size for p in parts if p.remote), "B", settings.quiet) as shown:
            local = [p for part in parts for p in local_part(self.engine, part, self.workdir, settings, shown.update)]
        with bar("reading line by line", sum(Path(p.path).stat().st_size for p in local), "B", settings.quiet) as shown:
            for number, part in enumerate(local):
                reader.part(part, settings.source, self.workdir / f"clean-{number}.tsv", shown.update)
        judge(settings, found)
        good = found.rows - found.rejected
        total, bad = self._events(found.parts, found.integers, good)
        if bad or total != good:
            raise AssertionError(f"kept {good:,} rows; of {total:,} read back {bad:,} are not understood")
        return found


def read_log(settings: Settings, workdir: Path, whole: bool = False) -> Log:
    """Read a log into arrays.

    Args:
        workdir: for copies and for rejects.csv.
        whole: carry the rows of every behaviour and date.

    Raises:
        InputError, TooManyRejectsError, UsageError.
    """
    path = workdir / "rejects.csv"
    with on_demand(workdir, *settings.engine_words) as engine, Rejects(path) as rejects:
        reader = LogReader(settings, workdir, engine, rejects, whole)
        table, found, integers = reader.read()
        check_years(settings, table)
        check_ids(table)
        if settings.source.written not in ("", "unix", "ms", "us", "order") and settings.source.timed:
            zone = settings.source.zone or "Beijing time"
            log.info(f"times that state no zone are read as {zone}; --timezone names another")
        for note in dict.fromkeys(note for part in found.parts for note in part.notes):
            log.info(note)
        for part in found.parts:
            if part.lines in (SHEET_ROWS, SHEET_ROWS - 1):
                log.warning(
                    f"{part.name}: {part.lines:,} lines, as many as a spreadsheet holds: the log was cut when it was "
                    "saved there. Take the original file."
                )
        if found.rejected:
            log.info("%s of %s rows do not parse; see rejects.csv", f"{found.rejected:,}", f"{found.rows:,}")
            if found.rejected > MANY * found.rows and (advice := advice_for(settings, found)):
                log.warning(advice)
        digests = [*(part.digest for part in found.parts), *reader.subset.digests]
        users: dict[str, tuple[str, str]] = {}
        if settings.user_info:
            files = local_copies(engine, find((settings.user_info,), "--user-info"), workdir)
            users, more = read_user_features(files, integers)
            digests += more
    bad = found.rejected or reader.subset.rejected
    return Log(table, found.parts, found.rejected, reader.subset, users, digests, path if bad else None)
