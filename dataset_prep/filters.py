"""From the table of events to its distinct pairs, and the stages of the funnel before any core."""

from __future__ import annotations

import logging

from dataset_prep import pipeline
from dataset_prep.engines.base import Engine
from dataset_prep.facts import Facts, days
from dataset_prep.funnel import Funnel, Stage, measure
from dataset_prep.pipeline import UNDATED
from dataset_prep.reading import Log
from dataset_prep.settings import Settings
from dataset_prep.weigh import DATED, EVERYTHING, Pairs, Space, bits_of, slots_of

log = logging.getLogger("dataset_prep")

REPEATED = "a repeat of an earlier interaction"


class Weighed:
    """Fills the tables ``users``, ``items`` and ``pairs``; holds the pairs as arrays and the funnel so far."""

    def __init__(self, engine: Engine, settings: Settings, read: Log) -> None:
        self.engine, self.settings, self.read = engine, settings, read
        self.funnel, self.facts = Funnel(), Facts()
        engine.create("users", pipeline.users_sql(read.integers))
        engine.create("items", pipeline.items_sql(read.integers, read.features))
        engine.create("pairs", pipeline.pairs_sql(settings.ranks))
        n_users, n_items = (engine.rows(f"SELECT count(*) FROM {table}")[0][0] for table in ("users", "items"))
        self.space = Space(n_users, n_items)
        self.pairs = Pairs.of(engine.arrays("SELECT u, i, mask, n FROM pairs"))
        self._filters()
        if settings.protocol == "novel" and settings.core_on == "all":
            engine.drop("events")  # the pairs say all that is still asked

    def add(self, stage: Stage) -> Stage:
        self.funnel.add(stage)
        log.info(self.funnel.line(stage))
        for line in stage.weak_lines():
            log.info("  %s", line)
        return stage

    def _filters(self) -> None:
        settings = self.settings
        tally: dict[int, int] = dict(self.engine.rows(pipeline.TALLY))
        events = sum(tally.values())

        def add(name: str, rows: int, bits: int, dropped: str) -> None:
            size, weak = measure(*self.pairs.select(bits), settings.asked)
            self.add(Stage(name, rows, size, dropped, weak))

        if self.read.rejected:
            self.add(Stage("rows of the log", events + self.read.rejected))
        name = "rows that parse" if self.read.rejected else "rows of the log"
        add(name, events, EVERYTHING, "did not parse, see rejects.csv")
        if settings.bounds != (None, None):
            add("inside the dates", events - tally.get(UNDATED, 0), DATED, "outside the dates")
        if settings.kept:
            rows = sum(tally.get(slot, 0) for slot in slots_of(settings.ranks, False))
            bits = bits_of(settings.ranks, False)
            add(f"behaviours {','.join(settings.kept)}", rows, bits, "another behaviour")
        if settings.items:
            rows = sum(tally.get(slot, 0) for slot in slots_of(settings.ranks, True))
            add("items of the subset", rows, bits_of(settings.ranks, True), "not in the item subset")
        last = self.funnel.stages[-1]
        if settings.protocol == "novel" and last.size is not None:
            self.add(Stage("first of each pair", last.size.pairs, last.size, REPEATED))
        self.facts.days = days(self.engine, {n: b.value for n, b in enumerate(settings.source.behaviors)} or {0: "all"})
