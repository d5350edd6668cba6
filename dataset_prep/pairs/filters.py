"""The filters before the core (dates, behaviours, item subset, first of each pair) and what each leaves."""

from __future__ import annotations

import logging

from dataset_prep.pairs.funnel import Funnel, Stage, measure
from dataset_prep.pairs.statistics import Statistics, histogram
from dataset_prep.pairs.table import DATED, EVERYTHING, Table, bits_of, classes_of
from dataset_prep.settings import Settings

log = logging.getLogger("dataset_prep")

REPEATED = "a repeat of an earlier interaction"


class FilteredLog:
    """A log after the filters, with its funnel so far.

    Pairs are not counted at a stage that still has rows which the reader did not carry; it has a number of rows only.
    """

    def __init__(self, settings: Settings, table: Table, rejected: int) -> None:
        self.settings, self.table = settings, table
        self.funnel, self.statistics = Funnel(), Statistics()
        self._filter(rejected)

    @property
    def classes(self) -> list[int]:
        """The row classes that are kept."""
        return classes_of(self.settings.ranks, True)

    def add(self, stage: Stage) -> None:
        self.funnel.add(stage)
        log.info(self.funnel.line(stage))
        for line in stage.weak_lines():
            log.info("  %s", line)

    def _filter(self, rejected: int) -> None:
        settings, counts, pairs = self.settings, self.table.counts, self.table.pairs
        carried = sum(counts.carried.values())
        degrees = users = None

        def add(name: str, rows: int, bits: int, dropped: str) -> None:
            nonlocal degrees, users
            size = weak = None
            if rows <= carried:
                selected = pairs.select(bits)
                if degrees is None or selected[0] is not users:  # a filter may leave all pairs
                    users, degrees = selected[0], pairs.degrees(selected)
                size, weak = measure(degrees, settings.asked)
            self.add(Stage(name, rows, size, dropped, weak))

        if rejected:
            self.add(Stage("rows of the log", counts.events + rejected))
        name = "rows that parse" if rejected else "rows of the log"
        add(name, counts.events, EVERYTHING, "did not parse, see rejects.csv")
        if settings.bounds != (None, None):
            add("inside the dates", sum(counts.dated.values()), DATED, "outside the dates")
        if settings.kept:
            rows = sum(counts.dated.get(rank, 0) for rank in settings.ranks)
            add(f"behaviours {','.join(settings.kept)}", rows, bits_of(settings.ranks, False), "another behaviour")
        if settings.items:
            rows = counts.rows(self.classes)
            add("items of the subset", rows, bits_of(settings.ranks, True), "not in the item subset")
        assert degrees is not None  # the last filter leaves rows that are carried
        self.statistics.before = histogram(degrees[0]), histogram(degrees[1])
        last = self.funnel.stages[-1]
        if settings.protocol == "novel" and last.size is not None:
            self.add(Stage("first of each pair", last.size.pairs, last.size, REPEATED))
        named = settings.source.behaviors
        self.statistics.days = {b.value: dict(counts.days.get(n, {})) for n, b in enumerate(named)}
        if not named:
            self.statistics.days = {"all": dict(counts.days.get(0, {}))}
        self.statistics.labels = {b.value: b.label for b in named}
