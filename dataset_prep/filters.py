"""The distinct pairs of a log, and the stages of the funnel before any core."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from dataset_prep.engines.base import Engine, LocalEngine
from dataset_prep.facts import Facts, histogram
from dataset_prep.funnel import Funnel, Stage, measure
from dataset_prep.reading import Log, read_log
from dataset_prep.settings import Settings
from dataset_prep.swift.blocks import GiveUpError
from dataset_prep.swift.pairs import Found
from dataset_prep.tables import Tables, by_arrays, by_sql
from dataset_prep.weigh import DATED, EVERYTHING, bits_of, slots_of

log = logging.getLogger("dataset_prep")

REPEATED = "a repeat of an earlier interaction"


def tabulate(engine: Engine, settings: Settings, workdir: Path, whole: bool = False) -> tuple[Log, Tables]:
    """Read the log and find its pairs: those the behaviours and dates leave, or, *whole*, all."""
    read = read_log(engine, settings, workdir, whole)
    if read.rows is not None and isinstance(engine, LocalEngine):
        try:
            return read, by_arrays(engine, settings, read, read.rows)
        except GiveUpError as reason:
            log.info("reading again, into the database: %s", reason)
            read = read_log(engine, settings, workdir, whole, swift=False)
    return read, by_sql(engine, settings, read, whole)


class Weighed:
    """The tables of a log with the funnel so far.

    A stage from which dates or behaviours still take rows has rows only: its pairs are not looked for.
    in_order: the rows that were kept, where they stand in arrays; see ``kept_rows``.
    """

    def __init__(self, engine: Engine, settings: Settings, workdir: Path, read: Log, tables: Tables) -> None:
        self.engine, self.settings, self.read, self.tables = engine, settings, read, tables
        self.funnel, self.facts = Funnel(), Facts()
        self.in_order: Mapping[str, np.ndarray] | None = None
        self._workdir = workdir
        self._filters()

    @property
    def firsts(self) -> Found | None:
        """The pairs as arrays, where the first interaction of each is all that may be kept."""
        return self.tables.found if self.settings.protocol == "novel" else None

    def whole(self) -> Tables:
        """The tables again, with the pairs of every behaviour: to weigh other choices. Replaces those in the engine."""
        read = self.read
        if read.rows is None:
            return by_sql(self.engine, self.settings, read, whole=True)
        return tabulate(self.engine, self.settings, self._workdir, whole=True)[1]

    def add(self, stage: Stage) -> Stage:
        self.funnel.add(stage)
        log.info(self.funnel.line(stage))
        for line in stage.weak_lines():
            log.info("  %s", line)
        return stage

    def _filters(self) -> None:
        settings, tables = self.settings, self.tables
        dated = sum(tables.dated.values())
        carried = sum(tables.tally.values())
        degrees = users = None

        def add(name: str, rows: int, bits: int, dropped: str) -> None:
            nonlocal degrees, users
            size = weak = None
            if rows <= carried:
                pairs = tables.pairs.select(bits)
                if degrees is None or pairs[0] is not users:  # a step may leave all pairs
                    users, degrees = pairs[0], tables.space.degrees(pairs)
                size, weak = measure(degrees, settings.asked)
            self.add(Stage(name, rows, size, dropped, weak))

        if self.read.rejected:
            self.add(Stage("rows of the log", tables.events + self.read.rejected))
        name = "rows that parse" if self.read.rejected else "rows of the log"
        add(name, tables.events, EVERYTHING, "did not parse, see rejects.csv")
        if settings.bounds != (None, None):
            add("inside the dates", dated, DATED, "outside the dates")
        if settings.kept:
            rows = sum(tables.dated.get(rank, 0) for rank in settings.ranks)
            add(f"behaviours {','.join(settings.kept)}", rows, bits_of(settings.ranks, False), "another behaviour")
        if settings.items:
            rows = tables.rows(slots_of(settings.ranks, True))
            add("items of the subset", rows, bits_of(settings.ranks, True), "not in the item subset")
        if degrees is not None:
            self.facts.before = histogram(degrees[0]), histogram(degrees[1])
        last = self.funnel.stages[-1]
        if settings.protocol == "novel" and last.size is not None:
            self.add(Stage("first of each pair", last.size.pairs, last.size, REPEATED))
        named = settings.source.behaviors
        self.facts.days = {b.value: dict(tables.days.get(n, {})) for n, b in enumerate(named)}
        if not named:
            self.facts.days = {"all": dict(tables.days.get(0, {}))}
        self.facts.labels = {b.value: b.label for b in named}
